"""The coordinates that samplers and guides work in.

The unconstrained vector u holds a regression's parameters through their transforms
(`bayescore.transforms`). A method works on z with u = centre + matrix z, so that every
coordinate has scale about 1. The regression's sites and priors stay as stated: its
density is evaluated at the mapped point, plus the log determinant where it matters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from autograd import elementwise_grad
from autograd import numpy as anp

from bayescore import transforms
from bayescore.data import Data
from bayescore.density import LogJoint
from bayescore.distributions import Array
from bayescore.methods import MAP, MLE, NUTS, SVI, Laplace, Method
from bayescore.reduction import column_moments, triangular_factor
from bayescore.regression import Regression
from bayescore.sites import Independent
from bayescore.transforms import Slot

_NEWTON_STEPS = 100
_PATIENCE = 15
"""Steps after which a precision that is still not positive definite means that there is no maximum."""
_SINGULAR = 1e-10
_STILL = 1e-2
"""Share of the way so far that the last step may still want: separated classes always want 1 / 40 more."""
_BLOCK_VALUES = 1 << 21
"""Points times rows differentiated at once: some 16 MB an operation."""


@dataclass(frozen=True)
class Coordinates:
    """The affine map u = centre + matrix z, and where each site lies in u.

    Attributes
    ----------
    centre
        Shape (d,): the point z = 0.
    matrix
        Shape (d, d).
    slots
        One a site, in order.
    """

    centre: Array
    matrix: Array
    slots: tuple[Slot, ...]

    @property
    def size(self) -> int:
        """d, the number of scalar parameters."""
        return int(self.centre.size)

    @property
    def log_det(self) -> float:
        """Log |det matrix|: what the density of z adds to that of u."""
        return float(np.linalg.slogdet(self.matrix)[1])

    def unconstrained(self, z: Array) -> Array:
        """u of z, both of shape (..., d)."""
        return self.centre + z @ self.matrix.T

    def constrained(self, z: Array) -> dict[str, Array]:
        """Each site's values at z of shape (..., d): (..., *site shape)."""
        return self.mapped(z)[0]

    def mapped(self, z: Array) -> tuple[dict[str, Array], Array]:
        """The same, and log |d values / d z|, shape (...)."""
        values, log_det = transforms.constrain(self.slots, self.unconstrained(z), np)
        return values, np.asarray(log_det + self.log_det)


def constrain(slots: Sequence[Slot], u: Array) -> dict[str, Array]:
    """Each site's values at u of shape (..., d)."""
    return transforms.constrain(slots, u, np)[0]


def for_method(regression: Regression, data: Data, method: Method) -> Coordinates:
    """The coordinates a method works in, the same for every backend.

    Without ``standardize`` they are the raw unconstrained parameters, scaled one by one
    at most. With it:

    - MLE, MAP: start from the intercept alone, orthogonal columns in units of the response;
    - SVI: the mode, and centred and scaled columns, each in units of the sd that a
      mean-field guide reaches in the Laplace approximation; for a full-rank guide, whose
      family is the same in any coordinates, the Cholesky factor of its covariance;
    - NUTS and Laplace: the mode and the Cholesky factor of the Laplace approximation.

    Where no mode is found, the start and the centred and scaled columns serve.
    """
    slots = regression.slots(centred=getattr(method, "centred", False))
    d = len(regression.parameters)
    if isinstance(method, SVI) and method.init == "random":
        return Coordinates(np.zeros(d), np.eye(d), slots)
    joint = LogJoint(regression, data)
    raw = np.eye(d)
    basis = standardizing_matrix(regression, data) if getattr(method, "standardize", True) else raw
    start = start_of(regression, data, slots)
    if isinstance(method, MLE | MAP):
        matrix = orthogonal_matrix(joint, data, basis) if method.standardize else raw
        return Coordinates(start, matrix, slots)
    found = laplace(joint, start, basis, slots=slots)
    if found is None:
        return Coordinates(start, basis, slots)
    mode, precision = found
    dense = isinstance(method, Laplace) or (isinstance(method, NUTS) and method.standardize)
    if dense or (isinstance(method, SVI) and method.guide == "full_rank"):
        inverse = np.linalg.inv(np.linalg.cholesky(precision)).T
        return Coordinates(mode, basis @ inverse, slots)
    return Coordinates(mode, basis / np.sqrt(np.diag(precision)), slots)


def linear_index(regression: Regression) -> tuple[int | None, "np.ndarray"]:
    """Where intercept and coefficients lie in u; no coefficients where they are not one a column."""
    position, intercept, beta = 0, None, np.arange(0)
    for site in regression.sites:
        if site.name == "intercept" and not site.shape:
            intercept = position
        elif site.name == "beta" and len(site.shape) == 1 and isinstance(site, Independent):
            beta = np.arange(position, position + site.size)
        position += site.size
    return intercept, beta


