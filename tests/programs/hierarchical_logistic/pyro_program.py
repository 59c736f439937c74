"""Logistic regression whose intercept varies by group, non-centred."""

import pyro
import pyro.distributions as dist


def model(x, group, groups, y):
    mu = pyro.sample("mu", dist.Normal(0.0, 1.5))
    tau = pyro.sample("tau", dist.HalfNormal(1.0))
    beta = pyro.sample("beta", dist.Normal(0.0, 1.0))
    with pyro.plate("groups", groups):
        z = pyro.sample("z", dist.Normal(0.0, 1.0))
        alpha = pyro.deterministic("alpha", mu + tau * z)
    eta = alpha[group] + beta * x
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Bernoulli(logits=eta), obs=y)
