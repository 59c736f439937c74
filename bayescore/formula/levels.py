"""Levels: the different values of a category, in order, and their names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


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
        try:
            found.sort()
        except TypeError:
            found.sort(key=str)
    return tuple(dict.fromkeys(level_name(value) for value in found))


def positions(names: Sequence[str], of: Any) -> "np.ndarray":
    """Position of each row's level among the names; -1 for one that is not there."""
    return pd.Index(list(names), dtype=object).get_indexer(pd.Index(level_names(of), dtype=object))


def listed(names: Sequence[str], most: int = 10) -> str:
    """Write down names, the first ones of many."""
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
