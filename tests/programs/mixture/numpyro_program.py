"""A mixture of two normals, the components summed out and told apart by the priors of their means."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist


def model(y):
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.array([2.0, 4.0])))
    with numpyro.plate("components", 2):
        loc = numpyro.sample("loc", dist.Normal(jnp.array([-2.0, 2.0]), 1.0))
        scale = numpyro.sample("scale", dist.LogNormal(0.0, 0.5))
    with numpyro.plate("rows", len(y)):
        z = numpyro.sample("z", dist.Categorical(weights), infer={"enumerate": "parallel"})
        numpyro.sample("obs", dist.Normal(loc[z], scale[z]), obs=y)
