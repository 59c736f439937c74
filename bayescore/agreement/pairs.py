"""Two contenders held against each other: the rows, the verdict, and its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayescore.agreement.contestant import Contestant
from bayescore.agreement.rows import point_rows, rows
from bayescore.agreement.rule import Judgement, Row, Verdict, judge
from bayescore.agreement.shape import Shape
from bayescore.distributions import Array


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is: a code that can be explained, and a sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Pair:
    """What was found of two contenders; ``shape`` is reported and does not decide.

    ``summary`` says in words how a mean-field guide's sds compare with a posterior's that it
    agrees with, where its family does not limit them.
    """

    a: str
    b: str
    verdict: Verdict | Literal["not-comparable"]
    reasons: tuple[Reason, ...]
    rows: tuple[Row, ...] = ()
    shape: Shape | None = None
    summary: str | None = None

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


def compare(
    a: Contestant, b: Contestant, *, scale: Array | None, cov: Array | None, margin: float, alpha: float
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
    found = rows(a, b, cov) if scale is None else point_rows(a, b, scale)
    judgement = judge(found, margin=margin, alpha=alpha)
    ailing = tuple(Reason(x.code, f"{c.name}: {x.text}") for c in (a, b) for x in c.health.ailments)
    if ailing:
        return Pair(a.name, b.name, "inconclusive", ailing, judgement.rows)
    reasons = _reasons(judgement, margin, [c for c in (a, b) if c.at_optimum or c.laplace])
    if judgement.verdict != "agree" or a.mean_field == b.mean_field:
        return Pair(a.name, b.name, judgement.verdict, reasons, judgement.rows)
    summary, limited = _of_guide(a, judgement)
    if limited:
        return Pair(a.name, b.name, "agree", (Reason("guide-family", summary),), judgement.rows)
    return Pair(a.name, b.name, "agree", reasons, judgement.rows, summary=summary)


def _of_guide(a: Contestant, judgement: Judgement) -> tuple[str, bool]:
    """How a mean-field guide's sds compare with the other's, and whether its family limits them.

    The sd that is furthest off stands for all.
    """
    sds = [row for row in judgement.rows if row.statistic == "sd"]
    furthest = max(sds, key=lambda row: abs(row.difference))
    ratio = float(np.exp(furthest.difference if a.mean_field else -furthest.difference))
    limited = furthest.verdict == "expected"
    must = ", as a mean-field guide's must be" if limited else ""
    return f"the means agree; the mean-field guide's sds are {ratio:.2f} of the posterior's{must}", limited


def _reasons(judgement: Judgement, margin: float, limited: Sequence[Contestant]) -> tuple[Reason, ...]:
    """Why the verdict is what it is; ``limited`` are those whose family of distributions is at its best."""
    found = []
    worst = judgement.worst
    if judgement.verdict == "disagree" and worst is not None and limited:
        found.append(Reason("guide-family", f"{say(worst)}, and {margin:g} is the margin: {_limit(limited[0])}"))
    elif judgement.verdict == "disagree" and worst is not None:
        found.append(Reason("different-posterior", f"{say(worst)}, and {margin:g} is the margin"))
    elif judgement.verdict == "inconclusive" and worst is not None:
        if judgement.more_draws is None:
            found.append(
                Reason("at-margin", f"{say(worst)}: too close to the margin of {margin:g} to be settled by draws")
            )
        else:
            found.append(
                Reason(
                    "too-few-draws", f"{say(worst)}: about {judgement.more_draws:.2g} times the draws would settle it"
                )
            )
    return tuple(found)


def _limit(contestant: Contestant) -> str:
    if contestant.laplace:
        return f"{contestant.name} is a Gaussian at the mode, which this posterior is not"
    return f"the guide of {contestant.name} is at its family's best by the specification's density, and can't reach it"


def say(row: Row) -> str:
    """A row in words."""
    if row.statistic == "mean":
        return f"the means of {row.quantity} differ by {row.difference:+.3f} ± {row.se:.3f} posterior sd"
    ratio, of = (
        float(np.exp(row.difference)),
        "the best of the guide's family" if row.statistic == "sd_in_family" else "",
    )
    what = (
        f"the sd of {row.quantity} is {ratio:.3f} of {of}"
        if of
        else f"the sds of {row.quantity} have ratio {ratio:.3f}"
    )
    return f"{what} (log ratio {row.difference:+.3f} ± {row.se:.3f})"
