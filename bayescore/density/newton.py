"""The maximum of a log density by damped Newton steps, whoever differentiates it."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from bayescore.model.arrays import Array

_STILL = 1e-2
"""Share of the way so far that the last step may still want: separated classes always want 1 / 40 more."""


class Point(Protocol):
    """A log density at a point z."""

    @property
    def value(self) -> float:
        """Itself, in nats."""

    @property
    def slope(self) -> Array:
        """Its gradient, shape (d,)."""

    @property
    def precision(self) -> Array:
        """Minus its Hessian, shape (d, d)."""


def maximum(
    at: Callable[[Array], Point],
    size: int,
    *,
    decrement_limit: float = 1e-18,
    singular: float = 1e-10,
    steps: int = 100,
    patience: int = 15,
) -> tuple[Array, Array] | None:
    """Search from z = 0, each step shortened until the density rises.

    Parameters
    ----------
    at
        The density at z of shape (d,); what of it is not asked for need not be computed.
    decrement_limit
        Newton's decrement, a direction, at which the search ends: twice what is left to
        climb, in nats.
    singular
        Share of the largest eigenvalue under which another is rounding.
    patience
        Steps after which a precision that is still not positive definite means that there is no maximum.

    Returns
    -------
    mode, precision
        Shapes (d,) and (d, d); None where the search does not end at a proper maximum.
    """
    z = np.zeros(size)
    here = at(z)
    with np.errstate(all="ignore"):
        for count in range(steps):
            precision, slope = here.precision, here.slope
            if not (np.all(np.isfinite(precision)) and np.all(np.isfinite(slope))):
                return None
            step, proper = _step(precision, slope, singular)
            decrement = float(slope @ step)
            stuck = decrement < decrement_limit * size or (count > patience and not proper)
            moved = None if stuck else _line_search(at, z, here.value, step, decrement)
            if moved is None:  # as near to the maximum as rounding lets it come
                still = np.linalg.norm(step) < _STILL * (1.0 + np.linalg.norm(z)) + np.sqrt(decrement_limit * size)
                ended = decrement < max(1e-6, decrement_limit * size)
                return (z, precision) if proper and still and ended else None
            z, here = moved
    return None


def _step(precision: Array, slope: Array, singular: float) -> tuple[Array, bool]:
    """An ascent direction, and whether the precision is that of a proper maximum.

    Where it is not, its eigenvalues are taken by their absolute values, and none too small.
    """
    try:
        root = np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        root = np.zeros((1, 1))
    pivots = np.diag(root)
    if pivots.min() ** 2 > singular * pivots.max() ** 2:
        return np.linalg.solve(root.T, np.linalg.solve(root, slope)), True
    eigenvalues, vectors = np.linalg.eigh(precision)
    floor = singular * max(float(np.max(np.abs(eigenvalues))), 1e-300)
    return vectors @ (vectors.T @ slope / np.maximum(np.abs(eigenvalues), floor)), False


def _line_search(
    at: Callable[[Array], Point], z: Array, now: float, step: Array, decrement: float
) -> tuple[Array, Point] | None:
    share = 1.0
    while share > 1e-8:
        candidate = z + share * step
        there = at(candidate)
        if there.value > now + 1e-4 * share * decrement:
            return candidate, there
        share /= 2
    return None
