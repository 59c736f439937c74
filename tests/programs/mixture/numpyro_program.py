"""A mixture of two normals in the order of their means, the components summed out."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.distributions.transforms import OrderedTransform


def model(y):
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.array([2.0, 4.0])))
    free = dist.Normal(jnp.array([-2.0, 1.0]), 1.0).to_event(1)
    loc = numpyro.sample("loc", dist.TransformedDistribution(free, OrderedTransform()))
    with numpyro.plate("components", 2):
        scale = numpyro.sample("scale", dist.LogNormal(0.0, 0.5))
    with numpyro.plate("rows", len(y)):
        z = numpyro.sample("z", dist.Categorical(weights), infer={"enumerate": "parallel"})
        numpyro.sample("obs", dist.Normal(loc[z], scale[z]), obs=y)
