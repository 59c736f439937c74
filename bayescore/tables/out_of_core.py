"""Tables too large for memory: read in chunks, and reduced as they come.

A Gaussian regression depends on its rows through a small triangle
(`bayescore.density.reduction`), so that one pass over the file is enough and memory does not grow
with it. That holds for plain numeric columns; other terms would have to see all rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bayescore.density.reduction import Reducer, as_rows
from bayescore.errors import DataError, RequestError
from bayescore.model import families
from bayescore.model.data import Data
from bayescore.model.distributions import Distribution
from bayescore.model.families import Family, Gaussian
from bayescore.printable import first_line
from bayescore.regressions.problem import Problem
from bayescore.system import paths
from bayescore.tables import text_files
from bayescore.tables.files import as_frame, is_parquet, parquet_columns, to_pandas
from bayescore.tables.formula.columns import check_missing, check_text, check_there, missing
from bayescore.tables.formula.reading import INTERCEPT, Formula, read
from bayescore.tables.formula.syntax import Name, write
from bayescore.tables.problem import MOST_PREDICTED, from_data

LARGE = 1 << 29
"""Bytes from which on a table is read in chunks."""
_CHUNK_ROWS = 1 << 16
_BUFFER = 1 << 20


def is_large(path: Path, limit: int = LARGE) -> bool:
    """Whether a file would take more memory than ``limit`` as a table."""
    if not paths.is_file(path):
        return False
    if not is_parquet(path):
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
    if not paths.is_file(path):
        raise DataError(f"no file {str(path)!r}: check the path")
    layout = None if is_parquet(path) else text_files.lay_out(path)
    reducer = Reducer(len(columns))
    first: list[Data] = []
    rows = 0
    for chunk in filter(len, _chunks(path, layout, [*columns, response])):
        table = _numbers(chunk, [*columns, response], rows, "mend them, or take a part of the rows")
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
        notes=(
            *(() if layout is None else layout.notes),
            f"the table is large: read in chunks, its {rows} rows reduced to {len(columns) + 2}",
        ),
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


def _chunks(path: Path, layout: text_files.Layout | None, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Frames of some rows each, with these columns, of a text file or, without a layout, a Parquet file."""
    if layout is not None:
        _check_there(columns, layout.columns)
        yield from text_files.read(path, layout, columns=columns, block=_CHUNK_ROWS)
        return
    from pyarrow import Table, parquet

    try:
        # what is read ahead of all row groups would be kept to the end
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            present = {name.strip(): name for name in parquet_columns(file)}
            _check_there(columns, [name.strip() for name in parquet_columns(file)])
            for batch in file.iter_batches(batch_size=_CHUNK_ROWS, columns=[present[name] for name in columns]):
                yield as_frame(Table.from_batches([batch]), batch.schema.names)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"can't read the table {str(path)!r}: {first_line(error)}") from error


def _check_there(columns: Sequence[str], present: Sequence[str]) -> None:
    for name in columns:
        check_there(name, present)


def _numbers(frame: pd.DataFrame, columns: Sequence[str], before: int, remedy: str) -> "np.ndarray":
    """The columns as numbers, shape (row, column); offenders are named with their row in the file."""
    frame = frame[list(columns)]
    for name in columns:
        if not is_numeric_dtype(frame[name]) or isinstance(frame[name].dtype, pd.CategoricalDtype):
            given = np.flatnonzero(frame[name].notna())
            check_text(frame[name].iloc[given], before + given)
            raise DataError(
                f"column {name!r} holds text, and a large table takes numbers only: leave it out, or mend it"
            )
    check_missing(frame, remedy, before=before)
    return np.ascontiguousarray(frame.to_numpy(dtype=np.float64))


def _new(table: object, columns: tuple[str, ...], response: str) -> Data:
    frame = to_pandas(table)
    _check_there(columns, list(frame.columns))
    known = list(frame.columns).count(response) == 1 and not missing(frame[response]).any()
    remedy = "mend them, or remove these rows from the new ones"
    values = _numbers(frame, [*columns, *([response] if known else [])], 0, remedy)
    p = len(columns)
    return Data(values[:, :p], values[:, p] if known else None, columns, response)
