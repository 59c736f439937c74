"""Posterior draws of the response and its mean, in bounded memory."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from bayescore.data import Data
from bayescore.distributions import Array
from bayescore.posterior import Posterior
from bayescore.regression import Regression
from bayescore_numpyro.form import Form, form_of
from bayescore_numpyro.model import Values, response
from bayescore_numpyro.precision import key_of

_BLOCK_VALUES = 1 << 22
"""Draws times rows held at once: 32 MB in float64."""


@partial(jax.jit, static_argnums=0)
def _block(plan: tuple[Form, str], values: Values, x: jax.Array, key: jax.Array) -> jax.Array:
    form, kind = plan
    distribution = response(form, values, x)
    drawn = distribution.mean if kind == "mean" else distribution.sample(key)
    return jnp.asarray(drawn, dtype=x.dtype)


def predict(
    regression: Regression, posterior: Posterior, new_data: Data, kind: Literal["mean", "response"], seed: int
) -> Array:
    """Expected or new responses, shape (chain, draw, row)."""
    plan = form_of(regression), kind
    chains, draws = posterior.shape
    flat = {site: v.reshape(chains * draws, *v.shape[2:]) for site, v in posterior.draws.items()}
    fixed = {name: np.float64(value) for name, value in regression.family.fixed.items()}
    x = jnp.asarray(new_data.x, dtype=float)
    size = max(_BLOCK_VALUES // new_data.rows, 1)
    key = key_of(seed)
    predicted = np.empty((chains * draws, new_data.rows))
    for number, first in enumerate(range(0, chains * draws, size)):
        values = fixed | {site: v[first : first + size] for site, v in flat.items()}
        predicted[first : first + size] = _block(plan, values, x, jax.random.fold_in(key, number))
    return predicted.reshape(chains, draws, new_data.rows)
