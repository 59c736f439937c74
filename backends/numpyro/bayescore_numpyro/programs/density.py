"""The log density of a run, by site and row; minus infinity out of a support, which NumPyro's own is not."""

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.distributions.util import is_identically_one, sum_rightmost

from bayescore_numpyro.programs.running import Site, Trace

Terms = tuple[dict[str, jax.Array], dict[str, jax.Array]]
"""Log density by site, and by site and row."""
_ROUNDING = 1e-5
"""By how much sums that are to be one may be off: NumPyro's own bounds refuse what another precision has rounded."""


def rows_of(site: Site) -> jax.Array:
    """Log density of each row of a site, scaled as the program scales it."""
    rows = log_prob(site["fn"], site["value"])
    scale = site["scale"]
    return rows if scale is None or is_identically_one(scale) else scale * rows


def by_row(trace: Trace) -> dict[str, jax.Array]:
    """Log density of each row of all sites of a run."""
    return {name: rows_of(site) for name, site in trace.items() if site["type"] == "sample"}


def log_prob(law: Any, value: Any) -> jax.Array:
    """Log density of a value, in the batch shape; what is masked counts nothing wherever it lies."""
    match law:
        case dist.MaskedDistribution():
            return jnp.where(law._mask, log_prob(law.base_dist, value), 0.0)
        case dist.Independent():
            found: jax.Array = sum_rightmost(log_prob(law.base_dist, value), law.reinterpreted_batch_ndims)
            return found
        case dist.ExpandedDistribution():
            rows = log_prob(law.base_dist, value)
            return jnp.broadcast_to(rows, jnp.broadcast_shapes(rows.shape, tuple(law.batch_shape)))
        case dist.Unit():
            return jnp.asarray(law.log_prob(value))
        case _:
            unchecked = copy.copy(law)
            unchecked._validate_args = False  # NumPyro's own check, where it is on, is the one without tolerance
            return jnp.where(inside(law.support, jnp.asarray(value)), unchecked.log_prob(value), -jnp.inf)


def inside(support: Any, value: jax.Array) -> Any:
    """Whether values lie in a support, those among it that are off by the rounding of another precision."""
    match support:
        case constraints.independent():
            found = inside(support.base_constraint, value)
            return jnp.all(found, axis=tuple(range(-support.reinterpreted_batch_ndims, 0)))
        case _ if support is constraints.simplex:
            return jnp.all(value >= 0, axis=-1) & _is_one(jnp.sum(value, axis=-1))
        case _ if support is constraints.corr_cholesky:
            lower = jnp.all(jnp.triu(value, 1) == 0, axis=(-2, -1))
            positive = jnp.all(jnp.diagonal(value, axis1=-2, axis2=-1) > 0, axis=-1)
            return lower & positive & jnp.all(_is_one(jnp.linalg.norm(value, axis=-1)), axis=-1)
        case _ if support is constraints.sphere:
            return _is_one(jnp.linalg.norm(value, axis=-1))
    return support(value)


def _is_one(value: jax.Array) -> jax.Array:
    return jnp.abs(value - 1.0) < _ROUNDING
