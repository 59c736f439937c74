"""The mode of a regression's density, by Newton's method, and the precision there."""

from collections.abc import Callable

import numpy as np
from autograd import elementwise_grad
from autograd import numpy as anp

from bayescore.density.specification import LogJoint
from bayescore.model import transforms
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent

_NEWTON_STEPS = 100
_PATIENCE = 15
"""Steps after which a precision that is still not positive definite means that there is no maximum."""
_SINGULAR = 1e-10
_STILL = 1e-2
"""Share of the way so far that the last step may still want: separated classes always want 1 / 40 more."""
_BLOCK_VALUES = 1 << 21
"""Points times rows differentiated at once: some 16 MB an operation."""


def start_of(regression: Regression, data: Data) -> Array:
    """A sensible point to begin at: that of the model that has an intercept only.

    A network begins at small weights, which are drawn: at zero its units are all alike.
    """
    family = regression.family
    slots = regression.slots()
    start = np.zeros(len(regression.parameters))
    scale = family.scale(data)[1]
    drawn: dict[str, Array] = {}
    for site, slot in zip(regression.sites, slots, strict=True):
        own = start[slot.start : slot.stop]
        if site.name == "intercept" and not site.shape:
            own[:] = transforms.to_real(family.start(data), site.bounds[0], np) if np.isinf(site.bounds[0][0]) else 0.0
        elif site.name in family.free and np.isinf(site.bounds[0][1]):
            own[:] = np.log(family.start_of(site.name, scale))
        elif site.name == "threshold":
            own[0], own[1:] = -1.0, np.log(2.0 / site.size)
        elif site.name.startswith("sd("):
            own[:] = np.log(0.5 * scale) if np.isinf(site.bounds[0][1]) else 0.0
        elif regression.network is not None and isinstance(site, Independent) and site.support == "real":
            drawn[site.name] = site.sample(np.random.default_rng(slot.start), drawn)
            own[:] = 0.3 * drawn[site.name].ravel()
    return start


def laplace(
    joint: LogJoint,
    start: Array,
    basis: Array,
    *,
    jacobian: bool = True,
    shares: transforms.Values = transforms.NOTHING,
) -> tuple[Array, Array] | None:
    """Mode of the unconstrained density and the precision there, in the basis' coordinates.

    Without ``jacobian``, the mode is that of the constrained density.

    Returns
    -------
    mode, precision
        Shapes (d,), in u, and (d, d), in z with u = basis z; None where the search does
        not end at a proper maximum.
    """
    value, gradient = unconstrained_density(joint, jacobian=jacobian, shares=shares)
    return climb(value, gradient, start, basis)


def climb(
    value: Callable[[Array], Array],
    gradient: Callable[[Array], Array],
    start: Array,
    basis: Array,
    *,
    decrement_limit: float = 1e-18,
) -> tuple[Array, Array] | None:
    """Find the maximum over start + basis z by damped Newton steps.

    The Hessian is that of central differences of the exact gradient.

    Parameters
    ----------
    basis
        Shape (d, r): the r directions that are searched.
    decrement_limit
        Newton's decrement, a direction, at which the search ends: twice what is left to
        climb, in nats.

    Returns
    -------
    mode, precision
        Shapes (d,), in u, and (r, r), in z; None without a proper maximum.
    """

    def objective(z: Array) -> float:
        return float(value(start + basis @ z))

    def slope(z: Array) -> Array:
        return gradient(start + z @ basis.T) @ basis

    z = np.zeros(basis.shape[1])
    with np.errstate(all="ignore"):
        for count in range(_NEWTON_STEPS):
            precision = _precision(slope, z)
            g = slope(z)
            if not (np.all(np.isfinite(precision)) and np.all(np.isfinite(g))):
                return None
            step, proper = _newton_step(precision, g)
            decrement = float(g @ step)
            stuck = decrement < decrement_limit * z.size or (count > _PATIENCE and not proper)
            moved = None if stuck else _line_search(objective, z, step, decrement)
            if moved is None:
                still = np.linalg.norm(step) < _STILL * (1.0 + np.linalg.norm(z)) + np.sqrt(decrement_limit * z.size)
                ended = decrement < max(1e-6, decrement_limit * z.size)
                return (start + basis @ z, precision) if proper and still and ended else None
            z = moved
    return None


def _newton_step(precision: Array, g: Array) -> tuple[Array, bool]:
    """An ascent direction, and whether the precision is that of a proper maximum.

    Where it is not, its eigenvalues are taken by their absolute values, and none too small.
    """
    try:
        root = np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        root = np.zeros((1, 1))
    pivots = np.diag(root)
    if pivots.min() ** 2 > _SINGULAR * pivots.max() ** 2:
        return np.linalg.solve(root.T, np.linalg.solve(root, g)), True
    eigenvalues, vectors = np.linalg.eigh(precision)
    floor = _SINGULAR * max(float(np.max(np.abs(eigenvalues))), 1e-300)
    return vectors @ (vectors.T @ g / np.maximum(np.abs(eigenvalues), floor)), False


def _line_search(objective: Callable[[Array], float], z: Array, step: Array, decrement: float) -> Array | None:
    now = objective(z)
    share = 1.0
    while share > 1e-8:
        candidate = z + share * step
        if objective(candidate) > now + 1e-4 * share * decrement:
            return candidate
        share /= 2
    return None


def _precision(slope: Callable[[Array], Array], z: Array) -> Array:
    """Minus the Hessian, by central differences of the gradient at all points at once, made symmetric."""
    h = np.diag(1e-5 * np.maximum(1.0, np.abs(z)))
    ahead, behind = z + h, z - h
    slopes = slope(np.concatenate([ahead, behind]))
    hessian = (slopes[: z.size] - slopes[z.size :]) / np.diag(ahead - behind)[:, None]
    return -(hessian + hessian.T) / 2


def unconstrained_density(
    joint: LogJoint, *, jacobian: bool = True, shares: transforms.Values = transforms.NOTHING
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Log density as a function of unconstrained vectors (..., d), and its gradient (..., d)."""
    layout = joint.regression.slots()

    def value(u: Array) -> Array:
        values, log_det = transforms.constrain(layout, u, anp, shares)
        density: Array = joint.terms(values) + (log_det if jacobian else 0.0)
        return density

    own = elementwise_grad(value)

    def gradient(u: Array) -> Array:
        rows = np.reshape(u, (-1, u.shape[-1]))
        size = max(_BLOCK_VALUES // joint.data.rows, 1)
        slopes = np.concatenate([own(rows[first : first + size]) for first in range(0, len(rows), size)])
        return np.reshape(slopes, u.shape)

    return value, gradient
