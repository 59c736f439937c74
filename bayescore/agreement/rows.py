"""The differences that a pair is judged on.

They are of every parameter, of directions (`bayescore.agreement.directions`), and of the
log joint density: means, sds, and the shape, which is the standardized quantile that
differs most. Where moments can't be estimated, ranks stand in for all of these.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayescore.agreement import dependence
from bayescore.agreement.candidate import Candidate
from bayescore.agreement.directions import MOST_PRINCIPAL, principal, suspected
from bayescore.agreement.estimates import Estimates, FromDraws, Marginals
from bayescore.agreement.guide_family import best_mean_field_sd, best_shape
from bayescore.agreement.quantiles import LEVELS, Flags, Standardized, normal_scores, rank_differences, shape_difference
from bayescore.agreement.rule import AGREE_QUANTILE, SHAPE_TOLERANCE, Row, Statistic
from bayescore.agreement.tails import HEAVY, tail_index
from bayescore.model.arrays import Array, Indices

_NO_BETTER = 0.01
"""Log ratio beyond which a guide's family counts as unable to reach the posterior's sd.

Its sd of an intercept can also be too large: it is a sum over coordinates that the guide
takes as independent and that are not.
"""
_NO_BETTER_SHAPE = 0.05
"""The same for a standardized quantile."""
_ALL, _OUTER = np.arange(len(LEVELS)), np.array([0, 1, 3, 4])
"""A median says little of a shape that the others don't."""
_FEW = 1000
"""Draws under which two exact posteriors are judged by their moments alone: nobody asked for a sample."""
_CLEARLY = 4.0
"""In standard errors: about what a disagreement takes."""
_RANK_TOLERANCES = np.where(np.abs(LEVELS - 0.5) > 0.3, SHAPE_TOLERANCE, 1.0)[:, None]


def point_rows(a: Candidate, b: Candidate, scale: Array) -> list[Row]:
    """Differences of two point estimates in units of ``scale``, shape (d,)."""
    difference = a.at() - b.at()
    return _make(a.quantities.parameters, "mean", difference / scale, np.zeros_like(difference))


def rows(a: Candidate, b: Candidate, cov: Array | None, margin: float) -> list[Row]:
    """Differences of two posteriors.

    Parameters
    ----------
    cov
        The exact covariance of the unconstrained parameters, shape (d, d), if there is one.
    margin
        The rule's, which tells the quantile that shows a shape best.
    """
    names = a.quantities.parameters
    of_a, of_b = (np.moveaxis(c.draws, -1, 0) for c in (a, b))
    index = _tail_index(a, b, a.shapes, b.shapes)
    heavy = index >= HEAVY
    found = _make(names, "mean", *_means(a.own, b.own, np.eye(len(names)), cov)) + _sd_rows(a, b, cov)
    found += _shape_rows(names, a.shapes, b.shapes, np.eye(len(names)), a, b, margin)
    found = _by_rank(found, names, heavy, index, of_a, of_b, margin)
    if a.target.identified:  # of outputs at a few rows some all but determine the others
        found += _along_directions(a, b, cov, heavy, margin)
    if not (a.gaussian or b.gaussian):
        found += _dependence(list(names), of_a, of_b)
    found += _log_joint_rows(a, b)
    if a.exact and b.exact and min(len(c.draws[0]) for c in (a, b)) < _FEW:
        return [row for row in found if row.statistic in {"mean", "sd"} and row.tolerance == 1.0]
    return found


def _tail_index(a: Candidate, b: Candidate, shapes_a: Standardized, shapes_b: Standardized) -> Array:
    """Pareto k of each quantity; none where both sides' moments are exact, so that no error has to be estimated."""
    return np.full(len(shapes_a.w), -np.inf) if a.exact and b.exact else tail_index(shapes_a, shapes_b)


def _along_directions(a: Candidate, b: Candidate, cov: Array | None, heavy: Flags, margin: float) -> list[Row]:
    """Principal directions; beyond 50 parameters those that half of the draws suspect, judged on the other half."""
    if len(heavy) > MOST_PRINCIPAL:
        (chosen_a, left_a, draws_a), (chosen_b, left_b, draws_b) = (_halves(c) for c in (a, b))
        axes = (
            np.empty((0, len(heavy))) if a.mean_field or b.mean_field or heavy.any() else suspected(chosen_a, chosen_b)
        )
        label = "suspect"
    else:
        left_a, left_b, draws_a, draws_b = a.marginals, b.marginals, a.draws, b.draws
        covs = [_robust_cov(c.draws) for c in (a, b)] if heavy.any() else [a.marginals.cov, b.marginals.cov]
        axes = principal(covs if cov is None or heavy.any() else [cov])
        label = "pc"
    if not len(axes):
        return []
    labels = [f"{label}{k + 1}" for k in range(len(axes))]
    own_a, own_b = left_a.along(axes), left_b.along(axes)
    of_a, of_b = (np.moveaxis(draws @ axes.T, -1, 0) for draws in (draws_a, draws_b))
    shapes_a, shapes_b = Standardized.of(of_a), Standardized.of(of_b)
    index = _tail_index(a, b, shapes_a, shapes_b)
    found = _make(labels, "mean", *_means(own_a, own_b, axes, cov))
    if not (a.mean_field or b.mean_field):
        found += _make(labels, "sd", *_log_ratio(own_a, own_b))
        found += _shape_rows(labels, shapes_a, shapes_b, axes, a, b, margin)
    found = _by_rank(found, labels, index >= HEAVY, index, of_a, of_b, margin)
    if label == "pc" and not (a.gaussian or b.gaussian):
        found += _dependence(labels, of_a, of_b)
    return found


