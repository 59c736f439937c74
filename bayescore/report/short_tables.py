"""The tables of the report of one screen, each with a note of what was left out of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from bayescore.report.document import (
    ContenderEntry,
    Document,
    PairEntry,
    ParameterEntry,
    RowEntry,
)
from bayescore.report.furthest import decisive, reach
from bayescore.report.tables import Column, Line, Table
from bayescore.report.words import compared, counted, mean_and_sd, number, signed

_T = TypeVar("_T")
_MOST_COLUMNS = 6
_SEVERITY = {"disagree": 0, "inconclusive": 1, "agree": 2, "not-comparable": 3}
_FULL = "(--full)"


def _worst(every: Sequence[_T], most: int, key: Callable[[_T], tuple[int, ...]]) -> list[_T]:
    """Of too many those that are first by a key, in the order that they have."""
    chosen = sorted(range(len(every)), key=lambda k: key(every[k]))[:most]
    return [every[k] for k in sorted(chosen)]


def contenders(document: Document, most: int) -> tuple[Table, str]:
    """A line a contender: its fit, its model, its draws' worth, what it took."""
    every = document["contenders"]
    model = {check["contender"]: check["verdict"] for check in document["model_check"]}
    shown = _worst(
        every, most, lambda c: (c["status"] == "ok", c["healthy"] is not False, model.get(c["name"]) == "same")
    )
    fitted = not document["settings"]["model_only"]
    methods = fitted and any(c["method"].partition("(")[0] not in c["name"] for c in shown)
    lines = []
    for c in shown:
        cells = [c["name"], *([c["method"]] if methods else []), _fit(c), model.get(c["name"], "")]
        lines.append(Line((*cells, *_figures(c)), lost=c["status"] != "ok"))
    named = [Column("contender", "name"), *([Column("method", "name", spare=True)] if methods else [])]
    columns = [*named, Column("fit", "name"), Column("model", "name")]
    columns += [Column("least ESS", spare=True), Column("worst R-hat", spare=True), Column("seconds", spare=True)]
    left = [c for c in every if c not in shown]
    told = Counter(_fit(c) or "not fitted" for c in left)
    note = f"and {counted(len(left), 'more contender')}: {_counts(told)} {_FULL}" if left else ""
    return _without_empty(Table(tuple(columns), tuple(lines))), note


def _fit(contender: ContenderEntry) -> str:
    if contender["status"] != "ok":
        return contender["status"]
    return {True: "ok", False: "not converged", None: ""}[contender["healthy"]]


def _figures(contender: ContenderEntry) -> list[str]:
    found = contender["diagnostics"]
    ess = [e for e in (found.get("ess_bulk_min"), found.get("ess_tail_min")) if e is not None]
    rhat = found.get("rhat_max", found.get("svi_rhat_max"))
    seconds = [s for s in contender["seconds"].values() if s is not None]
    return [number(min(ess, default=None), 0), number(rhat, 3), number(sum(seconds), 1) if seconds else ""]


def pairs(document: Document, most: int) -> tuple[Table, str]:
    """A line a pair: its verdict, and the difference that decides."""
    every = document["pairs"]
    judged = [pair for pair in every if pair["verdict"] != "not-comparable"]
    shown = _worst(judged or every, most, lambda pair: (_SEVERITY[pair["verdict"]],))
    lines = []
    for pair in shown:
        row = decisive(pair)
        figures = ("", "", _unjudged(pair)) if row is None else (
            signed(row["difference"]), f"[{signed(row['lower'])}, {signed(row['upper'])}]",
            f"{row['quantity']}, {compared(row)}",
        )  # fmt: skip
        lines.append(Line((pair["a"], pair["b"], pair["verdict"], *figures)))
    named = [Column("pair", "name"), Column("", "name"), Column("verdict", "name")]
    columns = (*named, Column("difference"), Column("90 % interval", spare=True), Column("of", "name"))
    left: Counter[str] = Counter(str(pair["verdict"]) for pair in every if pair not in shown)
    note = f"and {counted(left.total(), 'more pair')}: {_counts(left)} {_FULL}" if left else ""
    return Table(columns, tuple(lines)), note


