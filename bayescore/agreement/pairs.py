"""Two contenders held against each other: the rows, the verdict, and its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayescore.agreement import symmetries
from bayescore.agreement.candidate import Candidate
from bayescore.agreement.other_scales import on_another_scale
from bayescore.agreement.rows import point_rows, rows
from bayescore.agreement.rule import Judgement, Row, Verdict, judge
from bayescore.agreement.shape import Shape
from bayescore.model.arrays import Array


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is: a code that can be explained, and a sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Pair:
    """What was found of two contenders; ``shape`` is reported and does not decide.

    ``summary`` says in words how a mean-field guide's sds compare with a posterior's that it
    agrees with, where its family does not limit them. ``more_draws``: `bayescore.agreement.rule.Judgement`.
    """

    a: str
    b: str
    verdict: Verdict | Literal["not-comparable"]
    reasons: tuple[Reason, ...]
    rows: tuple[Row, ...] = ()
    shape: Shape | None = None
    summary: str | None = None
    more_draws: float | None = None

    @property
    def max_difference_sd(self) -> float | None:
        """The largest difference of means, in posterior sds."""
        means = [abs(row.difference) for row in self.rows if row.statistic == "mean"]
        return max(means) if means else None


_NO_SCALE = {
    "mle": "the likelihood has no maximum with a finite spread, as where columns separate the classes or depend on "
    "each other: there is no sd to hold maximum likelihood estimates against",
    "map": "the posterior density has no maximum with a finite spread: there is no sd to hold modes against",
}


def judge_pair(
    a: Candidate, b: Candidate, *, scale: Array | None, cov: Array | None, margin: float, alpha: float
) -> Pair:
    """Decide on two contenders.

    Parameters
    ----------
    scale
        Sds that point estimates are measured in, shape (d,); without them they can't be judged.
    cov
        The exact covariance of the unconstrained parameters, shape (d, d), if there is one;
        otherwise the two contenders' sds are pooled.
    """
    if a.posterior.estimand != b.posterior.estimand:
        kinds = {"posterior": "a posterior", "mle": "a maximum likelihood estimate", "map": "a posterior mode"}
        what = f"{a.name} is {kinds[a.posterior.estimand]}, {b.name} is {kinds[b.posterior.estimand]}"
        return Pair(a.name, b.name, "not-comparable", (Reason("not-comparable", what),))
    if a.point and scale is None:
        return Pair(a.name, b.name, "inconclusive", (Reason("not-identified", _NO_SCALE[a.posterior.estimand]),))
    found = rows(a, b, cov, margin) if scale is None else point_rows(a, b, scale)
    judgement = judge(found, margin=margin, alpha=alpha)
    ailing = tuple(Reason(x.code, f"{c.name}: {x.text}") for c in (a, b) for x in c.health.ailments)
    if ailing:
        return Pair(
            a.name, b.name, "inconclusive", ailing + _symmetric([c for c in (a, b) if _mixed_badly(c)]), judgement.rows
        )
    reasons = _reasons(judgement, margin, [c for c in (a, b) if c.at_optimum]) + _heavy(judgement)
    if judgement.verdict == "disagree" and not (a.point or b.point):
        reasons += _symmetric([a, b])
    mistake = on_another_scale(a, b) if judgement.verdict == "disagree" and not a.point else None
    if mistake is not None:
        reasons = (Reason("different-posterior", f"{reasons[0].text}; likeliest mistake: {mistake}"), *reasons[1:])
    if judgement.verdict != "agree" or not (a.gaussian or b.gaussian):
        return Pair(a.name, b.name, judgement.verdict, reasons, judgement.rows, more_draws=judgement.more_draws)
    limits, summary = [], None
    if a.mean_field != b.mean_field:
        summary, limited = _of_guide(a, judgement)
        limits += [summary] if limited else []
    limits += _of_shape(judgement, margin)
    if limits:
        reasons = (Reason("guide-family", "; ".join(limits)), *reasons)
        summary = None
    return Pair(a.name, b.name, "agree", reasons, judgement.rows, summary=summary)


def _mixed_badly(candidate: Candidate) -> bool:
    return not candidate.point and any(ailment.code == "unconverged" for ailment in candidate.health.ailments)


def _symmetric(candidates: Sequence[Candidate]) -> tuple[Reason, ...]:
    """Whether chains differ by signs or an order alone: one contender's own, or those of both."""
    for some in ([c] for c in candidates):
        if (text := symmetries.found(some)) is not None:
            return (Reason("not-identified", f"{some[0].name}: {text}"),)
    text = symmetries.found(candidates) if len(candidates) > 1 else None
    return () if text is None else (Reason("not-identified", text),)


