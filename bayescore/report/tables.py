"""The tables of a report: what stands in each, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bayescore.model.data import spread
from bayescore.report.document import Document, PairEntry, ParameterEntry, RowEntry, ScoreEntry
from bayescore.report.furthest import reach
from bayescore.report.words import (
    compared,
    diagnosis,
    digits,
    figure,
    mean_and_sd,
    number,
    ratio,
    score,
    signed,
)

_MOST_PARAMETERS = 30
_MOST_ROWS = 12
_MOST_PREDICTIONS = 5
_PHASES = {"import": "import", "build_data": "data", "fit": "fit", "sample_posterior": "sample", "predict": "predict"}


@dataclass(frozen=True)
class Column:
    """A column's head, and what it holds: a name, figures that line up, or words that may take several lines.

    One to ``spare`` is left out where the table is too wide otherwise.
    """

    head: str
    holds: Literal["name", "figure", "words"] = "figure"
    spare: bool = False


@dataclass(frozen=True)
class Line:
    """A line's cells, none left out but at its end; ``lost`` where it tells of a failure."""

    cells: tuple[str, ...]
    lost: bool = False


@dataclass(frozen=True)
class Table:
    """Heads and lines."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def _columns(names: Sequence[str], figures: Sequence[str], words: Sequence[str] = ()) -> tuple[Column, ...]:
    kinds: tuple[tuple[Sequence[str], Literal["name", "figure", "words"]], ...]
    kinds = ((names, "name"), (figures, "figure"), (words, "words"))
    return tuple(Column(head, holds) for heads, holds in kinds for head in heads)


def models(document: Document) -> Table:
    """How each log density compares with what it is held against."""
    lines = []
    for check in document["model_check"]:
        figures = [figure(check[key], ".1g", "") for key in ("spread", "gradient_spread", "constant")]
        where = ": ".join(part for part in (check["site"], check["pattern"]) if part)
        lines.append(Line((check["contender"], check["verdict"], *figures, where)))
    heads = ("model", "spread [nat]", "gradient", "constant [nat]")
    return Table(_columns(["contender"], heads, ["where it differs"]), tuple(lines))


def parameters(document: Document) -> Table:
    """Each parameter of each posterior."""
    rows = document["parameters"]
    exact = {contender["name"] for contender in document["contenders"] if contender.get("kind") == "exact"}
    every = list(dict.fromkeys(row["name"] for row in rows))
    lines = []
    for name in every[:_MOST_PARAMETERS]:
        shown = name
        for row in rows:
            if row["name"] == name:
                lines.append(Line((shown, row["contender"], *_of_parameter(row, row["contender"] in exact))))
                shown = ""
    if len(every) > _MOST_PARAMETERS:
        lines.append(Line((f"and {len(every) - _MOST_PARAMETERS} more (--json has them all)",)))
    heads = ("mean", "sd", "MCSE", "5 %", "95 %", "ESS", "R-hat")
    return Table(_columns(("parameter", "contender"), heads), tuple(lines))


def _of_parameter(row: ParameterEntry, exact: bool) -> list[str]:
    decimals = digits(row["sd"])
    ess = None if row["ess_bulk"] is None else min(row["ess_bulk"], row["ess_tail"] or row["ess_bulk"])
    return [
        number(row["mean"], decimals),
        number(row["sd"], decimals),
        "exact" if exact else number(row["mcse_mean"], decimals),
        number(row["q05"], decimals),
        number(row["q95"], decimals),
        number(ess, 0),
        number(row["rhat"], 3),
    ]


def differences(pair: PairEntry) -> Table:
    """The rows of a pair; of many the largest."""
    rows = pair["rows"]
    if len(rows) > 2 * _MOST_ROWS:
        rows = sorted(rows, key=reach, reverse=True)[:_MOST_ROWS]
    lines = [Line((row["quantity"], compared(row), *_of_difference(row))) for row in rows]
    if len(rows) < len(pair["rows"]):
        lines.append(Line((f"the {len(rows)} largest of {len(pair['rows'])}",)))
    heads = ("difference", "± se", "90 % interval", "ratio", "verdict")
    return Table(_columns(("quantity", "of"), heads), tuple(lines))


def _of_difference(row: RowEntry) -> list[str]:
    expected = f" ({row['expected_ratio']:.2f})" if row["expected_ratio"] is not None else ""
    return [
        signed(row["difference"]),
        figure(row["se"], ".3f"),
        f"[{signed(row['lower'])}, {signed(row['upper'])}]",
        ratio(row),
        row["verdict"] + expected,
    ]


def predictions(document: Document) -> Table:
    """Some of the predicted rows, and the scores of all."""
    rows = document["predictions"]
    who = list(dict.fromkeys(row["contender"] for row in rows))
    found = {(row["row"], row.get("category"), row["contender"]): row for row in rows}
    categories = list(dict.fromkeys(row.get("category") for row in rows))
    lines = []
    for index in spread(predicted(document), _MOST_PREDICTIONS).tolist():
        for category in categories:
            drawn = [found.get((index, category, name)) for name in who]
            label = str(index + 1) if category is None else f"{index + 1} {category}"
            lines.append(Line((label, *("" if row is None else mean_and_sd(row) for row in drawn))))
    return Table(_columns(["row"], who), (*lines, *_scores(document["scores"], who)))


def predicted(document: Document) -> int:
    """How many rows were predicted."""
    return 1 + max(row["row"] for row in document["predictions"])


def _scores(scores: Sequence[ScoreEntry], who: Sequence[str]) -> list[Line]:
    known = {entry["contender"]: entry for entry in scores}
    mse = [(entry.get("mse"), entry.get("mse_error")) if (entry := known.get(name)) else (None, None) for name in who]
    lpd = [(entry.get("lpd"), entry.get("lpd_error")) if (entry := known.get(name)) else (None, None) for name in who]
    return [
        Line((words, *(score(value, error) for value, error in values)))
        for words, values in (("MSE of the mean", mse), ("log predictive density", lpd))
        if any(value is not None for value, _ in values)
    ]


def contenders(document: Document) -> Table:
    """Where each comes from, what it took, and how it went."""
    lines = []
    for contender in document["contenders"]:
        seconds, memory = contender["seconds"], contender["peak_memory_bytes"]
        origin = f"{contender.get('distribution') or ''} {contender.get('version') or ''}".strip()
        spent = [number(seconds.get(phase), 2) for phase in _PHASES]
        total = number(sum(seconds.get(phase) or 0.0 for phase in _PHASES), 2) if seconds else ""
        megabytes = "" if memory is None else f"{memory / 2**20:.0f}"
        cells = (contender["name"], origin, *spent, total, megabytes, diagnosis(contender))
        lines.append(Line(cells, lost=contender["status"] != "ok"))
    heads = (*_PHASES.values(), "total", "MiB")
    return Table(_columns(("contender", "from"), heads, ["diagnosis"]), tuple(lines))
