"""Intercepts and slopes that vary together by group, their correlations LKJ."""

import pyro
import pyro.distributions as dist


def model(x, group, groups, y):
    mean = pyro.sample("mean", dist.Normal(0.0, 2.0).expand([2]).to_event(1))
    scale = pyro.sample("scale", dist.HalfNormal(1.0).expand([2]).to_event(1))
    L = pyro.sample("L", dist.LKJCholesky(2, 2.0))
    sigma = pyro.sample("sigma", dist.Exponential(2.0))
    with pyro.plate("groups", groups):
        effects = pyro.sample("effects", dist.MultivariateNormal(mean, scale_tril=scale[:, None] * L))
    mu = effects[group, 0] + effects[group, 1] * x
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Normal(mu, sigma), obs=y)