def standardizing_matrix(regression: Regression, data: Data) -> Array:
    """T of centred (where there is an intercept) and scaled columns: u = T z, shape (d, d)."""
    matrix = np.eye(len(regression.parameters))
    first, index = linear_index(regression)
    free = np.array([np.isinf(low) for low, _ in regression.bounds], dtype=bool)
    if index.size == 0 or not free[index].all():
        return matrix
    mean, scale = column_moments(data)
    if first is not None:
        scale[scale <= 1e-12 * np.abs(mean)] = 0.0
    else:
        scale = np.hypot(scale, mean)
    scale = np.where(scale > 0, scale, np.where(mean != 0, np.abs(mean), 1.0))
    matrix[index, index] = 1.0 / scale
    if first is not None:
        matrix[first, index] = -mean / scale
    return matrix


def orthogonal_matrix(joint: LogJoint, data: Data, basis: Array) -> Array:
    """Columns made orthogonal, in units of the linear predictor's scale, shape (d, d)."""
    regression = joint.regression
    first, index = linear_index(regression)
    if index.size == 0:
        return basis
    mixed = data.x @ basis[np.ix_(index, index)]
    if first is not None:
        mixed = mixed + (1.0 if data.ones is None else data.ones[:, None]) * basis[first, index]
    if data.weights is not None:
        mixed = mixed * np.sqrt(data.weights)[:, None]
    triangle = triangular_factor(mixed) / np.sqrt(data.rows if data.weights is None else data.weights.sum())
    unit = np.eye(len(regression.parameters))
    if min(mixed.shape) == index.size and np.min(np.abs(np.diag(triangle))) > 1e-8:
        unit[np.ix_(index, index)] = np.linalg.inv(triangle)
    linear = index if first is None else np.append(first, index)
    unit[np.ix_(linear, linear)] *= regression.family.scale(data)[1]
    return basis @ unit


def start_of(regression: Regression, data: Data, slots: Sequence[Slot] | None = None) -> Array:
    """A sensible point to begin at: that of the model that has an intercept only.

    A network begins at small weights, which are drawn: at zero its units are all alike.
    """
    family = regression.family
    slots = regression.slots() if slots is None else slots
    start = np.zeros(len(regression.parameters))
    scale = family.scale(data)[1]
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
            own[:] = 0.3 * site.sample(np.random.default_rng(slot.start), {}).ravel()
    return start


def laplace(
    joint: LogJoint, start: Array, basis: Array, *, jacobian: bool = True, slots: Sequence[Slot] | None = None
) -> tuple[Array, Array] | None:
    """Mode of the unconstrained density and the precision there, in the basis' coordinates.

    Damped Newton steps with a Hessian by central differences of the exact gradient.
    Without ``jacobian``, the mode is that of the constrained density.

    Returns
    -------
    mode, precision
        Shapes (d,), in u, and (d, d), in z with u = basis z; None where the search does
        not end at a proper maximum.
    """
    value, gradient = unconstrained_density(joint, jacobian=jacobian, slots=slots)

    def objective(z: Array) -> float:
        return float(value(basis @ z))

    def slope(z: Array) -> Array:
        return gradient(z @ basis.T) @ basis

    z: Array = np.linalg.solve(basis, start).astype(np.float64)
    with np.errstate(all="ignore"):
        for count in range(_NEWTON_STEPS):
            precision = _precision(slope, z)
            g = slope(z)
            if not (np.all(np.isfinite(precision)) and np.all(np.isfinite(g))):
                return None
            step, proper = _newton_step(precision, g)
            decrement = float(g @ step)
            stuck = decrement < 1e-18 * z.size or (count > _PATIENCE and not proper)
            moved = None if stuck else _line_search(objective, z, step, decrement)
            if moved is None:
                still = np.linalg.norm(step) < _STILL * (1.0 + np.linalg.norm(z))
                return (basis @ z, precision) if proper and still and decrement < 1e-6 else None
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
    joint: LogJoint, *, jacobian: bool = True, slots: Sequence[Slot] | None = None
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Log density as a function of unconstrained vectors (..., d), and its gradient (..., d)."""
    layout = joint.regression.slots() if slots is None else slots

    def value(u: Array) -> Array:
        values, log_det = transforms.constrain(layout, u, anp)
        density: Array = joint.terms(values) + (log_det if jacobian else 0.0)
        return density

    own = elementwise_grad(value)

    def gradient(u: Array) -> Array:
        rows = np.reshape(u, (-1, u.shape[-1]))
        size = max(_BLOCK_VALUES // joint.data.rows, 1)
        slopes = np.concatenate([own(rows[first : first + size]) for first in range(0, len(rows), size)])
        return np.reshape(slopes, u.shape)

    return value, gradient
