"""The quantities that a pair is judged on, and their differences.

They are every parameter, every whitened principal direction (marginals hide an error
along a ridge: 0.1 sd in each of two parameters against it can be 0.4 sd jointly), and
the log joint density.
"""

from collections.abc import Sequence

import numpy as np

from bayescore.agreement.contestant import Contestant
from bayescore.agreement.estimates import Estimates, Marginals
from bayescore.agreement.guide_family import best_mean_field_sd
from bayescore.agreement.quantities import Quantities
from bayescore.agreement.rule import Row, Statistic
from bayescore.distributions import Array
from bayescore.regression import Regression

MOST_DIRECTIONS = 50
_NO_BETTER = 0.01
"""Log ratio beyond which a guide's family counts as unable to reach the posterior's sd.

Its sd of an intercept can also be too large: it is a sum over coordinates that the guide
takes as independent and that are not.
"""


def point_rows(a: Contestant, b: Contestant, scale: Array) -> list[Row]:
    """Differences of two point estimates in units of ``scale``, shape (d,)."""
    difference = a.at() - b.at()
    return _make(a.regression.parameters, "mean", difference / scale, np.zeros_like(difference))


def rows(a: Contestant, b: Contestant, cov: Array | None) -> list[Row]:
    """Differences of two posteriors.

    Parameters
    ----------
    cov
        The exact covariance of the unconstrained parameters, shape (d, d), if there is one.
    """
    names = a.regression.parameters
    unit = np.eye(len(names))
    found = _make(names, "mean", *_means(a.own, b.own, unit, cov))
    found += _sd_rows(a, b, cov)
    if isinstance(a.regression, Quantities):  # outputs at a few rows, some of which all but determine the others
        return found + _log_joint_rows(a, b)
    axes = directions(a.marginals, b.marginals, cov)
    if len(axes):
        labels = [f"pc{k + 1}" for k in range(len(axes))]
        of_a, of_b = a.marginals.along(axes), b.marginals.along(axes)
        found += _make(labels, "mean", *_means(of_a, of_b, axes, cov))
        if not (a.mean_field or b.mean_field):
            found += _make(labels, "sd", *_log_ratio(of_a, of_b))
    return found + _log_joint_rows(a, b)


def directions(a: Marginals, b: Marginals, cov: Array | None) -> Array:
    """Principal directions of the correlation matrix, in parameters over their sds, shape (k, d).

    The matrix is the exact one, or the average of the two contenders'.
    """
    covs = [cov] if cov is not None else [a.cov, b.cov]
    d = covs[0].shape[0]
    if d < 2 or d > MOST_DIRECTIONS:
        return np.empty((0, d))
    sds = [np.sqrt(np.diag(c)) for c in covs]
    if not all(np.all(np.isfinite(sd)) and np.all(sd > 0) for sd in sds):
        return np.empty((0, d))
    correlation = np.mean([c / np.outer(sd, sd) for c, sd in zip(covs, sds, strict=True)], axis=0)
    _, vectors = np.linalg.eigh(correlation)
    scale = np.sqrt(np.mean([sd**2 for sd in sds], axis=0))
    return np.asarray(vectors.T[::-1] / scale)


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


def _sd_rows(a: Contestant, b: Contestant, cov: Array | None) -> list[Row]:
    """Ratios of sds; a mean-field guide's also against the best that its family reaches."""
    names = a.regression.parameters
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


def _best_sd(guide: Contestant, other: Contestant, cov: Array | None) -> Array | None:
    """What the guide's family can reach at best; None where parameters are not what is judged."""
    if guide.coordinates is None or not isinstance(guide.regression, Regression):
        return None
    known = other.marginals.cov if cov is None else cov
    return best_mean_field_sd(guide.regression, guide.coordinates, known, other.posterior)


def _log_joint_rows(a: Contestant, b: Contestant) -> list[Row]:
    of_a, of_b = a.of_log_joint, b.of_log_joint
    if of_a is None or of_b is None:
        return []
    exact = next((e.sd for e, c in ((of_a, a), (of_b, b)) if c.exact), None)
    scale = np.array([np.sqrt((of_a.sd**2 + of_b.sd**2) / 2) if exact is None else exact])
    difference = _over(np.array([of_a.mean - of_b.mean]), scale)
    se = _over(np.array([np.hypot(of_a.mean_error, of_b.mean_error)]), scale)
    return _make(["log joint"], "mean", difference, se)
