"""AR(1) in lagged vectors; its first value is stationary, and enters as a factor."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 2.0))
    phi = numpyro.sample("phi", dist.Uniform(-1.0, 1.0))
    sigma2 = numpyro.sample("sigma2", dist.InverseGamma(3.0, 2.0))
    start = dist.Normal(mu, jnp.sqrt(sigma2 / (1 - phi**2)))
    numpyro.factor("start", start.log_prob(y[0]))
    with numpyro.plate("steps", len(y) - 1):
        numpyro.sample("obs", dist.Normal(mu + phi * (y[:-1] - mu), jnp.sqrt(sigma2)), obs=y[1:])
