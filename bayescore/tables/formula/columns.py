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

from bayescore.errors import DataError, suggest
from bayescore.model.arrays import Array
from bayescore.model.data import rows_text
from bayescore.tables import spelling
from bayescore.tables.files import read_as_missing
from bayescore.tables.formula.levels import level_name, level_names, listed, positions
from bayescore.tables.formula.syntax import quoted
from bayescore.tables.spelling import EXACT


def find(names: Iterable[str], table: pd.DataFrame) -> None:
    """Refuse a name that no column has, or more than one."""
    present = list(table.columns)
    for name in names:
        check_there(name, present, table.index.names)
        if is_complex_dtype(table[name]):
            raise DataError(f"column {name!r} holds complex numbers; a regression takes real ones")


def check_there(name: str, present: Sequence[str], index: Sequence[object] = ()) -> None:
    """Refuse a name that no column has, or more than one."""
    if name not in present:
        hint = "; it is the table's index: reset_index() makes a column of it" if name in index else None
        hint = suggest(name, list(present)) if hint is None else hint
        raise DataError(f"no column {name!r} in the table{hint} (columns: {', '.join(present)})")
    places = [str(place) for place, other in enumerate(present, start=1) if other == name]
    if len(places) > 1:
        where = f"{', '.join(places[:-1])} and {places[-1]}"
        raise DataError(f"{len(places)} columns of the table are named {name!r} ({where}): rename all but one")


def missing(column: "pd.Series[Any]") -> "np.ndarray":
    """Tell for each row whether its value is missing or infinite."""
    absent = np.array(column.isna(), dtype=bool)
    if is_numeric_dtype(column):
        absent |= np.isinf(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return absent


def check_missing(table: pd.DataFrame, remedy: str, *, before: int = 0) -> None:
    """Refuse missing and infinite values; ``before`` rows of the user's table came earlier."""
    for name in table.columns:
        bad = before + np.flatnonzero(missing(table[name]))
        if bad.size:
            texts = ", ".join(map(repr, read_as_missing(table, [name]).get(name, ())))
            told = f" ({texts} is read as missing)" if texts else ""
            raise DataError(f"column {name!r} is missing or infinite in {rows_text(bad)}{told}: {remedy}")


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
        column = _of_objects(column, category=category)
    if not category and not is_numeric_dtype(column):
        check_text(column, rows)
    if not is_numeric_dtype(column):
        return _text(column)
    whole = {"b": np.bool_, "i": np.int64, "u": np.uint64}
    return column.astype(whole.get(column.dtype.kind, np.float64) if category else np.float64)


def _of_objects(column: "pd.Series[Any]", *, category: bool = False) -> "pd.Series[Any]":
    inferred = column.infer_objects()
    long = category and any(isinstance(value, int) and abs(value) > EXACT for value in column)
    if inferred.dtype == object and not long and all(isinstance(value, Number) for value in column):
        return column.astype(np.float64)
    return inferred


def _text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(level_names(column), index=column.index, name=column.name, dtype=object)


def check_text(column: "pd.Series[Any]", rows: "np.ndarray") -> None:
    """Refuse text where a person would see numbers; ``rows`` are the rows' positions in the user's table.

    Text that reads as numbers without exception is let pass where its numbers are plain and
    few, as those of categories are.

    Raises
    ------
    DataError
        It is neither text nor numbers, or numbers but for some text, or numbers by a convention.
    """
    name, as_categories = column.name, f"C({quoted(str(column.name))})"
    if not is_string_dtype(column) and not any(isinstance(value, str) for value in column):
        raise DataError(
            f"column {name!r} holds neither numbers nor text but {column.dtype}: write {as_categories}, or mend it"
        )
    codes, different = pd.factorize(np.asarray(column, dtype=object))
    texts = [str(value) for value in different]
    reads = np.array([spelling.reads_as_number(text) for text in texts])
    other = np.flatnonzero(~reads[codes])
    if 0 < other.size < 0.5 * len(column) and spelling.unit(texts) is None:
        raise DataError(
            f"column {name!r} is numeric but for text in {rows_text(rows[other])} ({column.iloc[other[0]]!r}): mend it"
        )
    unit = spelling.unit(texts)
    many = len(texts) > max(0.5 * len(column), 2)
    odd = [t for t in texts if not spelling.is_plain(t) or spelling.has_leading_zeros(t)]
    if (reads.all() and (odd or many)) or (unit is not None and many):
        example = odd[0] if odd else texts[0]
        row = int(np.flatnonzero(codes == texts.index(example))[0])
        raise DataError(
            f"column {name!r} is text that reads as numbers ({example!r} in {rows_text(rows[[row]])}): write plain "
            f"numbers, as 1020 or 2.5 or 0.125, or {as_categories} for categories"
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
        named = named.map(lambda name: name if name in seen else _respelled(name))
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


def _respelled(name: str) -> str:
    """A level that is written as a number, as other levels of that number are: 3.0 as 3, but 01 as it is."""
    return level_name(float(name)) if spelling.is_plain(name) and not spelling.has_leading_zeros(name) else name


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
