"""The document of one fit, and its report."""

import io
from typing import Any, Final, Literal, TypedDict, cast

from rich.console import Console
from rich.text import Text

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.printable import everywhere
from bayescore.report.document import (
    ContenderEntry,
    EnvironmentEntry,
    ModelEntry,
    ParameterEntry,
    PredictionEntry,
    ProblemEntry,
    ReasonEntry,
    ScoreEntry,
    SettingsEntry,
)
from bayescore.report.model_text import folded
from bayescore.report.tables import Column, Line, Table
from bayescore.report.terminal import plain_console, render_table
from bayescore.report.words import diagnosis, digits, number

SCHEMA: Final = "bayescore.fit/1"
_MOST_PARAMETERS = 40


class FitDocument(TypedDict):
    """A fit: the parts of a comparison's document that one contender has, and whether it is healthy.

    What is NaN or infinite is None.
    """

    schema: Literal["bayescore.fit/1"]
    healthy: bool
    reasons: list[ReasonEntry]
    problem: ProblemEntry
    settings: SettingsEntry
    environment: EnvironmentEntry
    contenders: list[ContenderEntry]
    parameters: list[ParameterEntry]
    model_check: list[ModelEntry]
    predictions: list[PredictionEntry]
    scores: list[ScoreEntry]


def show(document: FitDocument, console: Console) -> None:
    """Print the report: the model, the posterior, and what is known of its health."""
    shown = cast(FitDocument, everywhere(cast("dict[str, Any]", dict(document)), of_lines=("model",)))
    _statement(shown, console)
    console.print(Text(render_table(posterior(shown), width=console.width)))
    more = len(shown["parameters"]) - _MOST_PARAMETERS
    if more > 0:
        console.print(Text(f"and {more} more (--json has them all)"))
    console.print()
    _closing(shown, console)


def render(document: FitDocument, *, width: int = 110) -> str:
    """The report as plain text."""
    stream = io.StringIO()
    show(document, plain_console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def posterior(document: FitDocument) -> Table:
    """A line for each parameter, at most so many."""
    exact = document["contenders"][0]["kind"] == "exact"
    lines = [Line((row["name"], *_figures(row, exact))) for row in document["parameters"][:_MOST_PARAMETERS]]
    heads = ("mean", "sd", "MCSE", "5 %", "50 %", "95 %", "ESS", "R-hat")
    return Table((Column("parameter", "name"), *map(Column, heads)), tuple(lines))


def _figures(row: ParameterEntry, exact: bool) -> list[str]:
    decimals = digits(row["sd"])
    keys: tuple[Literal["mean", "sd", "mcse_mean", "q05", "q50", "q95"], ...]
    keys = ("mean", "sd", "mcse_mean", "q05", "q50", "q95")
    mean, sd, error, *quantiles = (number(row[key], decimals) for key in keys)
    ess = min((size for size in (row["ess_bulk"], row["ess_tail"]) if size is not None), default=None)
    return [mean, sd, "exact" if exact else error, *quantiles, number(ess, 0), number(row["rhat"], 3)]


def _statement(document: FitDocument, console: Console) -> None:
    problem, contender = document["problem"], document["contenders"][0]
    formula = f"{problem['formula']}, " if problem["formula"] else ""
    what = f"  {formula}{problem['rows']} rows of {problem['source']}, by {contender['name']}"
    console.print(Text.assemble(("Fit", "bold"), what))
    for line in folded(problem):
        console.print(Text(f"  {line}"))
    for note in problem["notes"]:
        console.print(Text(f"note: {note}"))
    for warning in problem["warnings"]:
        console.print(Text(f"warning: {warning}", style="yellow"))
    console.print()


def _closing(document: FitDocument, console: Console) -> None:
    contender = document["contenders"][0]
    seconds = sum(value for value in contender["seconds"].values() if value is not None)
    head, style = ("HEALTHY", "bold green") if document["healthy"] else ("UNHEALTHY", "bold yellow")
    figures = diagnosis(contender).split("; ")[1:]  # whether it is healthy is said before them
    said = "; ".join([*figures, f"{seconds:.1f} s"])
    console.print(Text.assemble((head, style), f"  {contender['name']}: {said}"))
    if contender.get("refitted"):
        console.print(Text(f"  refitted: {contender['refitted']}"))
    for reason in document["reasons"]:
        console.print(Text(f"  {reason['code']}: {reason['text']}"))
    for code in dict.fromkeys(reason["code"] for reason in document["reasons"]):
        if code in EXPLANATIONS:
            console.print(Text(f"  next, for {code}: {EXPLANATIONS[code].remedy}"))
