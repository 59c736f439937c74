"""Families of successes: Bernoulli and binomial by their log odds, and those by link.

NumPyro's own densities at logits go through |x| and max(x, 0), and have a wrong gradient at
log odds of exactly 0, where many a search begins. These don't.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.nn import log1mexp, log_sigmoid
from jax.scipy.special import gammaln, log_ndtr


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
        return value * log_sigmoid(self.logits) + (1.0 - value) * log_sigmoid(-self.logits)


class Binomial(dist.BinomialLogits):  # type: ignore[misc]
    """NumPyro's, with a density of our own."""

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Log density of so many successes."""
        failures = self.total_count - value
        ways = gammaln(self.total_count + 1.0) - gammaln(value + 1.0) - gammaln(failures + 1.0)
        density: jax.Array = ways + value * log_sigmoid(self.logits) + failures * log_sigmoid(-self.logits)
        return density
