"""A document's figures and findings in words, the same in every report."""

from collections.abc import Sequence
from math import exp

from bayescore.report.document import ContenderEntry, Document, PairEntry, ParameterEntry, PredictionEntry, RowEntry

_STATISTICS = {
    "sd_in_family": "sd, of its family's best",
    "shape_in_family": "shape, of its family's best",
}


def digits(sd: float | None) -> int:
    """Decimals that show the sd with three digits."""
    if not sd:
        return 4
    exponent = int(f"{sd:e}".split("e")[1])
    return min(max(2 - exponent, 0), 10)


def figure(value: float | None, form: str, unknown: str = "?") -> str:
    """A figure as a format has it; what is NaN or infinite is not in a document, and is unknown."""
    return unknown if value is None else format(value, form)


def number(value: float | None, decimals: int) -> str:
    """A figure with so many decimals; nothing where there is none."""
    return figure(value, f".{decimals}f", "")


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    return figure(value, "+.3f")


_MOST_NAMES = 8


def brief(text: str, most: int) -> str:
    """A text without its end, where it has more characters than so many."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    return (kept.rpartition(" ")[0] if " " in kept[most // 2 :] else kept) + " …"


def counted(count: int, what: str) -> str:
    """As ``1 row`` and ``20 rows``."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def names(listed: Sequence[str]) -> str:
    """Names in a sentence; of many the first, and how many more there are."""
    if len(listed) > _MOST_NAMES:
        return f"{', '.join(listed[: _MOST_NAMES - 2])} and {len(listed) - _MOST_NAMES + 2} more"
    return listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + " and " + listed[-1] if listed else "none"


def compared(row: RowEntry) -> str:
    """What a row compares."""
    what = _STATISTICS.get(row["statistic"], str(row["statistic"]))
    level = row.get("level")
    return what if level is None else f"{what} at {100 * level:g} %"


def ratio(row: RowEntry) -> str:
    """Of two sds, whose difference is that of their logarithms."""
    is_ratio = row["statistic"] in {"sd", "sd_in_family"}
    return f"{exp(row['difference']):.3f}" if is_ratio and row["difference"] is not None else ""


def mean_and_sd(row: PredictionEntry | ParameterEntry) -> str:
    """A prediction, or a parameter."""
    decimals = digits(row["sd"])
    mean = number(row["mean"], decimals)
    return f"{mean} ± {number(row['sd'], decimals)}" if row["sd"] else mean


def score(value: float | None, error: float | None) -> str:
    """A score with its Monte Carlo error, if it has one."""
    return figure(value, ".4g", "") + (f" ± {error:.1g}" if value is not None and error else "")


def beside(pair: PairEntry) -> str:
    """What is reported beside the rows, and does not decide."""
    parts = []
    shape, gap = pair.get("shape"), pair.get("predictions")
    if shape:
        parts.append(
            f"energy distance {figure(shape['energy_distance'], '.4f')} (p {figure(shape['energy_p'], '.2f')})"
        )
        apart = figure(shape["quantile_difference_sd"], ".3f")
        parts.append(f"5 % and 95 % quantiles within {apart} sd ({shape['quantile']})")
    if gap and gap["max_difference_sd"] is not None:
        parts.append(f"predicted means within {gap['max_difference_sd']:.3f} sd")
    if gap and gap.get("mse_difference") is not None:
        parts.append(f"MSE {gap['mse_difference']:+.2g} ± {figure(gap.get('mse_se'), '.1g')}")
    if gap and gap.get("lpd_difference") is not None:
        parts.append(f"log predictive density {gap['lpd_difference']:+.2g} ± {figure(gap.get('lpd_se'), '.1g')}")
    return "beside: " + "; ".join(parts) if parts else ""


_DIAGNOSTICS = {
    "R-hat {}, ESS {}": {"rhat_max": ".3f", "ess_bulk_min": ".0f"},
    "{} divergences": {"divergences": ".0f"},
    "iterates: R-hat {}, error {} sd": {"svi_rhat_max": ".2f", "svi_error_max": ".3f"},
    "ELBO {}": {"elbo": ".3f"},
    "KL gap {}": {"kl_gap": "z.3f"},
    "k {}": {"pareto_k": ".2f"},
    "log evidence {}": {"log_evidence": ".4f"},
    "quadrature error {} sd": {"quadrature_error": ".0e"},
}
"""What is said of a fit, in this order, and by which figures."""