def _halves(c: Candidate) -> tuple[Marginals, Marginals, Array]:
    """What chooses directions, what is judged along them, and the draws of the latter; known moments serve for both."""
    middle = c.draws.shape[1] // 2
    left = c.draws[:, middle:]
    if c.posterior.moments is not None:
        return c.marginals, c.marginals, left
    return FromDraws(c.draws[:, :middle]), FromDraws(left), left


def _robust_cov(draws: Array) -> Array:
    """Correlations of the normal scores, and sds from the quartiles, as a covariance: for heavy tails, shape (d, d)."""
    values = draws.reshape(-1, draws.shape[-1]).T
    low, high = np.quantile(values, [0.25, 0.75], axis=1)
    scale = high - low
    return np.asarray(np.atleast_2d(np.corrcoef(normal_scores(values))) * np.outer(scale, scale))


def _means(a: Estimates, b: Estimates, axes: Array, cov: Array | None) -> tuple[Array, Array]:
    """Differences of means and their errors, in sds: the exact ones, or the two contenders' pooled."""
    exact = None if cov is None else np.sqrt(np.einsum("ki,ij,kj->k", axes, cov, axes))
    scale = np.sqrt((a.sd**2 + b.sd**2) / 2) if exact is None else exact
    return _over(a.mean - b.mean, scale), _over(np.hypot(a.mean_error, b.mean_error), scale)


def _over(difference: Array, scale: Array) -> Array:
    """Quotient; 0 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((difference == 0) & (scale == 0), 0.0, difference / scale)


def _log_ratio(a: Estimates, b: Estimates) -> tuple[Array, Array]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(a.sd == b.sd, 0.0, np.log(a.sd / b.sd))
        return ratio, np.hypot(_over(a.sd_error, a.sd), _over(b.sd_error, b.sd))


def _make(names: Sequence[str], statistic: Statistic, difference: Array, se: Array) -> list[Row]:
    return [Row(n, statistic, float(d), float(e)) for n, d, e in zip(names, difference, se, strict=True)]


def _sd_rows(a: Candidate, b: Candidate, cov: Array | None) -> list[Row]:
    """Ratios of sds; a mean-field guide's also against the best that its family reaches."""
    names = a.quantities.parameters
    sd, sd_se = _log_ratio(a.own, b.own)
    guide, other = (a, b) if a.mean_field else (b, a)
    if not guide.mean_field or other.mean_field:
        return _make(names, "sd", sd, sd_se)
    best = _best_sd(guide, other, cov)
    if best is None:
        return _make(names, "sd", sd, sd_se)
    if cov is None:
        target, target_error = other.own.sd, _over(other.own.sd_error, other.own.sd)
    else:
        target, target_error = np.sqrt(np.diag(cov)), np.zeros(len(names))
    own = guide.own
    own_se = np.hypot(_over(own.sd_error, own.sd), target_error)
    sign = 1.0 if guide is a else -1.0
    found = []
    for j, name in enumerate(names):
        ratio = float(best[j] / target[j])
        if abs(np.log(ratio)) > _NO_BETTER:
            in_family = sign * float(np.log(own.sd[j] / best[j]))
            found.append(Row(name, "sd", float(sd[j]), float(sd_se[j]), "expected", ratio))
            found.append(Row(name, "sd_in_family", in_family, float(own_se[j])))
        else:
            found.append(Row(name, "sd", float(sd[j]), float(sd_se[j])))
    return found


def _best_sd(guide: Candidate, other: Candidate, cov: Array | None) -> Array | None:
    """What the guide's family can reach at best; None where parameters are not what is judged."""
    if guide.coordinates is None or not guide.target.identified:
        return None
    known = other.marginals.cov if cov is None else cov
    return best_mean_field_sd(guide.target, guide.coordinates, known, other.posterior)


