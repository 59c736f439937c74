"""Stochastic variational inference with a Gaussian guide."""

import math
from functools import partial
from typing import NamedTuple

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
from bayescore_numpyro.native import Density, Place
from bayescore_numpyro.precision import key_of

__all__ = ["Plan", "draw", "fit", "guide", "minus_elbo"]


class Plan(NamedTuple):
    """What is compiled beside the place's form."""

    particles: int
    batch_size: int | None


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
    plan: Plan, place: Place, rates: jax.Array, state: adam.State, count: jax.Array
) -> tuple[adam.State, adam.Trail]:
    return adam.advance(partial(minus_elbo, plan, place), rates, state, count)


def minus_elbo(plan: Plan, place: Place, params: adam.Params, key: jax.Array) -> jax.Array:
    """Estimate minus the ELBO, in nats, by the mean over the particles.

    This is the estimator of ``numpyro.infer.Trace_ELBO``. That one adds its terms in the
    order of a set of strings, which changes from process to process: it would give
    another rounding, and another program, which no compilation cache knows.
    """
    of_rows, of_guide = jax.random.split(key)
    chosen = _batch(place.numbers.rows.x.shape[0], plan.batch_size, of_rows)

    def particle(key: jax.Array) -> jax.Array:
        log_q, trace = log_density(handlers.seed(guide, key), (params,), {}, {})
        minus: jax.Array = log_q + potential(place, trace["z"]["value"], chosen)
        return minus

    return jnp.mean(jax.vmap(particle)(jax.random.split(of_guide, plan.particles)))


def _batch(rows: int, size: int | None, key: jax.Array) -> jax.Array | None:
    """The rows of a step's minibatch, the same for all particles; None for all rows."""
    if size is None or size >= rows:
        return None
    with handlers.seed(rng_seed=key), numpyro.plate("data", rows, subsample_size=size) as batch:
        chosen: jax.Array = batch
    return chosen


def fit(target: Density, method: SVI, seed: int, progress: Progress) -> Fit:
    """Maximize the ELBO; the guide is summarized from the iterates of the last half."""
    of_start, of_steps = jax.random.split(key_of(seed))
    begin = adam.start(_start(method, target.place.size, of_start), of_steps)
    program = partial(_advance, Plan(method.particles, method.batch_size), target.place)
    descent = adam.descend(program, method.rates, begin, progress, keep=(method.steps + 1) // 2)
    iterates = _iterates(descent.params)
    fitted = summarize(target.regression, target.coordinates, iterates, average=method.average)
    native = target.coordinates, fitted
    return Fit(target.regression, method, native, descent.losses, iterates, descent.seconds)


def _iterates(params: dict[str, Array]) -> dict[str, Array]:
    iterates = {"loc": params["loc"], "log_scale": np.log(np.logaddexp(0.0, params["raw"]))}
    return iterates | ({"lower": np.tril(params["lower"], -1)} if "lower" in params else {})
