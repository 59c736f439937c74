"""A mixture of two normals, the components summed out and told apart by the priors of their means."""

import pyro
import pyro.distributions as dist
import torch


def model(y):
    weights = pyro.sample("weights", dist.Dirichlet(torch.tensor([2.0, 4.0])))
    with pyro.plate("components", 2):
        loc = pyro.sample("loc", dist.Normal(torch.tensor([-2.0, 2.0]), 1.0))
        scale = pyro.sample("scale", dist.LogNormal(0.0, 0.5))
    with pyro.plate("rows", len(y)):
        z = pyro.sample("z", dist.Categorical(weights), infer={"enumerate": "parallel"})
        pyro.sample("obs", dist.Normal(loc[z], scale[z]), obs=y)
