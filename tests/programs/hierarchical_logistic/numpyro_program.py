"""Logistic regression whose intercept varies by group, non-centred."""

import numpyro
import numpyro.distributions as dist


def model(x, group, groups, y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.5))
    tau = numpyro.sample("tau", dist.HalfNormal(1.0))
    beta = numpyro.sample("beta", dist.Normal(0.0, 1.0))
    with numpyro.plate("groups", groups):
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
        alpha = numpyro.deterministic("alpha", mu + tau * z)
    eta = alpha[group] + beta * x
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.Bernoulli(logits=eta), obs=y)
