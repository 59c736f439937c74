"""Gamma regression with a log link, of shape k and mean mu."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(x, y):
    alpha = numpyro.sample("alpha", dist.Normal(0.0, 2.0))
    beta = numpyro.sample("beta", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
    k = numpyro.sample("k", dist.Gamma(2.0, 0.1))
    mu = jnp.exp(alpha + x @ beta)
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.Gamma(k, k / mu), obs=y)
