"""Tables: files that are read, and frames of other libraries made frames of pandas."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import DataError
from bayescore.printable import first_line
from bayescore.system import paths
from bayescore.tables import text_files
from bayescore.tables.spelling import EXACT

if TYPE_CHECKING:
    import pandas as pd

_INSTALL = "pip install 'bayescore[tables]'"
_REMARKS = "bayescore.remarks"


def read_table(path: Path, *, text: Collection[str] = ()) -> "pd.DataFrame":
    """Read a file of text, comma-separated or otherwise plain, or a Parquet file.

    Parameters
    ----------
    text
        Columns that are text whatever they hold.

    Returns
    -------
    DataFrame
        Its `remarks` say what was found out about the file.

    Raises
    ------
    DataError
        It is missing, empty, or not a table.
    """
    if not paths.is_file(path):
        raise DataError(f"no file {str(path)!r}: check the path")
    try:
        table = _read_parquet(path) if is_parquet(path) else _read_text(path, text)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f"reading {str(path)!r} needs pyarrow: {_INSTALL}") from error
    except Exception as error:
        raise DataError(f"can't read the table {str(path)!r}: {first_line(error)}") from error
    if len(table) == 0:
        raise DataError(f"the file {str(path)!r} has no rows")
    return table


def is_parquet(path: Path) -> bool:
    """Whether a file calls itself Parquet."""
    return path.suffix.lower() in {".parquet", ".pq"}


def remarks(table: object) -> tuple[str, ...]:
    """What was found out about the file that a table was read from."""
    return tuple(getattr(table, "attrs", {}).get(_REMARKS, ()))


def text_columns(table: "pd.DataFrame") -> list[str]:
    """The columns of a table that hold text."""
    from pandas.api.types import is_string_dtype

    return [str(name) for name, column in table.items() if is_string_dtype(column)]


def _read_text(path: Path, text: Collection[str]) -> "pd.DataFrame":
    layout = text_files.lay_out(path)
    (table,) = text_files.read(path, layout, text=text)
    # as float64 they may have lost digits that tell them apart
    long = [str(name) for name, column in table.items() if _beyond_float(column)]
    if long and not layout.misleading and len(set(table.columns)) == len(table.columns):
        (again,) = text_files.read(path, replace(layout, misleading=True), columns=long, text=text)
        for name in long:
            table[name] = again[name]
    table.attrs[_REMARKS] = layout.notes
    return table


def read_as_missing(table: "pd.DataFrame", names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The texts of columns of numbers that were read as missing."""
    from pandas.api.types import is_numeric_dtype

    found = table.attrs.get(text_files.MISSING, {})
    return {name: found[name] for name in names if name in found and is_numeric_dtype(table[name])}


def _beyond_float(column: "pd.Series[Any]") -> bool:
    if column.dtype != np.float64:
        return False
    values = column.dropna().to_numpy()
    return bool(np.any((np.abs(values) >= EXACT) & np.isfinite(values)))


def _read_parquet(path: Path) -> "pd.DataFrame":
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return as_frame(file.read(), parquet_columns(file))


def parquet_columns(file: Any) -> list[str]:
    """The names of a Parquet file's columns; a named index is one of them."""
    return [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]


def as_frame(part: Any, columns: Sequence[str]) -> "pd.DataFrame":
    """Columns of a Parquet file as a frame; whole numbers stay whole beside missing ones."""
    import pandas as pd
    import pyarrow as pa

    whole = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    gaps = [name for name in part.schema.names if part.schema.names.count(name) == 1 and part[name].null_count]
    kinds = {part.schema.field(name).type for name in gaps}
    frame: pd.DataFrame = part.to_pandas(
        ignore_metadata=True, types_mapper=lambda kind: whole.get(kind) if kind in kinds else None
    )
    frame = frame.loc[:, [name in set(columns) for name in frame.columns]]
    if b"pandas" not in (part.schema.metadata or {}):
        frame = _sort_categories(frame)
    frame.columns = pd.Index([str(name).strip() for name in frame.columns], dtype=object)
    return frame


def to_pandas(frame: object) -> "pd.DataFrame":
    """Give a table as a frame of pandas, and leave the caller's as it is.

    Parameters
    ----------
    frame
        A frame of pandas or polars, or of another library that narwhals knows; a mapping
        from names to columns; or a NumPy array with named fields.

    Raises
    ------
    DataError
        It is none of these, or a library is needed to read it.
    """
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        table = frame
    elif isinstance(frame, Mapping) or (isinstance(frame, np.ndarray) and frame.dtype.names):
        try:
            table = pd.DataFrame(frame)
        except ValueError as error:
            raise DataError(f"can't make a table of these columns: {first_line(error)}") from error
    else:
        table = _by_narwhals(frame)
    names = [str(column) for column in table.columns]
    return table if names == list(table.columns) else table.set_axis(names, axis=1)


def _by_narwhals(frame: Any) -> "pd.DataFrame":
    import pandas as pd

    what = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
    try:
        import narwhals as nw
    except ImportError as error:
        raise DataError(f"a table that is no pandas frame ({what}) needs narwhals: {_INSTALL}") from error
    try:
        native = nw.from_native(frame)
    except TypeError as error:
        raise DataError(f"a table is a data frame, or a mapping from names to columns, not {what}") from error
    try:
        eager = native.collect() if isinstance(native, nw.LazyFrame) else native
        table = eager.to_pandas()
    except ImportError as error:
        raise DataError(f"a table of {what} needs pyarrow: {_INSTALL}") from error
    # an enumeration's order is lost on the way; another category's is that of its first rows, nobody's
    for name, dtype in eager.schema.items():
        if isinstance(dtype, nw.Enum):
            table[name] = pd.Categorical(table[name], categories=list(dtype.categories), ordered=True)
    return _sort_categories(table)


def _sort_categories(table: "pd.DataFrame") -> "pd.DataFrame":
    """Sort categories that stand in the order in which they were met, which says nothing."""
    import pandas as pd

    for at, dtype in enumerate(table.dtypes):
        if isinstance(dtype, pd.CategoricalDtype) and not dtype.ordered:
            column = table.iloc[:, at]
            table.isetitem(at, column.cat.set_categories(sorted(dtype.categories, key=str)).array)
    return table