def diagnosis(contender: ContenderEntry) -> str:
    """Whether a fit is healthy, with its figures; or why there is none."""
    if contender["status"] != "ok":
        return ": ".join(part for part in (contender["status"], contender["error"]) if part)
    if contender["healthy"] is None:
        return ""
    found = contender["diagnostics"]
    parts = [
        words.format(*(figure(found.get(name), form) for name, form in figures.items()))
        for words, figures in _DIAGNOSTICS.items()
        if any(found.get(name) is not None for name in figures)
    ]
    return "; ".join(["ok" if contender["healthy"] else "not converged", *parts])


def repeated(document: Document) -> list[str]:
    """Which contenders were fitted again, or drawn from again, and why."""
    every = document["contenders"]
    return [
        *(f"{c['name']}: refitted: {c['refitted']}" for c in every if c.get("refitted")),
        *(f"{c['name']}: drawn again: {c['drawn_on']}" for c in every if c.get("drawn_on")),
    ]


def sentence(document: Document) -> str:
    """The verdict in one sentence."""
    done = [c["name"] for c in document["contenders"] if c["status"] == "ok"]
    margin = document["settings"]["margin"]
    judged = [pair for pair in document["pairs"] if pair["verdict"] != "not-comparable"]
    count = max((len(pair["rows"]) for pair in judged), default=0)
    shapes = [row["margin"] for pair in judged for row in pair["rows"] if row["statistic"] == "shape"]
    shape = f" ({max(shapes):g} for shapes)" if shapes else ""
    rule = f"margin {margin:g} posterior sd{shape}, {count} quantities a pair, {_checked(document, done)}"
    wrong = [check for check in document["model_check"] if check["verdict"] == "different"]
    match document["verdict"]:
        case "agree" if document["settings"]["model_only"]:
            return f"{names(done)} have the same model."
        case "agree":
            return f"{_found(document, judged)} ({rule})."
        case "disagree" if wrong and not any(p["verdict"] == "disagree" and p["rows"] for p in judged):
            against = wrong[0].get("against", "the specification")
            what = "the one that was stated" if against == "the specification" else against
            have = "has" if len(wrong) == 1 else "have"
            return f"{names([check['contender'] for check in wrong])} {have} another model than {what}."
        case "disagree":
            pairs = [f"{p['a']} and {p['b']}" for p in judged if p["verdict"] == "disagree"]
            more = f" and {len(pairs) - _MOST_NAMES} more pairs" if len(pairs) > _MOST_NAMES else ""
            return f"{'; '.join(pairs[:_MOST_NAMES])}{more} did not find the same posterior ({rule})."
        case "incomplete":
            lost = [c["name"] for c in document["contenders"] if c["status"] != "ok"]
            return f"{names(lost)} could not be run; the others' results stand."
    return f"it can't be told whether {names(done)} agree." if len(done) > 1 else "there is nothing to compare."


def _checked(document: Document, done: Sequence[str]) -> str:
    """Whose model was checked, and at how many points."""
    points = {check["contender"]: check["points"] for check in document["model_check"]}
    unchecked = [name for name in done if not points.get(name)]
    if len(unchecked) == len(done):
        return "model not checked"
    least = min(points[name] for name in done if name not in unchecked)
    return f"model checked at {least} points" + (f", but not that of {names(unchecked)}" if unchecked else "")


def _found(document: Document, judged: Sequence[PairEntry]) -> str:
    """Who found the same as whom, of those that were judged; and who was not."""
    done = [c["name"] for c in document["contenders"] if c["status"] == "ok"]
    groups: list[set[str]] = []
    for pair in judged:
        members = {pair["a"], pair["b"]}
        groups = [g for g in groups if not g & members] + [members.union(*(g for g in groups if g & members))]
    kinds = {c["name"]: c.get("kind") or c["method"] for c in document["contenders"]}  # an older document has no kinds
    parts = []
    for group in sorted(groups, key=lambda g: min(map(done.index, g))):
        members_ = [name for name in done if name in group]
        parts.append(f"{names(members_)} found the same {'maximum' if _is_point(kinds[members_[0]]) else 'posterior'}")
    alone = [name for name in done if not any(name in group for group in groups)]
    if alone:
        parts.append(f"{names(alone)} {'was' if len(alone) == 1 else 'were'} not judged")
    return "; ".join(parts)


def _is_point(kind: str) -> bool:
    return kind.partition("(")[0] in {"mle", "map"}
