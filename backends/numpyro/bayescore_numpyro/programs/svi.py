"""Programs by SVI: a Gaussian guide on the numbers without constraints, in coordinates of scale about one."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bayescore.backend import Progress
from bayescore.density.coordinates import Coordinates, for_density
from bayescore.density.guide import scale_matrix
from bayescore.density.slopes import mode_by_slopes
from bayescore.methods import SVI
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit
from bayescore_numpyro.loop import timed
from bayescore_numpyro.programs.sampling import Free
from bayescore_numpyro.rows import floats
from bayescore_numpyro.svi import Plan, optimize


class Place(NamedTuple):
    """u = centre + matrix z, with log |det matrix|, for the program's own numbers u."""

    centre: jax.Array
    matrix: jax.Array
    log_det: jax.Array


@dataclass(frozen=True)
class Guided:
    """A fitted guide: z ~ Normal(loc, L L') with L = ``root``, in coordinates of the program's numbers."""

    coordinates: Coordinates
    loc: Array
    root: Array


def fit(free: Free, method: SVI, seed: int, progress: Progress) -> ProgramFit:
    """Fit the guide; the iterates of the last half are kept for their average.

    Raises
    ------
    FitError
        The program has no finite density anywhere near its origin.
    """
    free.begin(1, seed)
    coordinates, seeking = timed(
        lambda: for_density((), np.zeros(free.size), method, lambda raw: _mode_and_precision(free, raw))
    )
    place = Place(*floats([coordinates.centre, coordinates.matrix, coordinates.log_det]))
    plan = Plan(free.moved, method.particles, None)
    losses, iterates, seconds = optimize(plan, place, free.size, method, seed, progress)
    estimate = {name: values.mean(axis=0) if method.average else values[-1] for name, values in iterates.items()}
    native = Guided(coordinates, estimate["loc"], scale_matrix(estimate))
    return ProgramFit(method, native, losses, iterates, {"compile": seconds["compile"] + seeking})


def _mode_and_precision(free: Free, raw: Coordinates) -> tuple[Array, Array] | None:
    """Mode (d,) of the density of the numbers, from their origin, and minus its Hessian (d, d) there, or None."""

    def at(z: Array) -> tuple[float, Array]:
        value, slope = free.slope(jnp.asarray(raw.unconstrained(z), dtype=float))
        return float(value), np.asarray(slope, dtype=np.float64)

    return mode_by_slopes(at, raw.size)


def draw(free: Free, fitted: ProgramFit, seed: int) -> Posterior:
    """Independent draws of the guide in one chain, with their log density in it and in the program, as of values."""
    guided: Guided = fitted.native
    _, count = fitted.method.shape
    assert count is not None
    noise = np.random.default_rng(seed).standard_normal((1, count, free.size))
    numbers = guided.coordinates.unconstrained(guided.loc + noise @ guided.root.T)
    draws, log_joint = free.constrained(numbers)
    log_det = np.log(np.diag(guided.root)).sum() + guided.coordinates.log_det + free.log_slopes(numbers)
    log_q = -0.5 * (noise**2 + np.log(2.0 * np.pi)).sum(axis=-1) - log_det
    return Posterior(draws, sample_stats={"log_q": log_q, "log_joint": log_joint}, kind="guide")
