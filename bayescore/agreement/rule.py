"""The rule: an equivalence margin, a confidence interval, three verdicts.

A difference agrees when its 90 % interval lies inside the margin (Schuirmann 1987; for
all of many, Berger 1982: an intersection-union test needs no correction), and disagrees
when its family-wise 99 % interval lies wholly outside. Anything else is inconclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.model.special_functions import log_ndtr, ndtri_exp

Verdict = Literal["agree", "disagree", "inconclusive"]
RowVerdict = Literal["agree", "disagree", "inconclusive", "expected"]
Statistic = Literal["mean", "sd", "sd_in_family", "shape", "shape_in_family", "rank", "dependence"]

AGREE_QUANTILE = 1.645
POWER_QUANTILE = 1.28
SHAPE_TOLERANCE = 1.5
"""The margin of shapes, in margins: 0.15 posterior sds by default."""
_AT_MARGIN = 0.1
"""As a share of the margin, on either side of it."""


@dataclass(frozen=True)
class Row:
    """One difference of one pair.

    Attributes
    ----------
    quantity
        A parameter's name.
    statistic
        ``mean``: difference in posterior sds. ``sd``: log of the ratio of the sds.
        ``sd_in_family``: the same against the best sd that a mean-field guide reaches.
        ``shape``: difference of standardized draws at a quantile, in sds
        (`bayescore.agreement.quantiles`); ``shape_in_family``: against the best that a
        guide's family reaches. ``rank``: of the draws as they are, by their normal scores,
        in place of all these where moments can't be estimated.
        ``dependence``: difference of a correlation (`bayescore.agreement.dependence`).
    difference, se
        The standardized difference and its Monte Carlo standard error.
    lower, upper
        The 90 % interval.
    verdict
        ``expected`` where a guide's family can't do better; it does not count.
    expected_ratio
        For ``sd`` of a mean-field guide, the best ratio of sds that its family reaches.
    level
        Probability of the quantile, for ``shape`` and ``rank``.
    among
        Of how many differences this is the one that reaches furthest.
    tolerance
        Its margin, as a multiple of the rule's.
    tail_index
        For ``rank``, the Pareto k for which moments are not judged.
    """

    quantity: str
    statistic: Statistic
    difference: float
    se: float
    verdict: RowVerdict = "inconclusive"
    expected_ratio: float | None = None
    level: float | None = None
    among: int = 1
    tolerance: float = 1.0
    tail_index: float | None = None

    @property
    def lower(self) -> float:
        """Lower end of the 90 % interval."""
        return self.difference - AGREE_QUANTILE * self.se

    @property
    def upper(self) -> float:
        """Upper end of the 90 % interval."""
        return self.difference + AGREE_QUANTILE * self.se

    @property
    def reach(self) -> float:
        """How far from zero the interval goes."""
        return abs(self.difference) + AGREE_QUANTILE * self.se


@dataclass(frozen=True)
class Judgement:
    """What the rule says of a set of rows.

    Attributes
    ----------
    verdict
        Of all rows that count.
    rows
        With their own verdicts; disagreement of single rows by Holm's procedure.
    more_draws
        For an inconclusive set the factor of draws that would settle it with a power of
        90 %; None where it lies at the margin.
    worst
        The row that decides.
    """

    verdict: Verdict
    rows: tuple[Row, ...]
    more_draws: float | None = None
    worst: Row | None = None


def judge(rows: Sequence[Row], *, margin: float = MARGIN, alpha: float = ALPHA) -> Judgement:
    """Apply the rule to the rows of a pair.

    Parameters
    ----------
    margin
        Differences that do not matter: in posterior sds for means, in log ratios for sds, and
        1.5 times that in posterior sds for shapes.
    alpha
        Family-wise rate at which identical posteriors may be found to disagree.
    """
    counted = [row for row in rows if row.verdict != "expected"]
    if not counted:
        return Judgement("inconclusive", tuple(rows))
    family = sum(row.among for row in counted)
    flagged = _holm([_log_p_outside(row, margin) for row in counted], family, alpha)
    settled = [
        replace(row, verdict="agree" if _inside(row, margin) else "disagree" if outside else "inconclusive")
        for row, outside in zip(counted, flagged, strict=True)
    ]
    by_key = {(row.quantity, row.statistic): row for row in settled}
    shown = tuple(by_key.get((row.quantity, row.statistic), row) for row in rows)
    critical = _critical(family, alpha)
    excess = [(abs(row.difference) - critical * row.se) / (margin * row.tolerance) - 1.0 for row in settled]
    if any(x > 0 for x in excess):
        return Judgement("disagree", shown, worst=settled[int(np.nanargmax(excess))])
    worst = max(settled, key=lambda row: row.reach / row.tolerance if np.isfinite(row.reach) else np.inf)
    if all(row.verdict == "agree" for row in settled):
        return Judgement("agree", shown, worst=worst)
    return Judgement("inconclusive", shown, _more_draws(settled, margin, critical), worst)


def _inside(row: Row, margin: float) -> bool:
    return row.reach <= margin * row.tolerance


def _critical(family: int, alpha: float) -> float:
    """Normal quantile at 1 - alpha / (2 family), by logarithms, so that no alpha is too small."""
    return -float(ndtri_exp(np.log(alpha) - np.log(2 * family)))


def _log_p_outside(row: Row, margin: float) -> float:
    """Log of the two-sided p-value of the difference lying inside the margin."""
    beyond = abs(row.difference) - margin * row.tolerance
    if row.se == 0:
        return -np.inf if beyond > 0 else 0.0
    return float(min(0.0, np.log(2.0) + log_ndtr(-beyond / row.se))) if np.isfinite(beyond) else 0.0


def _holm(log_p: Sequence[float], family: int, alpha: float) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects (Holm 1979), of a family of so many."""
    order = np.argsort(log_p)
    rejected = [False] * len(log_p)
    for rank, index in enumerate(order):
        if log_p[index] > np.log(alpha) - np.log(family - rank):
            break
        rejected[index] = True
    return rejected


def _more_draws(rows: Sequence[Row], margin: float, critical: float) -> float | None:
    """The factor of draws that settles all rows; None where one lies at its margin."""
    factors = []
    for row in rows:
        if row.verdict == "agree":
            continue
        limit = margin * row.tolerance
        away = limit - abs(row.difference)
        if not np.isfinite(row.reach) or abs(away) <= _AT_MARGIN * limit * (1 + 1e-9):
            return None
        quantile = AGREE_QUANTILE if away > 0 else critical
        factors.append(((quantile + POWER_QUANTILE) * row.se / away) ** 2)
    return max(factors) if factors else None
