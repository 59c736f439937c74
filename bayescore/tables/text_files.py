"""Tables in text files: separators, headers and encodings found out, and said.

Whatever is read otherwise than as comma-separated UTF-8 with a name for each field is told
in the notes. Columns are numbers where all their texts are (`bayescore.tables.spelling`); in a
column of text only an empty field is missing.
"""

import csv
import io
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import DataError
from bayescore.printable import first_line
from bayescore.tables import spelling

if TYPE_CHECKING:
    import pandas as pd

MISSING = "bayescore.missing"
"""Where a frame's ``attrs`` keep the texts of each column that stand for missing numbers."""
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_SAMPLE_RECORDS = 100
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes
    ----------
    names
        A name for each field of a record; None for one that is no column.
    misleading
        Some fields may be identifiers that look like numbers: columns are looked at letter by letter.
    """

    encoding: str
    separator: str
    decimal: str
    names: tuple[str | None, ...]
    misleading: bool
    notes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return [name for name in self.names if name is not None]


def lay_out(path: Path) -> Layout:
    """Find out how a text file is laid out.

    Raises
    ------
    DataError
        It is empty, or can't be decoded.
    """
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        try:
            found = {separator: _records(file, separator) for separator in _order(path)}
        except UnicodeDecodeError as error:
            raise undecodable(path, encoding) from error
    if not any(found.values()):
        raise DataError(f"the file {str(path)!r} is empty")
    separator = _separator(path, found)
    header, *records = found[separator]
    names, notes = _names([name.strip() for name in header], records)
    if separator != ",":
        notes = [f"fields are separated by {_NAMES[separator]}", *notes]
    decimal = "," if separator == ";" and _decimal_commas(records) else "."
    if decimal == ",":
        notes.append("numbers are written with decimal commas")
    return Layout(encoding, separator, decimal, tuple(names), _misleading(path), tuple(notes))


def undecodable(path: Path, encoding: str) -> DataError:
    """Say which line of a file is not text of its encoding."""
    name = "UTF-16" if encoding == "utf-16" else "UTF-8"
    where = ""
    if name == "UTF-8":
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if b"\0" in line:
                    return DataError(f"can't read the table {str(path)!r}: it is no text (line {number})")
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    where = f" (byte 0x{line[error.start]:02x} in line {number})"
                    break
    return DataError(f"can't read the table {str(path)!r}: it is not {name}{where}; save it as UTF-8")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def _order(path: Path) -> list[str]:
    """The separators, the likeliest first."""
    return sorted(_NAMES, key=lambda s: s != "\t") if path.suffix.lower() in {".tsv", ".tab"} else list(_NAMES)


def _records(file: io.TextIOWrapper, separator: str) -> list[list[str]]:
    """The first records of a file that are not empty."""
    file.seek(0)
    try:
        rows = csv.reader(file, delimiter=separator, skipinitialspace=True)
        return list(islice((row for row in rows if any(field.strip() for field in row)), _SAMPLE_RECORDS))
    except csv.Error:
        return []


def _separator(path: Path, found: dict[str, list[list[str]]]) -> str:
    """The separator by which all records have the same number of fields, or the header has most."""
    plain = [separator for separator, records in found.items() if records and _even(records)]
    if plain:
        return plain[0]
    return max(found, key=lambda separator: len(found[separator][0]) if found[separator] and separator != " " else 0)


def _even(records: list[list[str]]) -> bool:
    """Whether records have a field for each of several names, and at most one more."""
    width = len(records[0])
    return width > 1 and {len(record) for record in records[1:]} in (set(), {width}, {width + 1})


def _names(header: list[str], records: Sequence[Sequence[str]]) -> tuple[list[str | None], list[str]]:
    """A name for each field, and what is to be said about them."""
    names: list[str | None] = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    if not records or any(len(record) != len(header) + 1 for record in records):
        return names, []
    if all(not record[-1].strip() for record in records):
        return [*names, None], []
    return [None, *names], ["the header has no name for the first field, which is left out as the row's name"]


def _decimal_commas(records: Sequence[Sequence[str]]) -> bool:
    fields = (field.strip() for record in records for field in record)
    return any("," in field and spelling.COMMA.fullmatch(field) for field in fields)


def _misleading(path: Path) -> bool:
    """Look through a file for what may be identifiers that look like numbers."""
    before = b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if spelling.may_mislead(before + block):
                return True
            before = block[-2:]
    return False


def read(
    path: Path,
    layout: Layout,
    *,
    columns: Collection[str] | None = None,
    text: Collection[str] = (),
    block: int | None = None,
) -> "Iterator[pd.DataFrame]":
    """Read a text file as frames of at most ``block`` rows, by default as one.

    Parameters
    ----------
    columns
        Those that are needed; by default all.
    text
        Columns that are text whatever they hold.

    Raises
    ------
    DataError
        It can't be read.
    """
    import pandas as pd

    places = [i for i, name in enumerate(layout.names) if name is not None and (columns is None or name in columns)]
    names = [str(layout.names[place]) for place in places]
    try:
        with path.open(encoding=layout.encoding, newline="") as file, warnings.catch_warnings():
            # rows with one field too many neither shift the columns nor lose a value in silence
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frames = pd.read_csv(
                file,
                sep=layout.separator,
                decimal=layout.decimal,
                header=0,
                names=list(range(len(layout.names))),
                index_col=False,
                dtype={i: str for i, name in enumerate(layout.names) if layout.misleading or name in text},
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                low_memory=False,
                chunksize=block,
            )
            for frame in [frames] if isinstance(frames, pd.DataFrame) else frames:
                parts = [_column(frame[i], layout, text=name in text) for i, name in zip(places, names, strict=True)]
                table = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=frame.index)
                table.columns = pd.Index(names, dtype=object)
                table.attrs[MISSING] = {
                    name: found for place, name in zip(places, names, strict=True) if (found := _absent(frame[place]))
                }
                yield table
    except UnicodeDecodeError as error:
        raise undecodable(path, layout.encoding) from error
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"can't read the table {str(path)!r}: {_said(error, len(layout.names))}") from error


def _absent(column: "pd.Series[Any]") -> tuple[str, ...]:
    """The texts of a column that would stand for missing numbers."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return ()
    texts = (str(text).strip() for text in column.dropna().unique())
    return tuple(sorted({text for text in texts if text and spelling.is_missing(text)}))


def _said(error: BaseException, width: int) -> str:
    text = first_line(error)
    found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", text)
    if found:
        return f"line {found[1]} has {found[2]} fields, and the header {width}"
    return f"a row has more than the header's {width} fields" if "Length of header" in text else text


def _column(column: "pd.Series[Any]", layout: Layout, *, text: bool) -> "pd.Series[Any]":
    """A column as numbers or truth values where all its texts are; otherwise text, stripped, an empty field missing."""
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    given = column.dropna()
    if kind in "biuf" or (len(given) and all(isinstance(value, bool) for value in given)):
        return column
    if all(isinstance(value, int) for value in given):  # too long for any integer type
        return column.map(str, na_action="ignore")
    if not text:
        found = spelling.numbers(column, decimal=layout.decimal)
        if found is not None:
            return found
        if given.str.lower().isin(["true", "false"]).all():
            return column.str.lower().map({"true": True, "false": False})
    stripped = column.astype(object).str.strip()
    return stripped.where(stripped != "", None)
