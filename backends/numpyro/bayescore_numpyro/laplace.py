"""The Laplace approximation, with the Hessian by automatic differentiation."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from bayescore.backend import Fit, Progress
from bayescore.density.guide import summarize
from bayescore.density.newton import maximum
from bayescore.errors import UnsupportedError
from bayescore.methods import Laplace
from bayescore.model.arrays import Array
from bayescore_numpyro.compiling import LOOP, compiled
from bayescore_numpyro.guide import draw
from bayescore_numpyro.loop import timed
from bayescore_numpyro.model import potential
from bayescore_numpyro.native import Density, Place

__all__ = ["draw", "fit", "mode"]

_STEPS = 300


class Expansion(NamedTuple):
    """The log density at a point, its gradient and minus its Hessian."""

    value: float
    slope: Array
    precision: Array


@compiled(LOOP)
def _expand(place: Place, z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    minus = partial(potential, place)
    value, slope = jax.value_and_grad(minus)(z)
    return value, slope, jax.hessian(minus)(z)


def mode(place: Place) -> tuple[Array, Array] | None:
    """The mode of the density of z and the precision there, searched for from z = 0 (`bayescore.density.newton`).

    Returns
    -------
    mode, precision
        Shapes (d,) and (d, d); None where there is no proper maximum.
    """

    def at(z: Array) -> Expansion:
        value, slope, hessian = (np.asarray(part, dtype=np.float64) for part in _expand(place, z))
        return Expansion(-float(value), -slope, (hessian + hessian.T) / 2.0)

    rounding = float(np.sqrt(np.finfo(place.centre.dtype).eps))
    return maximum(at, place.size, singular=rounding, steps=_STEPS, patience=_STEPS)


def fit(target: Density, method: Laplace, seed: int, progress: Progress) -> Fit:
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
