"""Tables: files that are read, and frames of other libraries made frames of pandas."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_INSTALL = "pip install 'bayescore[tables]'"


def read_table(path: Path) -> "pd.DataFrame":
    """Read a CSV or Parquet file.

    Raises
    ------
    DataError
        It is missing, empty, or not a table.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"no file {str(path)!r}: check the path")
    try:
        parquet = path.suffix.lower() in {".parquet", ".pq"}
        with warnings.catch_warnings():
            # rows with one field too many neither shift the columns nor lose a value in silence
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_parquet(path) if parquet else pd.read_csv(path, index_col=False)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"the file {str(path)!r} is empty") from error
    except ImportError as error:
        raise DataError(f"reading {str(path)!r} needs pyarrow: {_INSTALL}") from error
    except Exception as error:
        raise DataError(f"can't read the table {str(path)!r}: {_first_line(error)}") from error
    if len(table) == 0:
        raise DataError(f"the file {str(path)!r} has no rows")
    table.columns = [str(column).strip() for column in table.columns]
    return table


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
            raise DataError(f"can't make a table of these columns: {_first_line(error)}") from error
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
    # an enumeration's order is lost on the way; another category's is that of its first rows, and nobody's
    for name, dtype in eager.schema.items():
        if isinstance(dtype, nw.Enum):
            table[name] = pd.Categorical(table[name], categories=list(dtype.categories), ordered=True)
        elif isinstance(dtype, nw.Categorical) and not table[name].cat.ordered:
            table[name] = table[name].astype(object)
    return table


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
