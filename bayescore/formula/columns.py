"""The columns that a formula uses: found, checked, and brought to few types.

A formula gets numbers as float64, where whole numbers neither wrap around nor overflow in
silence; categories keep their values, which name the columns of the design matrix.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype, is_string_dtype

from bayescore.data import rows_text
from bayescore.distributions import Array
from bayescore.errors import DataError, suggest
from bayescore.formula.levels import level_name, level_names, listed, positions
from bayescore.formula.syntax import quoted


def find(names: Iterable[str], table: pd.DataFrame) -> None:
    """Refuse a name that no column has, or more than one."""
    present = list(table.columns)
    for name in names:
        if name not in present:
            raise DataError(f"no column {name!r} in the table{suggest(name, present)} (columns: {', '.join(present)})")
        if present.count(name) > 1:
            raise DataError(f"{present.count(name)} columns of the table are named {name!r}: rename all but one")
        if is_complex_dtype(table[name]):
            raise DataError(f"column {name!r} holds complex numbers; a regression takes real ones")


def missing(column: "pd.Series[Any]") -> "np.ndarray":
    """Tell for each row whether its value is missing or infinite."""
    absent = np.array(column.isna(), dtype=bool)
    if is_numeric_dtype(column):
        absent |= np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return absent


def check_missing(table: pd.DataFrame, remedy: str) -> None:
    """Refuse missing and infinite values."""
    for name in table.columns:
        bad = np.flatnonzero(missing(table[name]))
        if bad.size:
            raise DataError(f"column {name!r} is missing or infinite in {rows_text(bad)}: {remedy}")


def plain(
    column: "pd.Series[Any]", rows: "np.ndarray", *, category: bool, empty_levels: bool = False
) -> "pd.Series[Any]":
    """A column as numbers, text or a category.

    Parameters
    ----------
    category
        The formula takes it for categories, whatever it holds.
    empty_levels
        Keep the levels of a category that no row has.

    Raises
    ------
    DataError
        It is none of these, or numeric but for some text.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column if empty_levels else column.cat.remove_unused_categories()
    if column.dtype == object:
        column = _of_objects(column)
    if not category and not is_numeric_dtype(column):
        _check_text(column, rows)
    if not is_numeric_dtype(column):
        return _text(column)
    whole = {"b": np.bool_, "i": np.int64, "u": np.uint64}
    return column.astype(whole.get(column.dtype.kind, np.float64) if category else np.float64)


def _of_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    inferred = column.infer_objects()
    if inferred.dtype == object and all(isinstance(value, Number) for value in column):
        return column.astype(np.float64)
    return inferred


def _text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(level_names(column), index=column.index, name=column.name, dtype=object)


def _check_text(column: "pd.Series[Any]", rows: "np.ndarray") -> None:
    name = column.name
    if not is_string_dtype(column) and not any(isinstance(value, str) for value in column):
        written = f"C({quoted(str(name))})"
        raise DataError(
            f"column {name!r} holds neither numbers nor text but {column.dtype}: write {written}, or mend it"
        )
    text = np.flatnonzero(pd.to_numeric(column, errors="coerce").isna())
    if 0 < text.size < 0.5 * len(column):
        raise DataError(
            f"column {name!r} is numeric but for text in {rows_text(rows[text])} ({column.iloc[text[0]]!r}): mend it"
        )


@dataclass(frozen=True)
class Known:
    """What a column was when the formula was applied, and what its values are in new rows.

    Attributes
    ----------
    boxed
        It is an argument of C, S or T, which want no ordered category that lacks a level.
    values
        The values of a category by name; None for numbers.
    """

    name: str
    dtype: Any
    boxed: bool
    values: Mapping[str, Any] | None

    def align(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        """The column of new rows with the values of the old ones, however the file wrote them: 3, 3.0 or '3'."""
        if self.values is None:
            return self._numbers(column)
        named = pd.Series(level_names(column), dtype=object)
        seen = self.values
        if isinstance(self.dtype, pd.CategoricalDtype) and not self.boxed and named.isin(list(seen)).all():
            return pd.Series(pd.Categorical([seen[name] for name in named], dtype=self.dtype), name=self.name)
        values = pd.Series([seen.get(name, name) for name in named], dtype=object, name=self.name)
        # calls compute with numbers, also with those of a level that is new
        numeric = is_numeric_dtype(self.dtype) and not is_bool_dtype(self.dtype)
        numbers = pd.to_numeric(values, errors="coerce") if numeric else values
        return values if numbers.isna().any() else numbers

    def _numbers(self, column: "pd.Series[Any]") -> "pd.Series[Any]":
        column = _of_objects(column) if column.dtype == object else column
        if not is_numeric_dtype(column):
            raise DataError(f"column {self.name!r} of the new rows is not numeric ({column.iloc[0]!r} in row 1)")
        return column.astype(np.float64)


def know(column: "pd.Series[Any]", *, category: bool, boxed: bool) -> Known:
    """Remember a plain column."""
    name = str(column.name)
    if is_numeric_dtype(column) and not category:
        return Known(name, column.dtype, boxed, None)
    different = list(dict.fromkeys(column))
    return Known(name, column.dtype, boxed, {level_name(value): value for value in different})


def as_weights(column: "pd.Series[Any]", rows: "np.ndarray") -> Array:
    """Take a column for weights.

    Raises
    ------
    DataError
        It is not numeric, or negative somewhere.
    """
    column = _of_objects(column) if column.dtype == object else column
    if not is_numeric_dtype(column):
        raise DataError(f"column {column.name!r} can't be weights: it is not numeric ({column.iloc[0]!r})")
    weights = column.to_numpy(dtype=np.float64)
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        raise DataError(f"column {column.name!r} can't be weights: it is negative in {rows_text(rows[negative])}")
    return weights


def check_seen(column: str, values: Any, known: Sequence[str]) -> None:
    """Refuse a level of new rows that the data don't have."""
    new = np.flatnonzero(positions(known, values) < 0)
    if new.size:
        raise DataError(
            f"column {column!r} of the new rows has the level {level_names(values)[new[0]]!r} in {rows_text(new)}, "
            f"which the data don't have (levels: {listed(known)})"
        )
