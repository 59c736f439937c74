"""Zero-inflated Poisson regression with an exposure; counts that were not seen are masked."""

import pyro
import pyro.distributions as dist
import torch


def model(x, exposure, seen, y):
    gate = pyro.sample("gate", dist.Beta(2.0, 4.0))
    alpha = pyro.sample("alpha", dist.Normal(0.0, 1.0))
    beta = pyro.sample("beta", dist.Normal(0.0, 0.5))
    rate = torch.exp(alpha + beta * x + torch.log(exposure))
    with pyro.plate("rows", len(y)), pyro.poutine.mask(mask=seen):
        pyro.sample("obs", dist.ZeroInflatedPoisson(rate, gate=gate), obs=y)
