"""The mode of a regression's density, by Newton's method, and the precision there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from autograd import elementwise_grad
from autograd import numpy as anp

from bayescore.density.newton import maximum
from bayescore.density.specification import LogJoint
from bayescore.model import transforms
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent

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
    """Find the maximum over start + basis z by `bayescore.density.newton`.

    The Hessian is that of central differences of the exact gradient.

    Parameters
    ----------
    basis
        Shape (d, r): the r directions that are searched.

    Returns
    -------
    mode, precision
        Shapes (d,), in u, and (r, r), in z; None without a proper maximum.
    """

    def value_of(z: Array) -> float:
        return float(value(start + basis @ z))

    def slope_of(z: Array) -> Array:
        return gradient(start + z @ basis.T) @ basis

    size = basis.shape[1]
    found = maximum(lambda z: _Point(value_of, slope_of, z), size, decrement_limit=decrement_limit)
    return None if found is None else (start + basis @ found[0], found[1])


@dataclass
class _Point:
    """A density at z, each part of it computed when it is asked for."""

    value_of: Callable[[Array], float]
    slope_of: Callable[[Array], Array]
    z: Array

    @cached_property
    def value(self) -> float:
        return self.value_of(self.z)

    @cached_property
    def slope(self) -> Array:
        return self.slope_of(self.z)

    @cached_property
    def precision(self) -> Array:
        """By central differences of the gradient at all points at once, made symmetric."""
        z = self.z
        h = np.diag(1e-5 * np.maximum(1.0, np.abs(z)))
        ahead, behind = z + h, z - h
        slopes = self.slope_of(np.concatenate([ahead, behind]))
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
