"""Ordered logistic regression of four categories."""

import numpyro
import numpyro.distributions as dist
from numpyro.distributions.transforms import OrderedTransform


def model(x, y):
    beta = numpyro.sample("beta", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
    free = dist.Normal(0.0, 1.0).expand([3]).to_event(1)
    cutpoints = numpyro.sample("cutpoints", dist.TransformedDistribution(free, OrderedTransform()))
    with numpyro.plate("rows", len(y)):
        numpyro.sample("obs", dist.OrderedLogistic(x @ beta, cutpoints), obs=y)
