"""The report that a statistician reads in a terminal."""

import io
from typing import Any, Literal

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from bayescore.report.content import Closing, Heading, Section, content
from bayescore.report.document import Document
from bayescore.report.tables import Table

_STYLES = {"agree": "bold green", "disagree": "bold red", "inconclusive": "bold yellow", "incomplete": "bold magenta"}


def plain_console(**settings: Any) -> Console:
    """A console that takes every text as it stands: ``[red]`` and ``:b:`` stay what they are."""
    return Console(markup=False, emoji=False, highlight=False, **settings)


def render(document: Document, *, width: int = 110) -> str:
    """The report as plain text."""
    stream = io.StringIO()
    show(document, plain_console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def render_table(table: Table, *, width: int = 110) -> str:
    """A table as plain text."""
    stream = io.StringIO()
    plain_console(file=stream, width=width, color_system=None).print(_table(table))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def show(document: Document, console: Console) -> None:
    """Print the report."""
    said = content(document)
    _statement(said.statement, console)
    for name, stands_for in said.legend:
        console.print(Text(f"{name} is {stands_for}"))
    if said.legend:
        console.print()
    for section in said.sections:
        _section(section, console)
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


def _section(section: Section, console: Console) -> None:
    console.print(Text(section.title, style="bold"))
    console.print(_table(section.table))
    if section.note:
        console.print(Text(section.note))
    if section.words:
        console.print(Text("; ".join(f"{word}: {meaning}" for word, meaning in section.words), style="dim"))
    console.print()


def _table(table: Table) -> RichTable:
    shown = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        figures = column.holds == "figure"
        justify: Literal["left", "right"] = "right" if figures else "left"
        shown.add_column(column.head, justify=justify, no_wrap=figures, overflow="fold")
    for line in table.lines:
        *cells, last = line.cells
        shown.add_row(*map(Text, cells), Text(last, style="red" if line.lost else ""))
    return shown


def _conclusion(conclusion: Closing, console: Console) -> None:
    text = Text(conclusion.verdict.upper(), style=_STYLES[conclusion.verdict])
    text.append(f"  {conclusion.sentence}", style="default")
    console.print(text)
    for remark in conclusion.remarks:
        console.print(Text(f"  {remark}"))
