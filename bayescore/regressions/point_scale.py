"""The unit that point estimates are held against each other in: sds of the Laplace approximation at their own mode."""

from collections.abc import Sequence

import numpy as np

from bayescore.density.coordinates import constrain, standardizing_matrix
from bayescore.density.mode import laplace, start_of
from bayescore.density.specification import LogJoint
from bayescore.density.target import Target
from bayescore.methods import Estimand
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior, to_judged
from bayescore.model.regression import Regression
from bayescore.model.transforms import unconstrain

_STEP = 1e-3
"""In sds: small beside the curvature of what is judged, and large beside rounding."""


def point_scale(
    target: Target, regression: Regression, data: Data, estimand: Estimand, points: Sequence[Posterior]
) -> Array | None:
    """Sds of what is judged, shape (k,), by the curvature of the estimand's own density.

    That is the likelihood's for ``mle``, the posterior's for ``map``. The covariance of the
    unconstrained parameters is carried to the quantities by the delta method (a network is
    judged by its outputs).

    Parameters
    ----------
    target
        What of the regression is judged.
    points
        Estimates themselves. A network has many modes: the curvature is that at the ones
        nearest to these, on the average.

    Returns
    -------
    None where the density has no proper maximum, or a quantity does not move with the parameters.
    """
    slots = regression.slots()
    joint = LogJoint(regression, data, prior=estimand == "map")
    starts = [start_of(regression, data)]
    if not regression.identified and points:
        starts = [unconstrain(slots, {n: v[0, 0] for n, v in point.draws.items()}, np) for point in points]
    scales = [scale for start in starts if (scale := _scale(target, joint, start)) is not None]
    return np.sqrt(np.mean(np.square(scales), axis=0)) if scales else None


def _scale(target: Target, joint: LogJoint, start: Array) -> Array | None:
    """The same at the mode that is climbed to from one point."""
    regression, slots = joint.regression, joint.regression.slots()
    basis = standardizing_matrix(regression, joint.data)
    found = laplace(joint, start, basis, jacobian=False)
    if found is None:
        return None
    mode, precision = found
    root = basis @ np.linalg.inv(np.linalg.cholesky(precision)).T

    def judged(u: Array) -> Array:
        return to_judged(target.flat(constrain(slots, u)), target.quantities.bounds)

    slopes = (judged(mode + _STEP * root.T) - judged(mode - _STEP * root.T)) / (2.0 * _STEP)
    sds = np.sqrt(np.sum(slopes**2, axis=0))
    return sds if np.all(np.isfinite(sds)) and np.all(sds > 0) else None
