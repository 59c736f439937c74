"""Gamma regression with a log link, of shape k and mean mu."""

import pyro
import pyro.distributions as dist
import torch


def model(x, y):
    alpha = pyro.sample("alpha", dist.Normal(0.0, 2.0))
    beta = pyro.sample("beta", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
    k = pyro.sample("k", dist.Gamma(2.0, 0.1))
    mu = torch.exp(alpha + x @ beta)
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Gamma(k, k / mu), obs=y)
