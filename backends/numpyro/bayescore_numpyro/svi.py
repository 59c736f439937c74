"""Stochastic variational inference with a Gaussian guide."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.infer.util import log_density

from bayescore.backend import Fit, Progress
from bayescore.density.guide import summarize
from bayescore.methods import SVI
from bayescore.model.arrays import Array
from bayescore_numpyro import adam
from bayescore_numpyro.guide import draw
from bayescore_numpyro.model import potential
from bayescore_numpyro.native import Density
from bayescore_numpyro.precision import key_of

__all__ = ["Plan", "draw", "fit", "guide", "minus_elbo", "optimize"]


class Plan(NamedTuple):
    """What is compiled beside the place's form.

    Attributes
    ----------
    potential
        Minus the log density of z, in nats: of a place and z, and of the rows of a minibatch where there is one.
    batch
        How many rows there are, and how many a step takes; None where it takes all.
    """

    potential: Callable[..., jax.Array]
    particles: int
    batch: tuple[int, int] | None


def guide(params: adam.Params) -> None:
    """z ~ Normal(loc, L L'), L = diag(softplus(raw)) + strictly lower part of ``lower``, if there is one."""
    loc = numpyro.param("loc", params["loc"])
    scale = jax.nn.softplus(numpyro.param("raw", params["raw"]))
    if "lower" in params:
        root = jnp.tril(numpyro.param("lower", params["lower"]), -1) + jnp.diag(scale)
        numpyro.sample("z", dist.MultivariateNormal(loc, scale_tril=root))
    else:
        numpyro.sample("z", dist.Normal(loc, scale).to_event(1))


def _start(method: SVI, size: int, key: jax.Array) -> adam.Params:
    """Starting values of the guide's parameters."""
    if method.init == "mode":
        params = {"loc": jnp.zeros(size), "raw": jnp.full(size, math.log(math.expm1(1.0)))}
    else:
        of_loc, of_scale = jax.random.split(key)
        raw = -3.0 + 0.05 * jax.random.normal(of_scale, (size,))
        params = {"loc": jax.random.normal(of_loc, (size,)), "raw": raw}
    return params | ({"lower": jnp.zeros((size, size))} if method.guide == "full_rank" else {})


@partial(jax.jit, static_argnums=0)
def _advance(
    plan: Plan, place: Any, rates: jax.Array, state: adam.State, count: jax.Array
) -> tuple[adam.State, adam.Trail]:
    return adam.advance(partial(minus_elbo, plan, place), rates, state, count)


def minus_elbo(plan: Plan, place: Any, params: adam.Params, key: jax.Array) -> jax.Array:
    """Estimate minus the ELBO, in nats, by the mean over the particles.

    This is the estimator of ``numpyro.infer.Trace_ELBO``. That one adds its terms in the
    order of a set of strings, which changes from process to process: it would give
    another rounding, and another program, which no compilation cache knows.
    """
    of_rows, of_guide = jax.random.split(key)
    chosen = () if plan.batch is None else (_batch(*plan.batch, of_rows),)

    def particle(key: jax.Array) -> jax.Array:
        log_q, trace = log_density(handlers.seed(guide, key), (params,), {}, {})
        minus: jax.Array = log_q + plan.potential(place, trace["z"]["value"], *chosen)
        return minus

    return jnp.mean(jax.vmap(particle)(jax.random.split(of_guide, plan.particles)))


def _batch(rows: int, size: int, key: jax.Array) -> jax.Array:
    """The rows of a step's minibatch, the same for all particles."""
    with handlers.seed(rng_seed=key), numpyro.plate("data", rows, subsample_size=size) as batch:
        chosen: jax.Array = batch
    return chosen


def fit(target: Density, method: SVI, seed: int, progress: Progress) -> Fit:
    """Maximize the ELBO; the guide is summarized from the iterates of the last half."""
    place = target.place
    plan = _plan(method, place.numbers.rows.x.shape[0])
    losses, iterates, seconds = optimize(plan, place, place.size, method, seed, progress)
    fitted = summarize(target.regression, target.coordinates, iterates, average=method.average)
    return Fit(target.regression, method, (target.coordinates, fitted), losses, iterates, seconds)


def _plan(method: SVI, rows: int) -> Plan:
    """That of a regression."""
    size = method.batch_size
    return Plan(potential, method.particles, None if size is None or size >= rows else (rows, size))


def optimize(
    plan: Plan, place: Any, size: int, method: SVI, seed: int, progress: Progress
) -> tuple[Array, dict[str, Array], dict[str, float]]:
    """Maximize the ELBO of a Gaussian guide.

    Parameters
    ----------
    place
        Arrays in a tree, as the potential takes it: they are no constants of the compiled program.
    size
        d, the length of z.

    Returns
    -------
    losses
        Minus the ELBO, in nats, shape (step,).
    iterates
        Of the last half of the steps, as `bayescore.density.guide` takes them.
    seconds
        Of ``compile``.
    """
    of_start, of_steps = jax.random.split(key_of(seed))
    begin = adam.start(_start(method, size, of_start), of_steps)
    descent = adam.descend(partial(_advance, plan, place), method.rates, begin, progress, keep=(method.steps + 1) // 2)
    return descent.losses, _iterates(descent.params), descent.seconds


def _iterates(params: dict[str, Array]) -> dict[str, Array]:
    iterates = {"loc": params["loc"], "log_scale": np.log(np.logaddexp(0.0, params["raw"]))}
    return iterates | ({"lower": np.tril(params["lower"], -1)} if "lower" in params else {})
