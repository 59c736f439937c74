"""The report that a statistician reads in a terminal."""

import io
import shutil
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from bayescore.report.content import Closing, Content, Heading, Section, content
from bayescore.report.document import Document
from bayescore.report.layout import fit
from bayescore.report.short import short
from bayescore.report.tables import Table

_STYLES = {"agree": "bold green", "disagree": "bold red", "inconclusive": "bold yellow", "incomplete": "bold magenta"}

_SCREEN = 45
"""Lines of the short report at the usual width; where it is narrower as much text takes more."""
_USUAL, _NARROWEST = 100, 40
"""Columns where nobody says how many there are, and at least."""


def plain_console(**settings: Any) -> Console:
    """A console that takes every text as it stands: ``[red]`` and ``:b:`` stay what they are."""
    return Console(markup=False, emoji=False, highlight=False, **settings)


def window() -> int:
    """How wide to print: as wide as the terminal, or as ``COLUMNS`` says, in a pipe too."""
    return max(_NARROWEST, shutil.get_terminal_size((_USUAL, 24)).columns)


def render(document: Document, *, width: int | None = None, full: bool = False) -> str:
    """The report as plain text."""
    stream = io.StringIO()
    show(document, plain_console(file=stream, width=width or window(), color_system=None), full=full)
    return stream.getvalue()


def render_table(table: Table, *, width: int = 110) -> str:
    """A table as plain text."""
    console = plain_console(width=width, color_system=None)
    with console.capture() as captured:
        _table(table, console, clip=False)
    return _without_ends(captured.get()).removesuffix("\n")


def show(document: Document, console: Console, *, full: bool = False) -> None:
    """Print the report: one screen of it, or all."""

    def printed(said: Content) -> str:
        with console.capture() as captured:
            _show(said, console, clip=not full)
        return _without_ends(captured.get())

    most = _SCREEN * max(1.0, _USUAL / console.width)
    said = content(document) if full else short(document, lambda said: printed(said).count("\n") <= most)
    console.file.write(printed(said))


def _without_ends(text: str) -> str:
    """Lines without the spaces that fill them."""
    return "".join(f"{line.rstrip(' ')}\n" for line in text.removesuffix("\n").split("\n"))


def _show(said: Content, console: Console, *, clip: bool) -> None:
    _statement(said.statement, console)
    for name, stands_for in said.legend:
        console.print(Text(f"{name} is {stands_for}"))
    if said.legend:
        console.print()
    for section in said.sections:
        _section(section, console, clip=clip)
    _conclusion(said.conclusion, console)


def _statement(statement: Heading, console: Console) -> None:
    console.print(Text.assemble(("Problem", "bold"), f"  {statement.data}"))
    for line in statement.model:
        console.print(Text(f"  {line}"))
    for note in statement.notes:
        console.print(Text(f"note: {note}"))
    for warning in statement.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))
    console.print()


def _section(section: Section, console: Console, *, clip: bool) -> None:
    console.print(Text(section.title, style="bold"))
    left_out = _table(section.table, console, clip=clip)
    told = [f"left out for want of width: {', '.join(left_out)}"] if left_out else []
    for line in "; ".join([*told, *([section.note] if section.note else [])]).splitlines():
        console.print(Text(line))
    if section.words:
        console.print(Text("; ".join(f"{word}: {meaning}" for word, meaning in section.words), style="dim"))
    console.print()


def _table(table: Table, console: Console, *, clip: bool) -> Sequence[str]:
    """Print a table; tell which of its columns were left out."""
    fitted = fit(table, console.width, clip=clip)
    for part in fitted.parts:
        console.print(part)
    for line in fitted.after:
        console.print(Text(line))
    return fitted.left_out


def _conclusion(conclusion: Closing, console: Console) -> None:
    text = Text(conclusion.verdict.upper(), style=_STYLES[conclusion.verdict])
    text.append(f"  {conclusion.sentence}", style="default")
    console.print(text)
    for remark in conclusion.remarks:
        console.print(Text(f"  {remark}"))
