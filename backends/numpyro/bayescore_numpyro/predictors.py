"""Linear predictors, of one draw's values and the rows: shape (row,), or (row, level) for categories."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from bayescore_numpyro.rows import Rows, Values


def linear(values: Values, rows: Rows) -> jax.Array:
    """Intercept and coefficients, as many as there are; for categories one of each a level."""
    count = rows.x.shape[0]
    parts = []
    if "beta" in values:
        parts.append(rows.x @ values["beta"].T)
    if "intercept" in values:
        ones = jnp.ones(count) if rows.ones is None else rows.ones
        parts.append(jnp.multiply.outer(ones, values["intercept"]))
    return sum(parts[1:], parts[0]) if parts else jnp.zeros(count)


@dataclass(frozen=True)
class Perceptron:
    """A multilayer perceptron of so many layers, with tanh between them."""

    layers: int

    def __call__(self, values: Values, rows: Rows) -> jax.Array:
        out = rows.x
        for layer in range(self.layers):
            out = jnp.tanh(out) if layer else out
            out = out @ values[f"layer{layer}.weight"].T + values[f"layer{layer}.bias"]
        return jnp.squeeze(out, axis=-1)


def whole(own: jax.Array, values: Values, rows: Rows) -> jax.Array:
    """A predictor with the group terms and the offset added."""
    eta = own
    for key, (index, value) in rows.groups.items():
        eta = eta + values[f"offset({key})"][index] * value
    if rows.offset is not None:
        eta = eta + (rows.offset if eta.ndim == 1 else rows.offset[:, None])
    return eta