def _shape_rows(
    names: Sequence[str],
    of_a: Standardized,
    of_b: Standardized,
    axes: Array,
    a: Candidate,
    b: Candidate,
    margin: float,
) -> list[Row]:
    """Shares of standardized draws, of each quantity at the level that differs most.

    A Gaussian guide can't follow a posterior of another shape: it is judged against the
    best of its family then.
    """
    shape = _worst_shape(names, "shape", of_a, of_b, margin)
    if a.gaussian == b.gaussian:
        return shape
    guide, own, other, target = (a, of_a, b, of_b) if a.gaussian else (b, of_b, a, of_a)
    best = best_shape(guide, other, axes)
    if best is None:
        return []
    sign = 1.0 if guide is a else -1.0
    in_family = [
        replace(row, difference=sign * row.difference)
        for row in _worst_shape(names, "shape_in_family", own, best, margin)
    ]
    missed = np.abs(shape_difference(target, best)[0])
    limited = np.any(missed > np.maximum(_NO_BETTER_SHAPE, 2.0 * target.naive_error), axis=0)
    found = []
    for row, reached, unable in zip(shape, in_family, limited, strict=True):
        found += [replace(row, verdict="expected"), reached] if unable else [row]
    return found


def _worst_shape(
    names: Sequence[str], statistic: Statistic, of_a: Standardized, of_b: Standardized, margin: float
) -> list[Row]:
    """A row for each quantity, at the level that differs most."""
    difference, cut, unit = shape_difference(of_a, of_b)
    naive = np.hypot(of_a.naive_error, of_b.naive_error)
    chosen = _furthest(difference, naive, margin * SHAPE_TOLERANCE, _OUTER)
    se = np.hypot(of_a.error(cut, chosen), of_b.error(cut, chosen)) * unit[chosen, np.arange(len(chosen))]
    return _at_levels(names, statistic, difference, se, chosen)


def _furthest(difference: Array, se: Array, margin: float, levels: Indices) -> Indices:
    """Of each quantity the level most clearly beyond a margin, or else reaching furthest; shapes (level, k)."""
    apart = np.abs(np.nan_to_num(difference[levels], nan=np.inf))
    se = np.broadcast_to(se, difference.shape)
    beyond = apart - _CLEARLY * se[levels]
    reach = apart + AGREE_QUANTILE * se[levels]
    return np.asarray(levels[np.argmax(np.where(np.any(beyond > margin, axis=0), beyond, reach), axis=0)])


def _at_levels(names: Sequence[str], statistic: Statistic, difference: Array, se: Array, chosen: Indices) -> list[Row]:
    """A row for each quantity at its chosen level; shapes (level, k), (k,), (k,)."""
    return [
        Row(
            name,
            statistic,
            float(difference[level, j]),
            float(se[j]),
            level=float(LEVELS[level]),
            among=len(LEVELS) if statistic == "rank" else len(_OUTER),
            tolerance=SHAPE_TOLERANCE,
        )
        for j, (name, level) in enumerate(zip(names, chosen, strict=True))
    ]


def _by_rank(
    found: list[Row], names: Sequence[str], heavy: Flags, index: Array, of_a: Array, of_b: Array, margin: float
) -> list[Row]:
    """The rows, those of quantities with heavy tails replaced by a row of ranks each."""
    if not heavy.any():
        return found
    ranked = [name for name, out in zip(names, heavy, strict=True) if out]
    difference, se = rank_differences(of_a[heavy], of_b[heavy])
    chosen = _furthest(difference / _RANK_TOLERANCES, se / _RANK_TOLERANCES, margin, _ALL)
    by_rank = _at_levels(ranked, "rank", difference, se[chosen, np.arange(len(chosen))], chosen)
    kept = [row for row in found if row.quantity not in ranked]
    return kept + [
        replace(row, tolerance=float(_RANK_TOLERANCES[level, 0]), tail_index=float(k))
        for row, level, k in zip(by_rank, chosen, index[heavy], strict=True)
    ]


def _dependence(names: list[str], of_a: Array, of_b: Array) -> list[Row]:
    found = dependence.furthest(names, of_a, of_b)
    if found is None:
        return []
    what, difference, se, among = found
    return [Row(what, "dependence", difference, se, among=among, tolerance=SHAPE_TOLERANCE)]


def _log_joint_rows(a: Candidate, b: Candidate) -> list[Row]:
    """Mean and sd of the log joint density; a Gaussian guide's sd is its family's."""
    of_a, of_b = a.of_log_joint, b.of_log_joint
    if of_a is None or of_b is None:
        return []
    exact = next((e.sd for e, c in ((of_a, a), (of_b, b)) if c.exact), None)
    scale = np.array([np.sqrt((of_a.sd**2 + of_b.sd**2) / 2) if exact is None else exact])
    difference = _over(np.array([of_a.mean - of_b.mean]), scale)
    se = _over(np.array([np.hypot(of_a.mean_error, of_b.mean_error)]), scale)
    found = _make(["log joint"], "mean", difference, se)
    if a.gaussian or b.gaussian:
        return found
    estimates = [Estimates(*(np.array([x]) for x in (e.mean, e.mean_error, e.sd, e.sd_error))) for e in (of_a, of_b)]
    (sd,) = _make(["log joint"], "sd", *_log_ratio(*estimates))
    return [*found, replace(sd, tolerance=SHAPE_TOLERANCE)]
