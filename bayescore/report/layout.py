"""A table within a width: no word is broken and no figure cut off; what does not fit stands below, or is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.table import Table as RichTable
from rich.text import Text

from bayescore.report.tables import Column, Line, Table

_GAP = 2
_LEAST_WORDS = 24
"""Cells that words are given at least, where they need as many."""


@dataclass(frozen=True)
class Fitted:
    """Parts of a table to be printed below one another, what follows them, and heads of columns left out."""

    parts: tuple[RichTable, ...]
    after: tuple[str, ...]
    left_out: tuple[str, ...]


def fit(table: Table, width: int, *, clip: bool) -> Fitted:
    """Lay a table out.

    Parameters
    ----------
    clip
        Whether a name that takes more than a share of the width loses its middle; else it takes several lines.
    """
    lines = [line for line in table.lines if len(line.cells) > 1]
    after = tuple(line.cells[0] for line in table.lines if len(line.cells) == 1)
    spare = [k for k, column in enumerate(table.columns) if column.spare]
    shares = [(2, 0), (3, 0), *((3, k + 1) for k in range(len(spare))), (4, len(spare)), (5, len(spare))]
    for share, fewer in shares if clip else [(2, 0)]:
        most = max(12, width // share)
        cells = [[_cell(line, k, c, most if clip else None) for line in lines] for k, c in enumerate(table.columns)]
        natural = [_natural(column, of, most) for column, of in zip(table.columns, cells, strict=True)]
        needed = [
            min(n, _LEAST_WORDS) if c.holds == "words" else n for n, c in zip(natural, table.columns, strict=True)
        ]
        kept = [k for k in range(len(table.columns)) if k not in spare[len(spare) - fewer :]]
        if _total(needed, kept) <= width:
            break
    left_out = tuple(column.head for k, column in enumerate(table.columns) if k not in kept)
    parts = [_part(table, lines, cells, natural, some, width) for some in _blocks(needed, kept, width)]
    return Fitted(tuple(parts), after, left_out)


def _natural(column: Column, cells: Sequence[str], most: int) -> int:
    """How wide a column would be; a name is no wider than ``most``."""
    widest = max(map(cell_len, [column.head, *cells]))
    return min(most, widest) if column.holds == "name" else widest


def _cell(line: Line, k: int, column: Column, most: int | None) -> str:
    text = line.cells[k] if k < len(line.cells) else ""
    return text if most is None or column.holds != "name" else clipped(text, most)


def clipped(text: str, most: int) -> str:
    """A name without its middle, where it takes more than so many cells."""
    if cell_len(text) <= most:
        return text
    head, tail = "", ""
    while cell_len(head) + cell_len(tail) + 1 < most:
        longer = len(head) > len(tail)
        head, tail = (head, text[-len(tail) - 1] + tail) if longer else (head + text[len(head)], tail)
    while cell_len(head) + cell_len(tail) + 1 > most:
        head = head[:-1]
    return f"{head}…{tail}"


def _total(needed: Sequence[int], kept: Sequence[int]) -> int:
    return sum(needed[k] for k in kept) + _GAP * (len(kept) - 1)


def _blocks(needed: Sequence[int], kept: Sequence[int], width: int) -> Iterator[list[int]]:
    """Columns that fit beside one another; every block begins with the first."""
    block: list[int] = []
    for k in kept:
        if len(block) > 1 and _total(needed, [*block, k]) > width:
            yield block
            block = [kept[0]]
        block.append(k)
    yield block


def _part(
    table: Table,
    lines: Sequence[Line],
    cells: Sequence[Sequence[str]],
    natural: Sequence[int],
    some: list[int],
    width: int,
) -> RichTable:
    shown = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    words = [k for k in some if table.columns[k].holds == "words"]
    left = width - _total(natural, [k for k in some if k not in words]) - _GAP * len(words)
    for k in some:
        column = table.columns[k]
        justify: Literal["left", "right"] = "right" if column.holds == "figure" else "left"
        room = max(1, min(natural[k], left // len(words))) if k in words else natural[k]
        shown.add_column(column.head, justify=justify, width=room, overflow="fold")
    for row, line in enumerate(lines):
        *others, last = some
        style = "red" if line.lost else ""
        shown.add_row(*(Text(cells[k][row]) for k in others), Text(cells[last][row], style=style))
    return shown
