"""The core's families as NumPyro distributions of the response: one line each."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from bayescore_numpyro.successes import LOGITS, Bernoulli, Binomial, exp


def _ordinal(eta: jax.Array, threshold: jax.Array) -> dist.Distribution:
    """Cumulative logit; NumPyro's OrderedLogistic subtracts probabilities, and loses the tails' digits."""
    above = threshold - eta[..., None]
    low, high = above[..., :-1], above[..., 1:]
    between = jax.nn.log1mexp(high - low) + jax.nn.log_sigmoid(high) + jax.nn.log_sigmoid(-low)
    ends = jax.nn.log_sigmoid(above[..., :1]), jax.nn.log_sigmoid(-above[..., -1:])
    return dist.Categorical(logits=jnp.concatenate([ends[0], between, ends[1]], axis=-1))


def _categorical(eta: jax.Array) -> dist.Distribution:
    return dist.Categorical(logits=jnp.pad(eta, [(0, 0)] * (eta.ndim - 1) + [(1, 0)]))


def _beta(eta: jax.Array, concentration: jax.Array) -> dist.Distribution:
    return dist.Beta(concentration * jax.nn.sigmoid(eta), concentration * jax.nn.sigmoid(-eta))


RESPONSES: dict[tuple[str, str], Callable[..., dist.Distribution]] = {
    ("Gaussian", "identity"): lambda eta, sigma: dist.Normal(loc=eta, scale=sigma),
    ("StudentT", "identity"): lambda eta, sigma, df: dist.StudentT(df, eta, sigma),
    **{("Bernoulli", link): lambda eta, f=f: Bernoulli(logits=f(eta)) for link, f in LOGITS.items()},
    **{("Binomial", link): lambda eta, trials, f=f: Binomial(f(eta), trials) for link, f in LOGITS.items()},
    ("Poisson", "log"): lambda eta: dist.Poisson(exp(eta)),
    ("NegativeBinomial", "log"): lambda eta, concentration: dist.NegativeBinomialLogits(
        concentration, eta - jnp.log(concentration)
    ),
    ("Gamma", "log"): lambda eta, concentration: dist.Gamma(concentration, exp(jnp.log(concentration) - eta)),
    ("Exponential", "log"): lambda eta: dist.Exponential(exp(-eta)),
    ("Beta", "logit"): _beta,
    ("Ordinal", "logit"): _ordinal,
    ("Categorical", "softmax"): _categorical,
}
"""By family and link: of the linear predictor, auxiliary parameters, trials and thresholds by name."""


def mean(response: dist.Distribution) -> jax.Array:
    """Expected response; of categories their probabilities, of Student's t its location even where no mean exists."""
    match response:
        case dist.CategoricalLogits():
            expected = response.probs
        case dist.StudentT():
            expected = response.loc
        case _:
            expected = response.mean
    return jnp.asarray(expected)
