"""The coordinates that a posterior is integrated in.

The unconstrained vector is u = centre + matrix x, with x of scale 1, and each x_j is a
function of a t_j that goes to infinity exponentially fast, so that heavy tails take few
nodes: x = 3 sinh(t / 3). Where a prior has a kink, as Laplace has at its location, x
approaches it faster than exponentially, from both sides: equal steps in t then converge
as fast as if there were none (Takahasi and Mori 1974, *Double exponential formulas for
numerical integration*).
"""

from dataclasses import dataclass, replace

import numpy as np

from bayescore.density.coordinates import standardizing_matrix
from bayescore.density.mode import laplace, start_of
from bayescore.density.reduction import triangular_factor
from bayescore.density.specification import LogJoint
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions import AtMeans, Distribution, Laplace, Normal
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent

_FLAT = 3.6
"""Distance in t from a kink to where x begins to move away from it: exp(-exp(3.6)) is 1e-16."""
_NEAR = 5.0
"""Sds within which a kink is looked at; what lies further counts for nothing."""
FURTHEST = 105.0
"""The largest t: x is 1e15 there."""


@dataclass(frozen=True)
class Frame:
    """The map from t to u.

    Attributes
    ----------
    centre
        Shape (d,).
    matrix
        Shape (d, d).
    kinks
        Where each x has its kink; NaN for none, shape (d,).
    """

    centre: Array
    matrix: Array
    kinks: Array

    def at(self, t: Array) -> tuple[Array, Array]:
        """u at t, both of shape (n, d), and log |du / dt|, shape (n,)."""
        x, log_det = self.stretched(t)
        return self.centre + x @ self.matrix.T, log_det + np.linalg.slogdet(self.matrix)[1]

    def stretched(self, t: Array) -> tuple[Array, Array]:
        """x at t, both of shape (n, d), and log |dx / dt|, shape (n,)."""
        x, log_slope = np.empty_like(t), np.empty_like(t)
        smooth = np.isnan(self.kinks)
        x[:, smooth] = 3.0 * np.sinh(t[:, smooth] / 3)
        log_slope[:, smooth] = np.log(np.cosh(t[:, smooth] / 3))
        x[:, ~smooth], log_slope[:, ~smooth] = _flattened(t[:, ~smooth], self.kinks[~smooth])
        return x, np.sum(log_slope, axis=-1)


def _flattened(t: Array, kink: Array) -> tuple[Array, Array]:
    """x, which has its kink at t = 0, and log |dx / dt|."""
    away = np.abs(t) - _FLAT
    flat = np.exp(-away)
    return kink + np.sign(t) * np.exp(away / 3 - flat), away / 3 - flat + np.log(1 / 3 + flat)


def first_frame(regression: Regression, data: Data, joint: LogJoint) -> Frame:
    """Mode and inverse Hessian, of a regression without kinks where this one has some."""
    smooth = _without_kinks(regression)
    basis, start = standardizing_matrix(regression, data), start_of(regression, data)
    found = laplace(LogJoint(smooth, data) if smooth != regression else joint, start, basis)
    if found is None:
        return aligned(regression, start, basis)
    mode, precision = found
    return aligned(regression, mode, basis @ np.linalg.inv(np.linalg.cholesky(precision)).T)


def aligned(regression: Regression, centre: Array, matrix: Array) -> Frame:
    """A frame whose axes lie across the kinks, from any square root of the covariance.

    One parameter with a kink depends on its own x alone, and the others on that x and
    their own. Several with kinks can't be made uncorrelated too: each keeps its own axis.
    """
    sds = np.linalg.norm(matrix, axis=1)
    places = {j: loc for j, loc in kinks(regression).items() if abs(loc - centre[j]) < _NEAR * sds[j]}
    kinks_ = np.full(centre.size, np.nan)
    order = np.array([*places, *(j for j in range(centre.size) if j not in places)])
    k = len(places)
    lower = triangular_factor(matrix[order].T).T
    lower = lower * np.where(np.diag(lower) < 0, -1.0, 1.0)
    own = np.linalg.norm(lower[:k, :k], axis=1)
    lower[k:, :k] = lower[k:, :k] @ np.linalg.solve(lower[:k, :k], np.diag(own))
    lower[:k, :k] = np.diag(own)
    turned = np.empty_like(lower)
    turned[np.ix_(order, order)] = lower
    for place, loc in places.items():
        kinks_[place] = (loc - centre[place]) / turned[place, place]
    return Frame(centre, turned, kinks_)


def kinks(regression: Regression) -> dict[int, float]:
    """Elements of u whose prior has a kink, and where."""
    found: dict[int, float] = {}
    start = 0
    for site in regression.sites:
        if isinstance(site, Independent):
            found |= {start + j: float(p.loc) for j, p in enumerate(site.priors) if isinstance(p, Laplace)}
        start += site.size
    return found


def _without_kinks(regression: Regression) -> Regression:
    """The same with a Normal prior of the same variance for each Laplace."""

    def smooth(prior: Distribution) -> Distribution:
        if isinstance(prior, AtMeans):
            return AtMeans(smooth(prior.prior))
        return Normal(prior.loc, np.sqrt(2.0) * prior.scale) if isinstance(prior, Laplace) else prior

    intercept = regression.intercept
    return replace(
        regression,
        intercept=tuple(map(smooth, intercept)) if isinstance(intercept, tuple) else intercept and smooth(intercept),
        beta=tuple(map(smooth, regression.beta)),
        thresholds=tuple(map(smooth, regression.thresholds)),
    )
