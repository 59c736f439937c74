"""Pyro's MCMC objects are compared as they are."""

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from bayescore_pyro.isolation import isolated
from pyro.infer import MCMC, NUTS

from bayescore.errors import DataError
from bayescore.testing import assert_posteriors_agree


def model():
    pyro.sample("mu", dist.Normal(torch.tensor([1.0, -1.0]), 2.0).to_event(1))


def test_draws_of_an_mcmc_against_exact_ones():
    with isolated("float64", 0):
        sampler = MCMC(NUTS(model), num_samples=600, warmup_steps=100, num_chains=1, disable_progbar=True)
        with pytest.raises(DataError, match="pyro has no draws: run the MCMC"):
            assert_posteriors_agree(sampler, {"mu": np.zeros((4, 100, 2))}, names=("pyro", "exact"))
        sampler.run()
    exact = np.random.default_rng(0).normal([1.0, -1.0], 2.0, size=(4, 2500, 2))
    with pytest.raises(AssertionError, match="pyro: 1 chain"):  # its health is looked at, as a comparison would
        assert_posteriors_agree(sampler, {"mu": exact}, names=("pyro", "exact"), margin=0.4)
