"""A Gaussian process of squared exponential kernel, its values summed out."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(x, y):
    lengthscale = numpyro.sample("lengthscale", dist.InverseGamma(5.0, 5.0))
    log_scale = numpyro.sample("log_scale", dist.Normal(0.0, 0.5))
    noise = numpyro.sample("noise", dist.HalfNormal(0.5))
    scale = jnp.exp(log_scale)
    kernel = scale**2 * jnp.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / lengthscale**2)
    covariance = kernel + (noise**2 + 1e-6) * jnp.eye(len(x))
    numpyro.sample("obs", dist.MultivariateNormal(jnp.zeros(len(x)), covariance), obs=y)
