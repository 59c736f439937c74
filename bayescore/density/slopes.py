"""The mode of a log density of which there is a gradient only, whoever finds that."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from bayescore.model.arrays import Array

_STEP = 1e-4
"""Of the differences of gradients that make the curvature at the mode."""


def mode_by_slopes(potential: Callable[[Array], tuple[float, Array]], size: int) -> tuple[Array, Array] | None:
    """Search from z = 0, and take the curvature from differences of gradients.

    Parameters
    ----------
    potential
        Of z, shape (d,): minus the log density, in nats, and its gradient, shape (d,).

    Returns
    -------
    mode, precision
        Shapes (d,) and (d, d); None where no proper maximum is found.
    """

    def at(z: Array) -> tuple[float, Array]:
        value, slope = potential(z)
        return (value, slope) if np.isfinite(value) and np.all(np.isfinite(slope)) else (np.inf, np.zeros(size))

    with np.errstate(invalid="ignore"):
        found = minimize(at, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": 500, "gtol": 1e-6})
    mode: Array = found.x
    steps = _STEP * np.eye(size)
    precision = np.stack([(at(mode + step)[1] - at(mode - step)[1]) / (2 * _STEP) for step in steps])
    precision = (precision + precision.T) / 2
    try:
        np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        return None
    slope = at(mode)[1]
    return (mode, precision) if slope @ np.linalg.solve(precision, slope) < 1e-2 else None
