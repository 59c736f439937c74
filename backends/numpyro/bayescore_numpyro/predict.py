"""Posterior draws of the response and its mean, in bounded memory."""

from collections.abc import Mapping
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from bayescore.model.arrays import Array
from bayescore_numpyro.compiling import LOOP, compiled
from bayescore_numpyro.families import mean
from bayescore_numpyro.form import Form
from bayescore_numpyro.model import response
from bayescore_numpyro.precision import key_of
from bayescore_numpyro.rows import Rows, Values

Kind = Literal["mean", "response"]
_BLOCK_DRAWS = 1024
"""Draws at once, the last ones made up to as many: the program serves for any number of them."""
_BLOCK_VALUES = 1 << 22
"""Draws times rows held at once, at most: 32 MB in float64."""


@compiled(LOOP, 0)
def _block(plan: tuple[Form, Kind], fixed: Values, values: Values, rows: Rows, key: jax.Array) -> jax.Array:
    form, kind = plan

    def one(values: Values, key: jax.Array) -> jax.Array:
        distribution = response(form, {**fixed, **values}, rows)
        drawn = mean(distribution) if kind == "mean" else distribution.sample(key)
        return jnp.asarray(drawn, dtype=rows.x.dtype)

    return jax.vmap(one)(values, jax.random.split(key, len(jax.tree.leaves(values)[0])))


def predict(
    form: Form, fixed: Mapping[str, float], draws: Mapping[str, Array], rows: Rows, kind: Kind, seed: int
) -> Array:
    """Expected or new responses, shape (chain, draw, row), or (chain, draw, row, category) for the mean of categories.

    Parameters
    ----------
    fixed
        The family's fixed auxiliary parameters.
    draws
        By site, shape (chain, draw, *site shape).
    """
    chains, count = next(iter(draws.values())).shape[:2]
    flat = {site: np.reshape(v, (chains * count, *v.shape[2:])) for site, v in draws.items()}
    size = min(_BLOCK_DRAWS, max(_BLOCK_VALUES // rows.x.shape[0], 1))
    blocks = []
    for number, first in enumerate(range(0, chains * count, size)):
        taken = np.arange(first, first + size).clip(max=chains * count - 1)
        values = {site: v[taken] for site, v in flat.items()}
        block = _block((form, kind), dict(fixed), values, rows, key_of(seed, number))
        blocks.append(np.asarray(block, dtype=np.float64))
    predicted = np.concatenate(blocks)[: chains * count]
    return predicted.reshape(chains, count, *predicted.shape[1:])
