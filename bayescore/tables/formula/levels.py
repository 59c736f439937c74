"""Levels: the different values of a category, in order, and their names."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayescore.tables.spelling import is_plain

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?(?![0-9])")


def level_name(value: object) -> str:
    """Write a value as a level's name.

    3.0 is ``3``, so that a column with a gap elsewhere names the same levels; midnight is a day.
    """
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return str(value.date())
    return str(value)


def level_names(values: Any) -> "np.ndarray":
    """Name the level of every row."""
    codes, different = pd.factorize(np.asarray(values, dtype=object))
    return np.array([level_name(value) for value in different], dtype=object)[codes]


def levels(values: Any) -> tuple[str, ...]:
    """Name the levels in order: that in which a category declares them, else that of the values."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        found: list[Any] = list(dtype.categories)
    else:
        found = list(pd.unique(np.asarray(values, dtype=object)))
        if reads_as_numbers(found):
            found.sort(key=lambda text: (float(text), text))
        else:
            try:
                found.sort()
            except TypeError:
                found.sort(key=str)
    return tuple(dict.fromkeys(level_name(value) for value in found))


def reads_as_numbers(values: Iterable[object]) -> bool:
    """Whether values are all text, and all plain numbers: their order is that of the numbers."""
    return all(isinstance(value, str) and is_plain(value) for value in values)


def order_is_known(values: Any) -> bool:
    """Whether categories have an order that somebody stated, or that of numbers or dates.

    A category of pandas states one where it says so, or where its levels stand otherwise than
    sorted by name, as ``astype("category")`` leaves them.
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        found = list(dtype.categories)
        stated = bool(dtype.ordered) or found != sorted(found, key=str)
    else:
        found, stated = list(pd.unique(np.asarray(values, dtype=object))), False
    text = [value for value in found if isinstance(value, str)]
    return stated or not text or reads_as_numbers(found) or all(map(_DATE.match, text))


def positions(names: Sequence[str], of: Any) -> "np.ndarray":
    """Position of each row's level among the names; -1 for one that is not there."""
    return pd.Index(list(names), dtype=object).get_indexer(pd.Index(level_names(of), dtype=object))


def listed(names: Sequence[str], most: int = 10) -> str:
    """Write down names, the first ones of many."""
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
