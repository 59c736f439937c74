"""MLE and MAP: one point, by Adam in the coordinates of inference."""

from functools import partial

import jax
import jax.numpy as jnp

from bayescore.backend import Fit, Progress
from bayescore.methods import MAP, MLE
from bayescore.model import posterior
from bayescore.model.posterior import Posterior
from bayescore_numpyro import adam
from bayescore_numpyro.compiling import LOOP, compiled
from bayescore_numpyro.model import constrained, terms
from bayescore_numpyro.native import Density, Place
from bayescore_numpyro.precision import key_of


@compiled(LOOP, 0)
def _advance(
    estimand: str, place: Place, rates: jax.Array, state: adam.State, count: jax.Array
) -> tuple[adam.State, adam.Trail]:
    def loss(params: adam.Params, _: jax.Array) -> jax.Array:
        values, _ = constrained(place, params["z"])
        by_site = terms(place.form, place.numbers, values)
        return -(by_site["likelihood"] if estimand == "mle" else sum(by_site.values(), jnp.zeros(())))

    return adam.advance(loss, rates, state, count)


def fit(target: Density, method: MLE | MAP, seed: int, progress: Progress) -> Fit:
    """Climb to the mode of the likelihood, or of the density of the constrained parameters.

    The losses are minus the log likelihood, or minus the log joint density, in nats.
    """
    program = partial(_advance, method.estimand, target.place)
    begin = adam.start({"z": jnp.zeros(target.place.size)}, key_of(seed))
    descent = adam.descend(program, method.rates, begin, progress, keep=1)
    point = target.coordinates.constrained(descent.params["z"][-1])
    return Fit(target.regression, method, point, losses=descent.losses, seconds=descent.seconds)


def draw(fit: Fit, seed: int) -> Posterior:
    """The point as one draw; no seed matters."""
    draws = {site: value[None, None] for site, value in fit.native.items()}
    return posterior.label(fit.regression, draws, kind=fit.method.kinds[0])
