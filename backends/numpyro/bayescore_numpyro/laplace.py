"""The Laplace approximation, with the Hessian by automatic differentiation."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from bayescore.backend import Fit, Progress
from bayescore.density.guide import summarize
from bayescore.errors import UnsupportedError
from bayescore.methods import Laplace
from bayescore.model.arrays import Array
from bayescore_numpyro.compiling import LOOP, compiled
from bayescore_numpyro.guide import draw
from bayescore_numpyro.loop import timed
from bayescore_numpyro.model import potential
from bayescore_numpyro.problem import Place, Target

__all__ = ["draw", "fit", "mode"]

_STEPS = 300
_LEAST_SHARE = 1e-8
_STILL = 1e-2
"""Share of the way so far that the last step may still want: separated classes want 1 / 40 more for ever."""


class Expansion(NamedTuple):
    """Minus the log density at a point, its gradient and its Hessian."""

    value: float
    slope: Array
    hessian: Array


@compiled(LOOP)
def _expand(place: Place, z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    minus = partial(potential, place)
    value, slope = jax.value_and_grad(minus)(z)
    return value, slope, jax.hessian(minus)(z)


def mode(place: Place) -> tuple[Array, Array] | None:
    """The mode of the density of z and the precision there; None where there is no proper maximum.

    Newton steps from z = 0, each shortened until the density rises.

    Returns
    -------
    mode, precision
        Shapes (d,) and (d, d).
    """
    z = np.zeros(place.size)
    here = _at(place, z)
    for _ in range(_STEPS):
        if not all(np.isfinite(part).all() for part in here):
            return None
        step, proper = _newton_step(here, float(np.sqrt(np.finfo(place.centre.dtype).eps)))
        decrement = -float(here.slope @ step)
        moved = _line_search(place, z, step, here.value, decrement) if decrement > 1e-18 * z.size else None
        if moved is None:  # as near to the maximum as rounding lets it come
            still = np.linalg.norm(step) < _STILL * (1.0 + np.linalg.norm(z))
            return (z, here.hessian) if proper and still and decrement < 1e-6 else None
        z, here = moved
    return None


def _newton_step(here: Expansion, singular: float) -> tuple[Array, bool]:
    """A step downwards, and whether this is the neighbourhood of a proper minimum."""
    eigenvalues, vectors = np.linalg.eigh(here.hessian)
    floor = singular * max(float(np.abs(eigenvalues).max()), 1e-300)
    step = -vectors @ (vectors.T @ here.slope / np.maximum(np.abs(eigenvalues), floor))
    return step, bool(eigenvalues[0] > floor)


def _line_search(place: Place, z: Array, step: Array, value: float, decrement: float) -> tuple[Array, Expansion] | None:
    share = 1.0
    while share > _LEAST_SHARE:
        candidate = z + share * step
        found = _at(place, candidate)
        if found.value < value - 1e-4 * share * decrement:
            return candidate, found
        share /= 2.0
    return None


def _at(place: Place, z: Array) -> Expansion:
    value, slope, hessian = (np.asarray(part, dtype=np.float64) for part in _expand(place, z))
    return Expansion(float(value), slope, (hessian + hessian.T) / 2.0)


def fit(target: Target, method: Laplace, seed: int, progress: Progress) -> Fit:
    """Find the mode of the unconstrained parameters; no seed matters.

    Raises
    ------
    UnsupportedError
        There is no mode, or none with a finite spread.
    """
    _, compiling = timed(lambda: _expand(target.place, np.zeros(target.place.size)))
    found = mode(target.place)
    if found is None:
        raise UnsupportedError(
            "the posterior density of the unconstrained parameters has no proper maximum, and so no Laplace "
            "approximation: use nuts, or give the parameters proper priors"
        )
    progress(1, 1)
    root = np.linalg.cholesky(np.linalg.inv(found[1]))
    guide = {"loc": found[0], "log_scale": np.log(np.diag(root)), "lower": np.tril(root, -1)}
    unchanging = {name: np.stack([part, part]) for name, part in guide.items()}
    fitted = summarize(target.regression, target.coordinates, unchanging, average=True)
    return Fit(target.regression, method, (target.coordinates, fitted), seconds={"compile": compiling})
