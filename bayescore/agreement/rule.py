"""The rule: an equivalence margin, a confidence interval, three verdicts.

A difference agrees when its 90 % interval lies inside the margin (Schuirmann 1987; for
all of many, Berger 1982: an intersection-union test needs no correction), and disagrees
when its family-wise 99 % interval lies wholly outside. Anything else is inconclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

Verdict = Literal["agree", "disagree", "inconclusive"]
RowVerdict = Literal["agree", "disagree", "inconclusive", "expected"]
Statistic = Literal["mean", "sd", "sd_in_family"]

AGREE_QUANTILE = 1.645
POWER_QUANTILE = 1.28
MARGIN = 0.10
ALPHA = 0.01
_AT_MARGIN = 0.9


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
    difference, se
        The standardized difference and its Monte Carlo standard error.
    lower, upper
        The 90 % interval.
    verdict
        ``expected`` where a guide's family can't do better; it does not count.
    expected_ratio
        For ``sd`` of a mean-field guide, the best ratio of sds that its family reaches.
    """

    quantity: str
    statistic: Statistic
    difference: float
    se: float
    verdict: RowVerdict = "inconclusive"
    expected_ratio: float | None = None

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
        Differences that do not matter: in posterior sds for means, in log ratios for sds.
    alpha
        Family-wise rate at which identical posteriors may be found to disagree.
    """
    counted = [row for row in rows if row.verdict != "expected"]
    if not counted:
        return Judgement("inconclusive", tuple(rows))
    flagged = _holm([_p_outside(row, margin) for row in counted], alpha)
    settled = [
        replace(row, verdict="agree" if row.reach <= margin else "disagree" if outside else "inconclusive")
        for row, outside in zip(counted, flagged, strict=True)
    ]
    by_key = {(row.quantity, row.statistic): row for row in settled}
    shown = tuple(by_key.get((row.quantity, row.statistic), row) for row in rows)
    critical = float(ndtri(1.0 - alpha / (2 * len(counted))))
    excess = [abs(row.difference) - critical * row.se - margin for row in settled]
    if any(x > 0 for x in excess):
        return Judgement("disagree", shown, worst=settled[int(np.nanargmax(excess))])
    worst = max(settled, key=lambda row: row.reach if np.isfinite(row.reach) else np.inf)
    if all(row.verdict == "agree" for row in settled):
        return Judgement("agree", shown, worst=worst)
    return Judgement("inconclusive", shown, _more_draws(settled, margin), worst)


def _p_outside(row: Row, margin: float) -> float:
    """Two-sided p-value of the difference lying inside the margin."""
    beyond = abs(row.difference) - margin
    if row.se == 0:
        return 0.0 if beyond > 0 else 1.0
    return float(min(1.0, 2.0 * ndtr(-beyond / row.se))) if np.isfinite(beyond) else 1.0


def _holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects (Holm 1979)."""
    order = np.argsort(p_values)
    rejected = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def _more_draws(rows: Sequence[Row], margin: float) -> float | None:
    factors = []
    for row in rows:
        if row.verdict == "agree":
            continue
        if not np.isfinite(row.reach) or abs(row.difference) > _AT_MARGIN * margin:
            return None
        factors.append(((AGREE_QUANTILE + POWER_QUANTILE) * row.se / (margin - abs(row.difference))) ** 2)
    return max(factors) if factors else None