def _of_guide(a: Candidate, judgement: Judgement) -> tuple[str, bool]:
    """How a mean-field guide's sds compare with the other's, and whether its family limits them.

    The sd that is furthest off stands for all.
    """
    sds = [row for row in judgement.rows if row.statistic == "sd"]
    if not sds:
        return "the ranks agree", False
    furthest = max(sds, key=lambda row: abs(row.difference))
    ratio = float(np.exp(furthest.difference if a.mean_field else -furthest.difference))
    limited = furthest.verdict == "expected"
    must = ", as a mean-field guide's must be" if limited else ""
    return f"the means agree; the mean-field guide's sds are {ratio:.2f} of the posterior's{must}", limited


def _of_shape(judgement: Judgement, margin: float) -> list[str]:
    """The shape that a Gaussian guide misses by most, if by more than the margin; none for another guide."""
    missed = [
        row
        for row in judgement.rows
        if row.statistic == "shape" and row.verdict == "expected" and abs(row.difference) > margin * row.tolerance
    ]
    if not missed:
        return []
    worst = max(missed, key=lambda row: abs(row.difference))
    return [f"the guide is Gaussian, and the posterior is not: {say(worst)}"]


def _reasons(judgement: Judgement, margin: float, limited: Sequence[Candidate]) -> tuple[Reason, ...]:
    """Why the verdict is what it is; ``limited`` are those whose family of distributions is at its best."""
    worst = judgement.worst
    if worst is None or judgement.verdict == "agree":
        return ()
    limit = f"{margin * worst.tolerance:g}"
    if judgement.verdict == "disagree":
        text = f"{say(worst)}, and {limit} is the margin"
        if limited:
            return (Reason("guide-family", f"{text}: {_limit(limited[0])}"),)
        wrong = [row for row in judgement.rows if row.verdict == "disagree" and row.statistic != "rank"]
        if wrong and all(row.tolerance > 1.0 or row.quantity == "log joint" for row in wrong):
            return (Reason("other-shape", text),)
        return (Reason("different-posterior", text),)
    if not np.isfinite(worst.se):
        text = f"draws are too few to tell the Monte Carlo error of {worst.quantity} ({worst.statistic})"
        return (Reason("too-few-draws", text),)
    if judgement.more_draws is None:
        return (Reason("at-margin", f"{say(worst)}: too close to the margin of {limit} to be settled by draws"),)
    return (Reason("too-few-draws", f"{say(worst)}: about {judgement.more_draws:.2g} times the draws would settle it"),)


def _heavy(judgement: Judgement) -> tuple[Reason, ...]:
    """Which quantities were judged by ranks; the one with the heaviest tail stands for all."""
    ranked = [row for row in judgement.rows if row.tail_index is not None]
    if not ranked:
        return ()
    heaviest = max(ranked, key=lambda row: row.tail_index or 0.0)
    more = f" and {len(ranked) - 1} more" if len(ranked) > 1 else ""
    text = (
        f"{heaviest.quantity}{more} judged by ranks: the tails (index {heaviest.tail_index:.2f}) are too heavy "
        "for errors of means and sds"
    )
    return (Reason("heavy-tails", text),)


def _limit(candidate: Candidate) -> str:
    if candidate.laplace:
        return f"{candidate.name} is a Gaussian at the mode, which this posterior is not"
    return f"the guide of {candidate.name} is at its family's best by the specification's density, and can't reach it"


def say(row: Row) -> str:
    """A row in words."""
    apart = f"{row.difference:+.3f} ± {row.se:.3f}"
    level = "" if row.level is None else f"{row.level:.0%}".replace("%", " %")
    match row.statistic:
        case "mean":
            return f"the means of {row.quantity} differ by {apart} posterior sd"
        case "shape":
            return f"the shapes of {row.quantity} (less its mean, over its sd) differ at {level} by {apart} sd"
        case "shape_in_family":
            return f"the shape of {row.quantity} is {apart} sd off its family's best at {level}"
        case "rank":
            return f"the {level} quantiles of {row.quantity} differ in rank by {apart} (as normal scores)"
        case "dependence":
            return f"the correlations of {row.quantity} differ by {apart}"
    ratio = float(np.exp(row.difference))
    if row.statistic == "sd_in_family":
        what = f"the sd of {row.quantity} is {ratio:.3f} of the best of the guide's family"
    else:
        what = f"the sds of {row.quantity} have ratio {ratio:.3f}"
    return f"{what} (log ratio {apart})"
