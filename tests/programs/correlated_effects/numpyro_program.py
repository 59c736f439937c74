"""Intercepts and slopes that vary together by group, their correlations LKJ."""

import numpyro
import numpyro.distributions as dist


def model(x, group, groups, y):
    mean = numpyro.sample("mean", dist.Normal(0.0, 2.0).expand([2]).to_event(1))
    scale = numpyro.sample("scale", dist.HalfNormal(1.0).expand([2]).to_event(1))
    L = numpyro.sample("L", dist.LKJCholesky(2, 2.0))
    sigma = numpyro.sample("sigma", dist.Exponential(2.0))
    with numpyro.plate("groups", groups):
        effects = numpyro.sample("effects", dist.MultivariateNormal(mean, scale_tril=scale[:, None] * L))
    mu = effects[group, 0] + effects[group, 1] * x
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.Normal(mu, sigma), obs=y)
