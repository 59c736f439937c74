"""The coordinates that samplers and guides work in.

The unconstrained vector u holds a regression's parameters in their order, positive
ones as logarithms. A method works on z with u = centre + matrix z, so that every
coordinate has scale about 1. The regression's sites and priors stay as stated: its
density is evaluated at the mapped point, plus the log determinant where it matters.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayescore.data import Data
from bayescore.density import LogJoint
from bayescore.distributions import Array, Support
from bayescore.methods import MAP, MLE, NUTS, SVI, Method
from bayescore.posterior import positive_parameters
from bayescore.reduction import triangular_factor
from bayescore.regression import Regression

_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Slot:
    """Where a site lies in the unconstrained vector: ``u[start:stop]``, and its support."""

    site: str
    start: int
    stop: int
    shape: tuple[int, ...]
    support: Support


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
        One a site. A site with real support takes its values from u as they are, a
        positive one by exp, with log Jacobian u.
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
        return constrain(self.slots, self.unconstrained(z))


def slots_of(regression: Regression) -> tuple[Slot, ...]:
    """The layout of a regression's unconstrained vector."""
    slots, start = [], 0
    for site in regression.sites:
        slots.append(Slot(site.name, start, start + site.size, site.shape, site.support))
        start += site.size
    return tuple(slots)


def constrain(slots: tuple[Slot, ...], u: Array) -> dict[str, Array]:
    """Each site's values at u of shape (..., d)."""
    values = {}
    for slot in slots:
        part = np.reshape(u[..., slot.start : slot.stop], (*u.shape[:-1], *slot.shape))
        values[slot.site] = np.exp(part) if slot.support == "positive" else part
    return values


def for_method(regression: Regression, data: Data, method: Method) -> Coordinates:
    """The coordinates a method works in, the same for every backend.

    Without ``standardize`` they are the raw unconstrained parameters, scaled one by one
    at most. With it:

    - MLE, MAP: start from the intercept alone, orthogonal columns in units of the response;
    - SVI: the mode, and centred and scaled columns, each in units of the sd that a
      mean-field guide reaches in the Laplace approximation; for a full-rank guide, whose
      family is the same in any coordinates, the Cholesky factor of its covariance;
    - NUTS: the mode and the Cholesky factor of the Laplace approximation.

    Where no mode is found, the start and the centred and scaled columns serve.
    """
    slots = slots_of(regression)
    d = len(regression.parameters)
    if isinstance(method, SVI) and method.init == "random":
        return Coordinates(np.zeros(d), np.eye(d), slots)
    joint = LogJoint(regression, data)
    raw = np.eye(d)
    basis = standardizing_matrix(regression, data) if getattr(method, "standardize", True) else raw
    start = start_of(regression, data)
    if isinstance(method, MLE | MAP):
        matrix = orthogonal_matrix(joint, data, basis) if method.standardize else raw
        return Coordinates(start, matrix, slots)
    found = laplace(joint, start, basis)
    if found is None:
        return Coordinates(start, basis, slots)
    mode, precision = found
    dense = (isinstance(method, NUTS) and method.standardize) or (
        isinstance(method, SVI) and method.guide == "full_rank"
    )
    if dense:
        inverse = np.linalg.inv(np.linalg.cholesky(precision)).T
        return Coordinates(mode, basis @ inverse, slots)
    return Coordinates(mode, basis / np.sqrt(np.diag(precision)), slots)


def standardizing_matrix(regression: Regression, data: Data) -> Array:
    """T of centred (where there is an intercept) and scaled columns: u = T z, shape (d, d)."""
    d = len(regression.parameters)
    matrix = np.eye(d)
    p = len(regression.columns)
    if p == 0:
        return matrix
    first = 0 if regression.intercept is None else 1
    mean = data.x.mean(axis=0)
    if first:
        scale = data.x.std(axis=0)
        scale[scale <= 1e-12 * np.abs(mean)] = 0.0
    else:
        scale = np.sqrt(np.mean(data.x**2, axis=0))
    scale = np.where(scale > 0, scale, np.where(mean != 0, np.abs(mean), 1.0))
    index = np.arange(first, first + p)
    matrix[index, index] = 1.0 / scale
    if first:
        matrix[0, index] = -mean / scale
    return matrix


