"""The tables of a page, whole: what is shown of each cell, and what it is sorted by."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bayescore.model.data import spread
from bayescore.report.document import Document, PairEntry, ParameterEntry, RowEntry
from bayescore.report.furthest import decisive, reach
from bayescore.report.tables import predicted
from bayescore.report.words import compared, diagnosis, digits, figure, mean_and_sd, number, ratio, score, signed

_MOST_PREDICTED = 200
_LONG = 30
_FAR = 1e300
"""What an unknown distance is sorted by: JSON has no infinity."""
_PHASES = {"import": "import", "build_data": "data", "fit": "fit", "sample_posterior": "draws", "predict": "predict"}
_STATES = {True: "healthy", False: "not healthy", None: "not judged"}
Kind = Literal["name", "figure", "words", "verdict"]


@dataclass(frozen=True)
class Cell:
    """A cell; ``key`` is what it is sorted by, where that isn't its text."""

    text: str
    kind: Kind
    key: float | None = None

    @property
    def look(self) -> str:
        """Its class in the style sheet, none for a figure; a long word may be broken anywhere."""
        long = max(map(len, self.text.split()), default=0) > _LONG
        return " ".join(([] if self.kind == "figure" else [self.kind]) + (["long"] if long else []))


@dataclass(frozen=True)
class Sheet:
    """A table: its caption, the heads of its columns, and its rows, of which the first cell is the head."""

    caption: str
    heads: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def texts(self) -> Iterator[str]:
        """All that it says."""
        yield self.caption
        yield from (head for head, _ in self.heads)
        yield from {cell.text for row in self.rows for cell in row}


def _sheet(caption: str, heads: Sequence[tuple[str, Kind]], rows: Iterable[Sequence[str | Cell]]) -> Sheet:
    kinds = [kind for _, kind in heads]
    cells = (
        tuple(c if isinstance(c, Cell) else Cell(c, kind) for c, kind in zip(row, kinds, strict=True)) for row in rows
    )
    return Sheet(caption, tuple(heads), tuple(cells))


def _figures(*heads: str) -> list[tuple[str, Kind]]:
    return [(head, "figure") for head in heads]


def models(document: Document) -> Sheet:
    """How each log density compares with what it is held against."""
    rows = []
    for check in document["model_check"]:
        figures = [figure(check[key], ".1g", "") for key in ("spread", "gradient_spread", "constant")]
        where = ": ".join(part for part in (check["site"], check["pattern"]) if part)
        rows.append((check["contender"], check["verdict"], str(check["points"]), *figures, where))
    heads: list[tuple[str, Kind]] = [
        ("contender", "name"),
        ("model", "verdict"),
        *_figures("points", "spread [nat]", "gradient", "constant [nat]"),
        ("where it differs", "words"),
    ]
    against = document["model_check"][0].get("against", "the specification") if rows else ""
    return _sheet(f"Log densities held against {against}", heads, rows)


def fits(document: Document) -> Sheet:
    """How each contender went."""
    rows = []
    for contender in document["contenders"]:
        state = _STATES[contender["healthy"]] if contender.get("kind") else "not fitted"
        state = state if contender["status"] == "ok" else contender["status"]
        origin = f"{contender.get('distribution') or ''} {contender.get('version') or ''}".strip()
        rows.append((contender["name"], state, diagnosis(contender), contender["method"], origin))
    heads: list[tuple[str, Kind]] = [
        ("contender", "name"),
        ("state", "verdict"),
        ("what was found", "words"),
        ("method", "words"),
        ("from", "words"),
    ]
    return _sheet("Every contender", heads, rows)


def pairs(document: Document) -> Sheet:
    """Each pair, with its largest difference."""
    rows = []
    for pair in document["pairs"]:
        worst = decisive(pair)
        where = "" if worst is None else f"{worst['quantity']}, {compared(worst)}"
        interval = Cell("", "figure") if worst is None else Cell(_interval(worst), "figure", min(reach(worst), _FAR))
        reasons = "; ".join(reason["text"] for reason in pair["reasons"]) or pair.get("summary") or ""
        rows.append((f"{pair['a']} and {pair['b']}", pair["verdict"], interval, where, reasons))
    heads: list[tuple[str, Kind]] = [
        ("pair", "name"),
        ("verdict", "verdict"),
        ("furthest difference [sd], with its 90 % interval", "figure"),
        ("of", "words"),
        ("why", "words"),
    ]
    return _sheet("Every pair, in posterior sds", heads, rows)


def _interval(row: RowEntry) -> str:
    return f"{signed(row['difference'])} [{signed(row['lower'])}, {signed(row['upper'])}]"


