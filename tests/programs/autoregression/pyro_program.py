"""AR(1) in lagged vectors; its first value is stationary, and enters as a factor."""

import pyro
import pyro.distributions as dist
import torch


def model(y):
    mu = pyro.sample("mu", dist.Normal(0.0, 2.0))
    phi = pyro.sample("phi", dist.Uniform(-1.0, 1.0))
    sigma2 = pyro.sample("sigma2", dist.InverseGamma(3.0, 2.0))
    start = dist.Normal(mu, torch.sqrt(sigma2 / (1 - phi**2)))
    pyro.factor("start", start.log_prob(y[0]))
    with pyro.plate("steps", len(y) - 1):
        pyro.sample("obs", dist.Normal(mu + phi * (y[:-1] - mu), torch.sqrt(sigma2)), obs=y[1:])
