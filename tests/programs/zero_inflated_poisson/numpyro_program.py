"""Zero-inflated Poisson regression with an exposure; counts that were not seen are masked."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(x, exposure, seen, y):
    gate = numpyro.sample("gate", dist.Beta(2.0, 4.0))
    alpha = numpyro.sample("alpha", dist.Normal(0.0, 1.0))
    beta = numpyro.sample("beta", dist.Normal(0.0, 0.5))
    rate = jnp.exp(alpha + beta * x + jnp.log(exposure))
    with numpyro.plate("rows", len(y)), numpyro.handlers.mask(mask=seen):
        numpyro.sample("obs", dist.ZeroInflatedPoisson(gate, rate), obs=y)