def _unjudged(pair: PairEntry) -> str:
    return ", ".join(dict.fromkeys(reason["code"] for reason in pair["reasons"]))


def parameters(document: Document, most: int) -> tuple[Table, str, str]:
    """Means and sds of the parameters that matter, and how far contenders are apart in each; with a title."""
    rows = document["parameters"]
    found = {(row["name"], row["contender"]): row for row in rows}
    every = list(dict.fromkeys(row["name"] for row in rows))
    distances = _furthest(document)
    apart, by = (
        {name: reach(distances[name]) for name in every if name in distances},
        "that are furthest apart",
    )
    if not apart:
        apart, by = _unmixed(rows), "with the largest R-hat"
    if not apart:
        by = "that come first"
    shown = every if len(every) <= most else sorted(every, key=lambda name: -apart.get(name, 0.0))[:most]
    who = _columns(document)
    lines = []
    for name in shown:
        cells = [_cell(found.get((name, contender))) for contender in who[:_MOST_COLUMNS]]
        row = distances.get(name)
        far = (
            ""
            if row is None or row["difference"] is None
            else f"{abs(row['difference']):.3f} ({row['statistic'].partition('_')[0]})"
        )
        lines.append(Line((name, *cells, far)))
    columns = [Column("parameter", "name"), *(Column(name, spare=k > 0) for k, name in enumerate(who[:_MOST_COLUMNS]))]
    table = _without_empty(Table((*columns, Column("apart")), tuple(lines)))
    title = "Posterior, mean ± sd" + ("" if len(shown) == len(every) else f": the {len(shown)} {by} of {len(every)}")
    left = len(who) - _MOST_COLUMNS
    return table, title, f"and {counted(left, 'more contender')} {_FULL}" if left > 0 else ""


def _cell(row: ParameterEntry | None) -> str:
    return "" if row is None else mean_and_sd(row)


def _furthest(document: Document) -> dict[str, RowEntry]:
    """Of each quantity, in all pairs, the row that counts whose interval reaches furthest."""
    found: dict[str, RowEntry] = {}
    for row in (row for pair in document["pairs"] for row in pair["rows"] if row["verdict"] != "expected"):
        known = found.get(row["quantity"])
        if known is None or reach(row) > reach(known):
            found[row["quantity"]] = row
    return found


def _unmixed(rows: Sequence[ParameterEntry]) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        if row["rhat"] is not None:
            found[row["name"]] = max(row["rhat"], found.get(row["name"], 0.0))
    return found


def _columns(document: Document) -> list[str]:
    """Contenders with parameters: exact first, then those of the pair that is furthest apart, then the others."""
    there = list(dict.fromkeys(row["contender"] for row in document["parameters"]))
    kinds = {c["name"]: c.get("kind") for c in document["contenders"]}
    worst = sorted(
        document["pairs"],
        key=lambda pair: (_SEVERITY[pair["verdict"]], -reach(row) if (row := decisive(pair)) else 0.0),
    )
    ordered = [name for name in there if kinds.get(name) == "exact"]
    ordered += [name for pair in worst for name in (pair["a"], pair["b"]) if name in there]
    return list(dict.fromkeys([*ordered, *there]))


def _counts(told: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in told.items())


def _without_empty(table: Table) -> Table:
    """The same without columns, but the first, that are empty in all lines."""
    kept = [k for k in range(len(table.columns)) if k == 0 or any(line.cells[k] for line in table.lines)]
    lines = (Line(tuple(line.cells[k] for k in kept), line.lost) for line in table.lines)
    return Table(tuple(table.columns[k] for k in kept), tuple(lines))
