"""Families of successes: Bernoulli and binomial by their log odds, and those by link.

NumPyro's own densities at logits go through |x| and max(x, 0), and have a wrong gradient at
log odds of exactly 0, where many a search begins. These have their slope stated.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.nn import log1mexp
from jax.scipy.special import gammaln, log_ndtr


@jax.custom_jvp
def log_sigmoid(x: jax.Array) -> jax.Array:
    """log(1 / (1 + exp(-x))), by less work than JAX's own; its derivatives are right at 0, too."""
    return jnp.minimum(x, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


log_sigmoid.defjvps(lambda dx, _, x: dx * lax.logistic(-x))


def exp(eta: jax.Array) -> jax.Array:
    """The exponential, kept from overflow and from zero: densities stay finite, if not exact, out there."""
    ends = np.finfo(eta.dtype)
    return jnp.exp(jnp.clip(eta, math.log(ends.tiny) + 1.0, math.log(ends.max) - 1.0))


def _cloglog(eta: jax.Array) -> jax.Array:
    hazard = exp(eta)
    return hazard + log1mexp(hazard)


LOGITS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "logit": lambda eta: eta,
    "probit": lambda eta: log_ndtr(eta) - log_ndtr(-eta),
    "cloglog": _cloglog,
}
"""Log odds of a success by link: they keep the digits of probabilities next to 0 and 1."""


class Bernoulli(dist.BernoulliLogits):  # type: ignore[misc]
    """NumPyro's, with a density of our own."""

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Log density of 0 or 1."""
        found: jax.Array = log_sigmoid(jnp.where(value == 1, self.logits, -self.logits))
        return found


class Binomial(dist.BinomialLogits):  # type: ignore[misc]
    """NumPyro's, with a density of our own."""

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Log density of so many successes."""
        failures = self.total_count - value
        ways = gammaln(self.total_count + 1.0) - gammaln(value + 1.0) - gammaln(failures + 1.0)
        density: jax.Array = ways + value * log_sigmoid(self.logits) + failures * log_sigmoid(-self.logits)
        return density
