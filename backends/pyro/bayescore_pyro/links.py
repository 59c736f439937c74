"""Functions of the linear predictor that lose no digits in the tails."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def log_ndtr(x: Tensor) -> Tensor:
    """Log of the standard normal distribution function; torch's own can't be vectorized by vmap."""
    low, high = x.clamp(max=0.0), x.clamp(min=0.0)
    tail = (0.5 * torch.special.erfcx(-low / math.sqrt(2.0))).log() - 0.5 * low**2
    return torch.where(x < 0.0, tail, torch.log1p(-0.5 * torch.erfc(high / math.sqrt(2.0))))


def log_expm1_exp(eta: Tensor) -> Tensor:
    """Log(exp(exp(eta)) - 1), the logit of 1 - exp(-exp(eta))."""
    hazard = eta.clamp(max=math.log(torch.finfo(eta.dtype).max) - 1.0).exp()
    # log(1 - exp(-hazard)) is eta where the hazard is small; the clamp keeps the other branch finite there
    log_success = torch.where(eta < -30.0, eta, (-torch.expm1(-hazard.clamp(min=1e-14))).log())
    return log_success + hazard


def log_ordered(eta: Tensor, threshold: Tensor) -> Tensor:
    """Log probabilities (..., category) of a cumulative logit.

    Pyro's OrderedLogistic takes differences of probabilities, which loses the digits of small ones.
    """
    above = threshold - eta[..., None]
    low, high = above[..., :-1], above[..., 1:]
    between = torch.log(-torch.expm1(low - high)) + logsigmoid(-low) + logsigmoid(high)
    return torch.cat([logsigmoid(above[..., :1]), between, logsigmoid(-above[..., -1:])], -1)
