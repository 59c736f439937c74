"""The report that a statistician reads in a terminal."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayescore.model.data import spread
from bayescore.printable import everywhere

Document = Mapping[str, Any]

_MOST_PARAMETERS = 30
_MOST_ROWS = 12
_MOST_PREDICTIONS = 5
_STYLES = {"agree": "bold green", "disagree": "bold red", "inconclusive": "bold yellow", "incomplete": "bold magenta"}
_STATISTICS = {
    "sd_in_family": "sd, of its family's best",
    "shape_in_family": "shape, of its family's best",
}


def plain_console(**settings: Any) -> Console:
    """A console that takes every text as it stands: ``[red]`` and ``:b:`` stay what they are."""
    return Console(markup=False, emoji=False, highlight=False, **settings)


def render(document: Document, *, width: int = 110) -> str:
    """The report as plain text."""
    stream = io.StringIO()
    show(document, plain_console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def show(document: Document, console: Console) -> None:
    """Print the report; nothing that a name, a level or a plugin says acts on the terminal."""
    document = everywhere(dict(document), of_lines=("model",))
    _problem(document, console)
    if document["model_check"]:
        _section(console, "Model: log density against the specification", _model(document))
    if document["parameters"]:
        _section(console, "Posterior", _parameters(document))
    for pair in document["pairs"]:
        if pair["rows"]:
            _section(console, f"{pair['a']} and {pair['b']}: {pair['verdict']}", _pair(pair), _beside(pair))
    if document["predictions"]:
        total = 1 + max(row["row"] for row in document["predictions"])
        _section(
            console, f"Predictions of the expected response, mean ± sd, {total} rows", _predictions(document, total)
        )
    refitted = [f"{c['name']}: refitted: {c['refitted']}" for c in document["contenders"] if c.get("refitted")]
    _section(console, "Seconds and memory", _contenders(document), "\n".join(refitted))
    _verdict(document, console)


def _section(console: Console, title: str, table: Table, note: str = "") -> None:
    console.print(Text(title, style="bold"))
    console.print(table)
    if note:
        console.print(Text(note))
    console.print()


def _table(*columns: str, left: int = 1) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=index >= left, overflow="fold")
    return table


def _problem(document: Document, console: Console) -> None:
    problem = document["problem"]
    formula = f"{problem['formula']}, " if problem["formula"] else ""
    console.print(Text.assemble(("Problem", "bold"), f"  {formula}{problem['rows']} rows of {problem['source']}"))
    for line in problem["model"].split("\n"):
        console.print(Text(f"  {line}"))
    for note in problem["notes"]:
        console.print(Text(f"note: {note}"))
    for warning in problem["warnings"]:
        console.print(Text(f"warning: {warning}", style="yellow"))
    console.print()


def _model(document: Document) -> Table:
    table = _table("contender", "model", "spread [nat]", "gradient", "constant [nat]", "where it differs")
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    for check in document["model_check"]:
        figures = [_scientific(check[key]) for key in ("spread", "gradient_spread", "constant")]
        where = ": ".join(part for part in (check["site"], check["pattern"]) if part)
        table.add_row(Text(check["contender"]), check["verdict"], *figures, Text(where))
    return table


def _scientific(value: float | None) -> str:
    return "" if value is None else f"{value:.1g}"


def _parameters(document: Document) -> Table:
    table = _table("parameter", "contender", "mean", "sd", "MCSE", "5 %", "95 %", "ESS", "R-hat", left=2)
    rows = document["parameters"]
    exact = {contender["name"] for contender in document["contenders"] if contender.get("kind") == "exact"}
    names = list(dict.fromkeys(row["name"] for row in rows))
    for name in names[:_MOST_PARAMETERS]:
        shown = name
        for row in rows:
            if row["name"] == name:
                table.add_row(Text(shown), Text(row["contender"]), *_figures(row, row["contender"] in exact))
                shown = ""
    if len(names) > _MOST_PARAMETERS:
        table.add_row(Text(f"and {len(names) - _MOST_PARAMETERS} more (--json has them all)"))
    return table


def _figures(row: Document, exact: bool) -> list[str]:
    digits = _digits(row["sd"])
    ess = None if row["ess_bulk"] is None else min(row["ess_bulk"], row["ess_tail"] or row["ess_bulk"])
    return [
        _number(row["mean"], digits),
        _number(row["sd"], digits),
        "exact" if exact else _number(row["mcse_mean"], digits),
        _number(row["q05"], digits),
        _number(row["q95"], digits),
        _number(ess, 0),
        _number(row["rhat"], 3),
    ]


def _digits(sd: float | None) -> int:
    """Decimals that show the sd with three digits."""
    if not sd:
        return 4
    exponent = int(f"{sd:e}".split("e")[1])
    return min(max(2 - exponent, 0), 10)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _pair(pair: Document) -> Table:
    table = _table("quantity", "of", "difference", "± se", "90 % interval", "ratio", "verdict", left=2)
    rows = (
        sorted(pair["rows"], key=_reach, reverse=True)[:_MOST_ROWS]
        if len(pair["rows"]) > 2 * _MOST_ROWS
        else pair["rows"]
    )
    for row in rows:
        table.add_row(Text(row["quantity"]), _of(row), *_difference(row))
    if len(rows) < len(pair["rows"]):
        table.add_row(f"the {len(rows)} largest of {len(pair['rows'])}")
    return table


def _of(row: Document) -> str:
    """What a row compares."""
    what = _STATISTICS.get(row["statistic"], str(row["statistic"]))
    return what if row.get("level") is None else f"{what} at {100 * row['level']:g} %"


def _beside(pair: Document) -> str:
    """What is reported beside the rows, and does not decide."""
    parts = []
    shape, predictions = pair.get("shape"), pair.get("predictions")
    if shape:
        parts.append(f"energy distance {shape['energy_distance']:.4f} (p {shape['energy_p']:.2f})")
        parts.append(f"5 % and 95 % quantiles within {shape['quantile_difference_sd']:.3f} sd ({shape['quantile']})")
    if predictions and predictions["max_difference_sd"] is not None:
        parts.append(f"predicted means within {predictions['max_difference_sd']:.3f} sd")
    if predictions and predictions.get("mse_difference") is not None:
        parts.append(f"MSE {predictions['mse_difference']:+.2g} ± {predictions['mse_se']:.1g}")
    if predictions and predictions.get("lpd_difference") is not None:
        parts.append(f"log predictive density {predictions['lpd_difference']:+.2g} ± {predictions['lpd_se']:.1g}")
    return "beside: " + "; ".join(parts) if parts else ""


def _reach(row: Document) -> float:
    ends = [abs(row[end]) for end in ("lower", "upper") if row[end] is not None]
    return max(ends, default=float("inf"))


def _difference(row: Document) -> list[str]:
    from math import exp

    def signed(value: float | None) -> str:
        return "?" if value is None else f"{value:+.3f}"

    is_ratio = row["statistic"] in {"sd", "sd_in_family"} and row["difference"] is not None
    ratio = f"{exp(row['difference']):.3f}" if is_ratio else ""
    expected = f" ({row['expected_ratio']:.2f})" if row["expected_ratio"] is not None else ""
    return [
        signed(row["difference"]),
        "?" if row["se"] is None else f"{row['se']:.3f}",
        f"[{signed(row['lower'])}, {signed(row['upper'])}]",
        ratio,
        row["verdict"] + expected,
    ]


def _predictions(document: Document, total: int) -> Table:
    names = list(dict.fromkeys(row["contender"] for row in document["predictions"]))
    table = _table("row", *names)
    found = {(row["row"], row.get("category"), row["contender"]): row for row in document["predictions"]}
    categories = list(dict.fromkeys(row.get("category") for row in document["predictions"]))
    for index in spread(total, _MOST_PREDICTIONS).tolist():
        for category in categories:
            rows = [found.get((index, category, name)) for name in names]
            label = str(index + 1) if category is None else f"{index + 1} {category}"
            table.add_row(label, *("" if row is None else _mean_and_sd(row) for row in rows))
    scores = {score["contender"]: score for score in document["scores"]}
    for key, words in (("mse", "MSE of the mean"), ("lpd", "log predictive density")):
        if any(score.get(key) is not None for score in scores.values()):
            table.add_row(words, *(_score(scores.get(name, {}), key) for name in names))
    return table


def _score(score: Document, key: str) -> str:
    if score.get(key) is None:
        return ""
    error = score.get(f"{key}_error")
    return f"{score[key]:.4g} ± {error:.1g}" if error else f"{score[key]:.4g}"


def _mean_and_sd(row: Document) -> str:
    digits = _digits(row["sd"])
    return f"{row['mean']:.{digits}f} ± {row['sd']:.{digits}f}" if row["sd"] else f"{row['mean']:.{digits}f}"


def _contenders(document: Document) -> Table:
    phases = ("import", "build_data", "fit", "sample_posterior", "predict")
    heads = ("import", "data", "fit", "sample", "predict")
    table = _table("contender", "from", *heads, "total", "MiB", "diagnosis", left=2)
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    for contender in document["contenders"]:
        seconds = contender["seconds"]
        spent = [_number(seconds.get(phase), 2) for phase in phases]
        total = _number(sum(seconds.get(phase) or 0.0 for phase in phases), 2) if seconds else ""
        memory = contender["peak_memory_bytes"]
        table.add_row(
            Text(contender["name"]),
            Text(f"{contender.get('distribution') or ''} {contender.get('version') or ''}".strip()),
            *spent,
            total,
            "" if memory is None else f"{memory / 2**20:.0f}",
            _diagnosis(contender),
        )
    return table


def _diagnosis(contender: Document) -> Text:
    if contender["status"] != "ok":
        return Text(f"{contender['status']}: {contender['error']}", style="red")
    figures = contender["diagnostics"]
    parts = []
    if figures.get("rhat_max") is not None:
        parts.append(f"R-hat {figures['rhat_max']:.3f}, ESS {figures['ess_bulk_min']:.0f}")
    if figures.get("divergences") is not None:
        parts.append(f"{figures['divergences']:.0f} divergences")
    if figures.get("svi_error_max") is not None:
        parts.append(f"iterates: R-hat {figures['svi_rhat_max']:.2f}, error {figures['svi_error_max']:.3f} sd")
    if figures.get("elbo") is not None:
        parts.append(f"ELBO {figures['elbo']:.3f}")
    if figures.get("kl_gap") is not None:
        parts.append(f"KL gap {round(figures['kl_gap'], 3) + 0.0:.3f}")
    if figures.get("pareto_k") is not None:
        parts.append(f"k {figures['pareto_k']:.2f}")
    if figures.get("log_evidence") is not None:
        parts.append(f"log evidence {figures['log_evidence']:.4f}")
    if figures.get("quadrature_error") is not None:
        parts.append(f"quadrature error {figures['quadrature_error']:.0e} sd")
    if contender["healthy"] is None:
        return Text("")
    state = "ok" if contender["healthy"] else "not converged"
    return Text("; ".join([state, *parts]))


def _verdict(document: Document, console: Console) -> None:
    verdict = document["verdict"]
    text = Text(f"{verdict.upper()}", style=_STYLES[verdict])
    text.append(f"  {sentence(document)}", style="default")
    console.print(text)
    for pair in document["pairs"]:
        if pair.get("summary"):
            console.print(Text(f"  {pair['a']} and {pair['b']}: {pair['summary']}"))
    for reason in document["reasons"]:
        console.print(Text(f"  {reason['code']}: {reason['text']}"))


def sentence(document: Document) -> str:
    """The verdict in one sentence."""
    done = [c["name"] for c in document["contenders"] if c["status"] == "ok"]
    margin = document["settings"]["margin"]
    judged = [pair for pair in document["pairs"] if pair["verdict"] != "not-comparable"]
    count = max((len(pair["rows"]) for pair in judged), default=0)
    shapes = [row["margin"] for pair in judged for row in pair["rows"] if row["statistic"] == "shape"]
    shape = f" ({max(shapes):g} for shapes)" if shapes else ""
    rule = f"margin {margin:g} posterior sd{shape}, {count} quantities a pair, {_checked(document, done)}"
    match document["verdict"]:
        case "agree" if document["settings"]["model_only"]:
            return f"{_list(done)} have the same model."
        case "agree":
            return f"{_found(document, judged)} ({rule})."
        case "disagree" if not judged:
            wrong = [check["contender"] for check in document["model_check"] if check["verdict"] == "different"]
            return f"{_list(wrong)} {'has' if len(wrong) == 1 else 'have'} another model than the one that was stated."
        case "disagree":
            pairs = [f"{p['a']} and {p['b']}" for p in judged if p["verdict"] == "disagree"]
            return f"{_list(pairs)} did not find the same posterior ({rule})."
        case "incomplete":
            lost = [c["name"] for c in document["contenders"] if c["status"] != "ok"]
            return f"{_list(lost)} could not be run; the others' results stand."
    return f"it can't be told whether {_list(done)} agree." if len(done) > 1 else "there is nothing to compare."


def _checked(document: Document, done: Sequence[str]) -> str:
    """Whose model was held against the specification, and at how many points."""
    points = {check["contender"]: check["points"] for check in document["model_check"]}
    unchecked = [name for name in done if not points.get(name)]
    if len(unchecked) == len(done):
        return "model not checked"
    least = min(points[name] for name in done if name not in unchecked)
    return f"model checked at {least} points" + (f", but not that of {_list(unchecked)}" if unchecked else "")


def _found(document: Document, judged: Sequence[Document]) -> str:
    """Who found the same as whom, of those that were judged; and who was not."""
    names = [c["name"] for c in document["contenders"] if c["status"] == "ok"]
    groups: list[set[str]] = []
    for pair in judged:
        members = {pair["a"], pair["b"]}
        groups = [g for g in groups if not g & members] + [members.union(*(g for g in groups if g & members))]
    points = {c["name"]: c["method"].split("(")[0] in {"mle", "map"} for c in document["contenders"]}
    parts = []
    for group in sorted(groups, key=lambda g: min(map(names.index, g))):
        members_ = [name for name in names if name in group]
        parts.append(f"{_list(members_)} found the same {'maximum' if points[members_[0]] else 'posterior'}")
    alone = [name for name in names if not any(name in group for group in groups)]
    if alone:
        parts.append(f"{_list(alone)} {'was' if len(alone) == 1 else 'were'} not judged")
    return "; ".join(parts)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else "none"
