"""``bayescore prior``: what the priors alone expect, held against the data, before anything is fitted."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from bayescore.cli import flags, request
from bayescore.cli.output import ToJson
from bayescore.cli.statement import Statement
from bayescore.options import Option, Options
from bayescore.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from bayescore.regressions.prior import PriorPredictive
    from bayescore.regressions.problem import Problem

SCHEMA = "bayescore.prior/1"
_EPILOG = """\
exit codes: 0 done, 2 the request is wrong (nothing is written), 70 a fault of bayescore's own, 73 the result could not
be written to FILE.

example:
  bayescore prior --data kidiq.csv --formula "kid_score ~ mom_iq" --plot prior.png
"""


@dataclass(frozen=True)
class PriorOutput(Options):
    """What becomes of the draws."""

    draws: Annotated[
        Annotated[int, Meta(ge=1, le=100_000, description="a whole number from 1 to 100000")],
        Option("draws of the priors", "N", in_file=False),
    ] = 500
    json: ToJson = None
    plot: Annotated[
        str | None,
        Option("a picture of the draws over the data; needs bayescore[plots]", "FILE.png", in_file=False),
    ] = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_problem_file(parser)
    flags.add(parser.add_argument_group("problem"), Statement)
    flags.add(parser.add_argument_group("settings"), Settings, "seed")
    flags.add(parser.add_argument_group("result"), PriorOutput)


def run(options: argparse.Namespace) -> int:
    """Draw, report, and keep."""
    from bayescore.cli.keeping import check_files, exit_code, keep
    from bayescore.cli.looks import check_library
    from bayescore.report.terminal import plain_console

    output = PriorOutput(**flags.given(options, PriorOutput))
    base = request.Request(command="prior") if options.problem is None else request.read(options.problem)
    asked = base.over(flags.given(options, Statement, Settings))
    check_files({"--json": output.json, "--plot": output.plot}, [options.problem, *asked.files])
    if output.plot is not None:
        check_library("--plot")
    problem, seed = asked.problem(), asked.settings.seed
    found = problem.prior_predictive(output.draws, seed=seed)
    document = _document(problem, found, seed)
    unkept = []
    if output.json == "-":
        print(json.dumps(document, indent=1))
    else:
        _report(document, plain_console())
    if output.json not in {None, "-"}:
        unkept += keep(Path(str(output.json)), json.dumps(document, indent=1) + "\n")
    if output.plot is not None:
        from bayescore.pictures.library import png
        from bayescore.pictures.prior import picture

        unkept += keep(Path(output.plot), png(picture(found)))
    return exit_code(0, unkept)


def _document(problem: "Problem", found: "PriorPredictive", seed: int) -> dict[str, Any]:
    from bayescore.comparison.document import for_json

    rows = found.summary().to_dict(orient="index")
    return {
        "schema": SCHEMA,
        "problem": problem.described({}),
        "draws": found.drawn.shape[0],
        "seed": seed,
        "statistics": [for_json({"name": name, **row}) for name, row in rows.items()],
    }


def _report(document: dict[str, Any], console: "Console") -> None:
    """The model, and each statistic of the data beside those of the draws."""
    from bayescore.printable import everywhere
    from bayescore.report.model_text import folded
    from bayescore.report.tables import Column, Line, Table
    from bayescore.report.terminal import render_table

    shown = everywhere(document, of_lines=("model",))
    problem = shown["problem"]
    formula = f"{problem['formula']}, " if problem["formula"] else ""
    console.print(f"Prior  {formula}{problem['rows']} rows of {problem['source']}, {shown['draws']} draws")
    for line in folded(problem):
        console.print(f"  {line}")
    heads = ("data", "5 %", "50 %", "95 %", "share below")
    keys = ("data", "q05", "q50", "q95", "below")
    lines = [Line((row["name"], *(_figure(row[key]) for key in keys))) for row in shown["statistics"]]
    table = Table((Column(problem["response"], "name"), *map(Column, heads)), tuple(lines))
    console.print()
    console.print(render_table(table, width=console.width))
    odd = [row["name"] for row in shown["statistics"] if row["below"] is not None and not 0.01 < row["below"] < 0.99]
    console.print()
    console.print(
        f"The priors hardly expect the data's {', '.join(odd)}: 1 % of their draws or fewer reach as far."
        if odd
        else "The data are within what the priors expect."
    )


def _figure(value: float | None) -> str:
    return "beyond" if value is None else f"{value:.4g}"
