"""Tables too large for memory: read in chunks, and reduced as they come.

A Gaussian regression depends on its rows through a small triangle
(`bayescore.reduction`), so that one pass over the file is enough and memory does not grow
with it. That holds for plain numeric columns; other terms would have to see all rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bayescore import families
from bayescore.data import Data, check_finite
from bayescore.distributions import Distribution
from bayescore.errors import DataError, RequestError
from bayescore.families import Family, Gaussian
from bayescore.formula.reading import INTERCEPT, Formula, read
from bayescore.formula.syntax import Name, write
from bayescore.problem import MOST_PREDICTED, Problem, from_data
from bayescore.reduction import Reducer, as_rows

LARGE = 1 << 29
"""Bytes from which on a table is read in chunks."""
_CHUNK_ROWS = 1 << 16
_BUFFER = 1 << 20


def is_large(path: Path, limit: int = LARGE) -> bool:
    """Whether a file would take more memory than ``limit`` as a table."""
    if not path.is_file():
        return False
    if not _is_parquet(path):
        return path.stat().st_size > limit
    from pyarrow import parquet

    try:
        metadata = parquet.ParquetFile(path).metadata
    except Exception:  # what is wrong with it, its reader says
        return False
    return int(metadata.num_rows) * int(metadata.num_columns) * 8 > limit


def from_file(
    path: Path,
    formula: str,
    *,
    family: Family | str = "Gaussian",
    priors: Mapping[str, Distribution | str] | Literal["auto"] = "auto",
    new_table: object | None = None,
) -> Problem:
    """State the problem of a table that is read in chunks.

    Parameters
    ----------
    new_table
        Rows to predict; by default the first 200 of the file.

    Raises
    ------
    RequestError
        It is no Gaussian regression on plain columns.
    DataError
        The file can't be read, or holds what is no number.
    """
    columns, response, intercept = _plain(path, read(formula), families.parse(family))
    reducer = Reducer(len(columns))
    first: list[Data] = []
    rows = 0
    for chunk in _chunks(path, [*columns, response]):
        table = _numbers(chunk, [*columns, response], rows)
        block = Data(table[:, :-1], table[:, -1], columns, response)
        reducer.add(block)
        if not first:
            first.append(block.take(slice(MOST_PREDICTED)))
        rows += block.rows
    if not first:
        raise DataError(f"the file {str(path)!r} has no rows")
    new = first[0] if new_table is None else _new(new_table, columns, response)
    return from_data(
        as_rows(reducer.result(), first[0]),
        family=family,
        priors=priors,
        intercept=intercept,
        new_data=new,
        source=str(path),
        formula=formula,
        notes=(f"the table is large: read in chunks, its {rows} rows reduced to {len(columns) + 2}",),
    )


def _plain(path: Path, formula: Formula, family: Family) -> tuple[tuple[str, ...], str, bool]:
    """Columns, response and intercept of a formula of plain columns."""
    what = f"{str(path)!r} is too large to be held in memory; read in chunks it "
    if not isinstance(family, Gaussian):
        raise RequestError(f"{what}serves Gaussian regressions only, not {family.name}: take a part of its rows")
    terms = [term for term in formula.common if term != INTERCEPT]
    odd = [term.name for term in terms if not (len(term.factors) == 1 and isinstance(term.factors[0], Name))]
    odd += [] if isinstance(formula.response, Name) else [write(formula.response)]
    odd += [write(offset) for offset in formula.offsets] + [effect for bar in formula.bars for effect in bar.effects]
    if odd:
        raise RequestError(f"{what}serves plain columns only, not {odd[0]}: make it a column of the file")
    return tuple(term.name for term in terms), write(formula.response), formula.intercept


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in {".parquet", ".pq"}


def _chunks(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Frames of some rows each, with these columns."""
    import pandas as pd

    try:
        if _is_parquet(path):
            from pyarrow import parquet

            # what is read ahead of all row groups would be kept to the end
            with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
                _check_there(columns, file.schema_arrow.names)
                for batch in file.iter_batches(batch_size=_CHUNK_ROWS, columns=list(columns)):
                    yield batch.to_pandas()
        else:
            _check_there(columns, [str(name).strip() for name in pd.read_csv(path, nrows=0).columns])
            with pd.read_csv(path, index_col=False, chunksize=_CHUNK_ROWS) as frames:
                for frame in frames:
                    yield frame.rename(columns=str.strip)[list(columns)]
    except DataError:
        raise
    except Exception as error:
        text = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"can't read the table {str(path)!r}: {text}") from error


def _check_there(columns: Sequence[str], present: Sequence[str]) -> None:
    from bayescore.errors import suggest

    for name in columns:
        if name not in present:
            raise DataError(
                f"no column {name!r} in the table{suggest(name, list(present))} (columns: {', '.join(present)})"
            )


def _numbers(frame: Any, columns: Sequence[str], before: int) -> "np.ndarray":
    """The columns as numbers, shape (row, column); offenders are named with their row in the file."""
    from pandas.api.types import is_numeric_dtype

    for name in columns:
        if not is_numeric_dtype(frame[name]):
            raise DataError(
                f"column {name!r} holds text, and a large table takes numbers only: leave it out, or mend it"
            )
    table = np.ascontiguousarray(frame[list(columns)].to_numpy(dtype=np.float64))
    check_finite(table, columns, first_row=before)
    return table


def _new(table: object, columns: tuple[str, ...], response: str) -> Data:
    from bayescore.tables import to_pandas

    frame = to_pandas(table)
    _check_there(columns, list(frame.columns))
    known = response in frame.columns
    values = _numbers(frame, [*columns, *([response] if known else [])], 0)
    p = len(columns)
    return Data(values[:, :p], values[:, p] if known else None, columns, response)
