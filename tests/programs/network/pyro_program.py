"""One hidden layer of two units, told apart by the priors of their biases and of what they give."""

import pyro
import pyro.distributions as dist
import torch


def model(x, y):
    units = 2
    with pyro.plate("units", units):
        weight = pyro.sample("hidden.weight", dist.Normal(0.0, 1.0).expand([x.shape[1]]).to_event(1))
        bias = pyro.sample("hidden.bias", dist.Normal(torch.linspace(-1.0, 1.0, units), 0.3))
        out = pyro.sample("out.weight", dist.HalfNormal(1.0))
    precision = pyro.sample("precision", dist.Gamma(4.0, 0.2))
    hidden = torch.tanh((x[:, None, :] * weight).sum(-1) + bias)
    mean = pyro.deterministic("mean", hidden @ out)
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Normal(mean, precision**-0.5), obs=y)
