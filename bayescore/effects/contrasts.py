"""What is compared: the two values that a column is set to, or moved to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from bayescore.effects.table import Table
from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.inputs import Input
from bayescore.printable import shown

STEP = 1e-5
"""Of a slope, as a share of the column's range: the cube root of the rounding error, about."""
Contrast = str | Sequence[str] | Mapping[str, Any] | None
Setter = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class Change:
    """A column at two values, in every row.

    Attributes
    ----------
    label
        The change in words.
    low, high
        What the column becomes in given rows.
    absolute
        Whether it becomes the same whatever the rows have.
    """

    column: str
    label: str
    low: Setter
    high: Setter
    absolute: bool = False

    def ends(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rows at both."""
        low, high = rows.copy(), rows.copy()
        low[self.column], high[self.column] = self.low(rows), self.high(rows)
        return low, high


def changes(table: Table, asked: Contrast, sign: str) -> list[Change]:
    """The changes that a comparison asks for; ``sign`` stands between the names of what is compared.

    Raises
    ------
    RequestError, DataError
        A column, a level or a value is none.
    """
    if asked is None:
        asked = [name for name, one in table.inputs.items() if not one.only_groups and _varies(one)]
    named = asked if isinstance(asked, Mapping) else dict.fromkeys(_names(asked))
    if not named:
        raise RequestError("nothing is compared: name a column")
    found: list[Change] = []
    for name, how in named.items():
        column = table.column(name, "there is no comparison")
        found += _numeric(table, column, how, sign) if column.levels is None else _levels(table, column, how, sign)
    return found


def _names(asked: str | Sequence[str]) -> list[str]:
    if isinstance(asked, str):
        return [asked]
    if not isinstance(asked, list | tuple):
        raise RequestError(f"a column is named, as 'x', or several, or values as {{'x': [1, 2]}}, not {shown(asked)}")
    return list(asked)


def _varies(column: Input) -> bool:
    return column.levels is None or len(column.levels) > 1


def _levels(table: Table, column: Input, how: object, sign: str) -> list[Change]:
    """Each level against the reference, or those that are named."""
    levels = list((column.levels or {}).values())
    if how is None:
        reference = (column.levels or {})[str(column.reference)]
        pairs = [(reference, level) for level in levels if level is not reference]
    elif how == "pairwise" and "pairwise" not in levels:
        pairs = list(combinations(levels, 2))
    else:
        first, *others = table.values(column, how)
        pairs = [(first, other) for other in others]
    if not pairs:
        raise RequestError(
            f"{column.name!r} is compared with nothing: name two of its levels ({', '.join(map(str, levels[:10]))})"
        )
    return [_between(column, low, high, f"{high}{sign}{low}") for low, high in pairs]


def _between(column: Input, low: Any, high: Any, label: str) -> Change:
    return Change(column.name, label, lambda rows: [low] * len(rows), lambda rows: [high] * len(rows), absolute=True)


def _numeric(table: Table, column: Input, how: object, sign: str) -> list[Change]:
    """One more, so much more, one sd around the mean, or one value and others."""
    name, numbers = column.name, table.number(column.name)
    if how is None and set(np.unique(numbers)) == {0.0, 1.0}:
        how = (0, 1)
    if isinstance(how, str):
        if how != "sd":
            raise RequestError(f"{name!r} is compared by a step, two values or 'sd', not {shown(how)}")
        mean = float(np.average(numbers, weights=table.weights))
        half = 0.5 * float(np.sqrt(np.cov(numbers, aweights=table.weights)))
        return [_between(column, mean - half, mean + half, "1 sd around the mean")]
    if how is None or not hasattr(how, "__iter__"):
        (step,) = table.values(column, 1.0 if how is None else how)
        if step == 0.0:
            raise RequestError(f"{name!r} is compared with itself: a step is not 0")
        return [Change(name, f"{step:+g}", lambda rows: rows[name], lambda rows: rows[name] + step)]
    first, *others = table.values(column, how)
    if not others:
        raise RequestError(f"{name!r} is compared with nothing: give two values, or a step as {{{name!r}: {first:g}}}")
    return [_between(column, first, other, f"{other:g}{sign}{first:g}") for other in others]


def slopes(table: Table, asked: str | Sequence[str] | None) -> list[Change]:
    """Small steps to both sides, of all numeric columns where none is named.

    A step is `STEP` of the column's range; of a positive column it is no more than that share of the
    value itself, so that logarithms and roots stay what they are.

    Raises
    ------
    RequestError
        A column is none, or not numeric.
    """
    numeric = [name for name, one in table.inputs.items() if one.levels is None]
    if asked is None and not numeric:
        raise RequestError("no column is numeric, and only such have slopes: ask for comparisons()")
    found = []
    for name in numeric if asked is None else _names(asked):
        column = table.column(name, "there is no slope")
        if column.levels is not None:
            raise RequestError(f"{name!r} is taken for categories and has no slope: ask for comparisons({name!r})")
        found.append(_around(name, table.number(name)))
    return found


def _around(name: str, numbers: Array) -> Change:
    size = float(np.ptp(numbers)) or max(float(np.abs(numbers[0])), 1.0)
    positive = bool(np.all(numbers > 0))

    def step(rows: pd.DataFrame) -> Array:
        x = rows[name].to_numpy(dtype=np.float64)
        return STEP * np.where(positive & (x > 0), np.minimum(x, size), size)

    return Change(name, "", lambda rows: rows[name] - step(rows), lambda rows: rows[name] + step(rows))
