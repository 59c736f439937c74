"""One hidden layer of two units, told apart by the priors of their biases and of what they give."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(x, y):
    units = 2
    with numpyro.plate("units", units):
        weight = numpyro.sample("hidden.weight", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
        bias = numpyro.sample("hidden.bias", dist.Normal(jnp.linspace(-1.0, 1.0, units), 0.3))
        out = numpyro.sample("out.weight", dist.HalfNormal(1.0))
    precision = numpyro.sample("precision", dist.Gamma(4.0, 0.2))
    hidden = jnp.tanh((x[:, None, :] * weight).sum(-1) + bias)
    mean = numpyro.deterministic("mean", hidden @ out)
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.Normal(mean, precision**-0.5), obs=y)