def orthogonal_matrix(joint: LogJoint, data: Data, basis: Array) -> Array:
    """Columns made orthogonal, in units of the linear predictor's scale, shape (d, d)."""
    regression = joint.regression
    p = len(regression.columns)
    if p == 0:
        return basis
    first = 0 if regression.intercept is None else 1
    mixed = data.x @ basis[first : first + p, first : first + p]
    if first:
        mixed -= mixed.mean(axis=0)
    triangle = triangular_factor(mixed) / np.sqrt(data.rows)
    whole = min(mixed.shape) == p and np.min(np.abs(np.diag(triangle))) > 1e-8
    unit = np.eye(len(regression.parameters))
    if whole:
        unit[first : first + p, first : first + p] = np.linalg.inv(triangle)
    _, scale = regression.family.response_scale(data.observed)
    unit[: first + p, : first + p] *= scale
    return basis @ unit


def start_of(regression: Regression, data: Data) -> Array:
    """A sensible point to begin at: the unconstrained vector of the model that has an intercept only."""
    family = regression.family
    start = np.zeros(len(regression.parameters))
    if regression.intercept is not None:
        start[0] = family.start(data.observed)
    _, scale = family.response_scale(data.observed)
    start[positive_parameters(regression)] = np.log(scale)
    return start


def laplace(joint: LogJoint, start: Array, basis: Array, *, jacobian: bool = True) -> tuple[Array, Array] | None:
    """Mode of the unconstrained density and the precision there, in the basis' coordinates.

    Damped Newton steps with a Hessian by central differences of the exact gradient.
    Without ``jacobian``, the mode is that of the constrained density.

    Returns
    -------
    mode, precision
        Shapes (d,), in u, and (d, d), in z with u = basis z; None where the search does
        not end at a proper maximum.
    """
    regression = joint.regression
    value, gradient = unconstrained_density(joint, jacobian=jacobian)

    def objective(z: Array) -> float:
        return value(basis @ z)

    def slope(z: Array) -> Array:
        return basis.T @ gradient(basis @ z)

    z: Array = np.linalg.solve(basis, start).astype(np.float64)
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            precision = _precision(slope, z)
            g = slope(z)
            if not (np.all(np.isfinite(precision)) and np.all(np.isfinite(g))):
                return None
            eigenvalues, vectors = np.linalg.eigh(precision)
            floor = 1e-10 * max(float(np.max(np.abs(eigenvalues))), 1e-300)
            step = vectors @ (vectors.T @ g / np.maximum(np.abs(eigenvalues), floor))
            decrement = float(g @ step)
            if decrement < 1e-18 * len(regression.parameters):
                return (basis @ z, precision) if eigenvalues[0] > floor else None
            moved = _line_search(objective, z, step, decrement)
            if moved is None:
                return (basis @ z, precision) if eigenvalues[0] > floor and decrement < 1e-6 else None
            z = moved
    return None


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
    """Minus the Hessian, by central differences of the gradient, made symmetric."""
    d = z.size
    hessian = np.empty((d, d))
    for j in range(d):
        h = 1e-5 * max(1.0, abs(z[j]))
        ahead, behind = z.copy(), z.copy()
        ahead[j] += h
        behind[j] -= h
        hessian[j] = (slope(ahead) - slope(behind)) / (ahead[j] - behind[j])
    return -(hessian + hessian.T) / 2


def unconstrained_density(
    joint: LogJoint, *, jacobian: bool = True
) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    """Log density as a function of the unconstrained vector, and its gradient."""
    slots = slots_of(joint.regression)
    positive = positive_parameters(joint.regression)
    log_jacobian = np.where(positive, 1.0, 0.0) if jacobian else np.zeros(positive.size)

    def value(u: Array) -> float:
        return float(joint(constrain(slots, u)) + u @ log_jacobian)

    def gradient(u: Array) -> Array:
        slopes = joint.gradient(constrain(slots, u))
        flat = np.concatenate([np.reshape(slopes[slot.site], -1) for slot in slots])
        return np.where(positive, flat * np.exp(np.where(positive, u, 0.0)), flat) + log_jacobian

    return value, gradient
