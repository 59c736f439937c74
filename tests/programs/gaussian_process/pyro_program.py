"""A Gaussian process of squared exponential kernel, its values summed out."""

import pyro
import pyro.distributions as dist
import torch


def model(x, y):
    lengthscale = pyro.sample("lengthscale", dist.InverseGamma(5.0, 5.0))
    log_scale = pyro.sample("log_scale", dist.Normal(0.0, 0.5))
    noise = pyro.sample("noise", dist.HalfNormal(0.5))
    scale = torch.exp(log_scale)
    kernel = scale**2 * torch.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / lengthscale**2)
    covariance = kernel + (noise**2 + 1e-6) * torch.eye(len(x))
    pyro.sample("obs", dist.MultivariateNormal(torch.zeros(len(x)), covariance), obs=y)
