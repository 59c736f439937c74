"""Draws from a fitted Gaussian: what SVI and Laplace share."""

import math

import numpy as np

from bayescore.backend import Fit
from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import GaussianGuide
from bayescore.model import posterior
from bayescore.model.posterior import Posterior


def draw(fit: Fit, seed: int) -> Posterior:
    """Independent draws in one chain, with their log density as values are reported."""
    _, count = fit.method.shape
    assert count is not None
    coordinates: Coordinates
    fitted: GaussianGuide
    coordinates, fitted = fit.native
    noise = np.random.default_rng(seed).standard_normal((1, count, coordinates.size))
    draws, log_slope = coordinates.mapped(fitted.loc + noise @ fitted.scale_tril.T)
    log_det = np.log(np.diag(fitted.scale_tril)).sum() + log_slope
    log_q = -0.5 * (noise**2 + math.log(2.0 * math.pi)).sum(axis=-1) - log_det
    return posterior.label(fit.regression, draws, sample_stats={"log_q": log_q}, moments=fitted.moments, kind="guide")
