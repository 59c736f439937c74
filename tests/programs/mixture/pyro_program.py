"""A mixture of two normals in the order of their means, the components summed out."""

import pyro
import pyro.distributions as dist
import torch
from pyro.distributions.transforms import OrderedTransform


def model(y):
    weights = pyro.sample("weights", dist.Dirichlet(torch.tensor([2.0, 4.0])))
    free = dist.Normal(torch.tensor([-2.0, 1.0]), 1.0).to_event(1)
    loc = pyro.sample("loc", dist.TransformedDistribution(free, OrderedTransform()))
    with pyro.plate("components", 2):
        scale = pyro.sample("scale", dist.LogNormal(0.0, 0.5))
    with pyro.plate("rows", len(y)):
        z = pyro.sample("z", dist.Categorical(weights), infer={"enumerate": "parallel"})
        pyro.sample("obs", dist.Normal(loc[z], scale[z]), obs=y)
