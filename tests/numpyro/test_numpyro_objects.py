"""NumPyro's MCMC objects are compared as they are."""

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro.infer import MCMC, NUTS

from bayescore.errors import DataError
from bayescore.testing import assert_posteriors_agree


def model():
    mu = numpyro.sample("mu", dist.Normal(np.array([1.0, -1.0]), 2.0).to_event(1))
    numpyro.deterministic("twice", 2 * mu)


def test_draws_of_an_mcmc_against_exact_ones():
    sampler = MCMC(
        NUTS(model), num_warmup=300, num_samples=1500, num_chains=4, chain_method="vectorized", progress_bar=False
    )
    mu = np.random.default_rng(0).normal([1.0, -1.0], 2.0, size=(4, 2500, 2))
    with pytest.raises(DataError, match="numpyro has no draws: run the MCMC"):
        assert_posteriors_agree(sampler, {"mu": mu}, names=("numpyro", "exact"))
    sampler.run(jax.random.PRNGKey(0), extra_fields=("diverging",))
    assert_posteriors_agree(sampler, {"mu": mu}, names=("numpyro", "exact"), var_names=["mu"])
    with pytest.raises(AssertionError, match="disagree"):
        assert_posteriors_agree(sampler, {"mu": mu + 1.0, "twice": 2 * mu}, names=("numpyro", "exact"))
