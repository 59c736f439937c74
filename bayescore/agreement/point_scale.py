"""The unit that point estimates are held against each other in: sds of the Laplace approximation at their own mode."""

import numpy as np

from bayescore.agreement.quantities import Judge
from bayescore.coordinates import constrain, standardizing_matrix
from bayescore.data import Data
from bayescore.density import LogJoint
from bayescore.distributions import Array
from bayescore.methods import Estimand
from bayescore.mode import laplace, start_of
from bayescore.posterior import to_judged

_STEP = 1e-3
"""In sds: small beside the curvature of what is judged, and large beside rounding."""


def point_scale(judge: Judge, data: Data, estimand: Estimand) -> Array | None:
    """Sds of what is judged, shape (k,), by the curvature of the estimand's own density.

    That is the likelihood's for ``mle``, the posterior's for ``map``. The covariance of the
    unconstrained parameters is carried to the quantities by the delta method (a network is
    judged by its outputs).

    Returns
    -------
    None where the density has no proper maximum, or a quantity does not move with the parameters.
    """
    regression = judge.regression
    joint = LogJoint(regression, data, prior=estimand == "map")
    basis, slots = standardizing_matrix(regression, data), regression.slots()
    found = laplace(joint, start_of(regression, data), basis, jacobian=False)
    if found is None:
        return None
    mode, precision = found
    root = basis @ np.linalg.inv(np.linalg.cholesky(precision)).T

    def judged(u: Array) -> Array:
        return to_judged(judge.flat(constrain(slots, u)), judge.quantities.bounds)

    slopes = (judged(mode + _STEP * root.T) - judged(mode - _STEP * root.T)) / (2.0 * _STEP)
    sds = np.sqrt(np.sum(slopes**2, axis=0))
    return sds if np.all(np.isfinite(sds)) and np.all(sds > 0) else None