def differences(pair: PairEntry) -> Sheet:
    """All rows of a pair, the furthest first."""
    rows = [
        (
            row["quantity"],
            compared(row),
            signed(row["difference"]),
            figure(row["se"], ".3f"),
            signed(row["lower"]),
            signed(row["upper"]),
            figure(row.get("margin"), "g"),
            ratio(row),
            row["verdict"],
        )
        for row in sorted(pair["rows"], key=reach, reverse=True)
    ]
    heads: list[tuple[str, Kind]] = [
        ("quantity", "name"),
        ("of", "words"),
        *_figures("difference", "± se", "lower", "upper", "margin", "ratio of sds"),
        ("verdict", "verdict"),
    ]
    return _sheet(f"{pair['a']} and {pair['b']}: all differences, the furthest first", heads, rows)


def parameters(document: Document) -> Sheet:
    """Every parameter of every posterior."""
    exact = {contender["name"] for contender in document["contenders"] if contender.get("kind") == "exact"}
    order = {name: k for k, name in enumerate(dict.fromkeys(row["name"] for row in document["parameters"]))}
    rows = sorted(document["parameters"], key=lambda row: order[row["name"]])
    heads: list[tuple[str, Kind]] = [
        ("parameter", "name"),
        ("contender", "words"),
        *_figures("mean", "sd", "MCSE", "5 %", "median", "95 %", "ESS", "R-hat"),
    ]
    return _sheet("Posteriors", heads, [_parameter(row, row["contender"] in exact) for row in rows])


def _parameter(row: ParameterEntry, exact: bool) -> list[str | Cell]:
    decimals = digits(row["sd"])
    ess = None if row["ess_bulk"] is None else min(row["ess_bulk"], row["ess_tail"] or row["ess_bulk"])
    mcse = Cell("exact", "figure", 0.0) if exact else number(row["mcse_mean"], decimals)
    ends = [number(row[key], decimals) for key in ("q05", "q50", "q95")]
    found = [number(row["mean"], decimals), number(row["sd"], decimals), mcse, *ends, number(ess, 0)]
    return [row["name"], row["contender"], *found, number(row["rhat"], 3)]


def predictions(document: Document) -> Sheet:
    """Predicted rows, some of many."""
    who = list(dict.fromkeys(row["contender"] for row in document["predictions"]))
    found = {(row["row"], row.get("category"), row["contender"]): row for row in document["predictions"]}
    categories = list(dict.fromkeys(row.get("category") for row in document["predictions"]))
    rows = []
    for index in spread(predicted(document), _MOST_PREDICTED).tolist():
        for category in categories:
            label = Cell(str(index + 1) if category is None else f"{index + 1} {category}", "name", index)
            drawn = [found.get((index, category, name)) for name in who]
            cells = [
                Cell("" if r is None else mean_and_sd(r), "figure", None if r is None else r["mean"]) for r in drawn
            ]
            rows.append((label, *cells))
    count = predicted(document)
    of = f"{count} rows" if count <= _MOST_PREDICTED else f"{_MOST_PREDICTED} of {count} rows"
    return _sheet(f"The expected response, mean ± sd: {of}", [("row", "name"), *_figures(*who)], rows)


def scores(document: Document) -> Sheet:
    """How well predictions meet the known responses."""
    rows = [
        (
            entry["contender"],
            Cell(score(entry.get("mse"), entry.get("mse_error")), "figure", entry.get("mse")),
            Cell(score(entry.get("lpd"), entry.get("lpd_error")), "figure", entry.get("lpd")),
        )
        for entry in document["scores"]
    ]
    heads: list[tuple[str, Kind]] = [("contender", "name"), *_figures("MSE of the mean", "log predictive density")]
    return _sheet("Predictions held against the known responses, ± Monte Carlo error", heads, rows)


def cost(document: Document) -> Sheet:
    """What each contender took."""
    rows = []
    for contender in document["contenders"]:
        seconds, memory = contender["seconds"], contender["peak_memory_bytes"]
        spent = [number(seconds.get(phase), 2) for phase in _PHASES]
        total = number(sum(seconds.get(phase) or 0.0 for phase in _PHASES), 2) if seconds else ""
        rows.append((contender["name"], *spent, total, "" if memory is None else f"{memory / 2**20:.0f}"))
    heads: list[tuple[str, Kind]] = [("contender", "name"), *_figures(*_PHASES.values(), "total", "peak MiB")]
    return _sheet("Seconds by phase, and the memory of each contender's process", heads, rows)
