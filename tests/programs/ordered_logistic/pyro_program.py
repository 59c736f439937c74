"""Ordered logistic regression of four categories."""

import pyro
import pyro.distributions as dist
from pyro.distributions.transforms import OrderedTransform


def model(x, y):
    beta = pyro.sample("beta", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
    free = dist.Normal(0.0, 1.0).expand([3]).to_event(1)
    cutpoints = pyro.sample("cutpoints", dist.TransformedDistribution(free, OrderedTransform()))
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.OrderedLogistic(x @ beta, cutpoints), obs=y)
