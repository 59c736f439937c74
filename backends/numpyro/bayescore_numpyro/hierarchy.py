"""Priors that depend on other sites: group effects, their correlations, the horseshoe."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.linalg import solve_triangular

from bayescore.model.transforms import GroupOffsets, Shrinkage

Values = Mapping[str, jax.Array]


def correlation_matrix(correlations: jax.Array, k: int) -> jax.Array:
    """The matrix of the correlations (0, 1), (0, 2), (1, 2), ... of k effects."""
    lower = jnp.zeros((k, k)).at[np.tril_indices(k, -1)].set(correlations)
    return lower + lower.T + jnp.eye(k)


class CorrelationVector(dist.Distribution):  # type: ignore[misc]
    """LKJ as a distribution of the k (k - 1) / 2 correlations, or of the one as a scalar."""

    support = dist.constraints.real

    def __init__(self, k: int, concentration: jax.Array, shape: tuple[int, ...]) -> None:
        self.k = k
        self.matrix = dist.LKJ(k, concentration)
        super().__init__(batch_shape=(), event_shape=shape)

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Log density of the matrix."""
        density: jax.Array = self.matrix.log_prob(correlation_matrix(value, self.k))
        return density


def offsets(given: GroupOffsets, levels: int, values: Values) -> dist.Distribution:
    """A group effect in each level, given the effects of its term that come before.

    All of a level's effects are Normal(0, C C'), C = diag(sds) times the Cholesky factor
    of their correlations. Row j of C, at C^-1 of the effects before, is the mean of the j-th.
    """
    sds = jnp.stack([values[name] for name in given.sds])
    if not given.offsets:
        return dist.Normal(jnp.zeros(levels), sds[0]).to_event(1)
    j = len(given.offsets)
    correlations = correlation_matrix(values[given.correlation or ""], given.size)[: j + 1, : j + 1]
    root = sds[:, None] * jnp.linalg.cholesky(correlations)
    before = jnp.stack([values[name] for name in given.offsets])
    mean = root[j, :j] @ solve_triangular(root[:j, :j], before, lower=True)
    return dist.Normal(mean, root[j, j]).to_event(1)


def shrunken(given: Shrinkage, values: Values) -> dist.Distribution:
    """Coefficients under the regularized horseshoe: its scale squared is half the harmonic mean of two variances."""
    wide = (values[given.global_scale] * values[given.local]) ** 2
    slab = values[given.slab]
    return dist.Normal(0.0, jnp.sqrt(wide * slab / (slab + wide))).to_event(1)
