"""A stranger's backend: random-walk Metropolis in NumPy, in the place of NUTS."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl
from bayescore.density import coordinates, specification
from bayescore.model.posterior import label

_MOVES = 5
"""Metropolis moves for every draw that is kept."""


@dataclass(frozen=True)
class Chains:
    """The draws of a fit."""

    draws: Mapping[str, np.ndarray]


class Tiny(Backend):
    """Metropolis (1953) on the coordinates that the core gives to every backend."""

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=lambda step, total, **figures: None):
        rng = np.random.default_rng(seed)
        space = coordinates.for_method(regression, data, method)
        joint = specification.LogJoint(regression, data)

        def log_density(z):
            values, log_det = space.mapped(z)
            return joint(values) + log_det

        z = 0.1 * rng.standard_normal((method.chains, space.size))
        now = log_density(z)
        kept = np.empty((method.chains, method.draws, space.size))
        total = method.warmup + method.draws
        for step in range(total):
            for _ in range(_MOVES if step >= method.warmup else 1):
                proposal = z + 2.38 / np.sqrt(space.size) * rng.standard_normal(z.shape)
                then = log_density(proposal)
                accepted = np.log(rng.random(method.chains)) < then - now
                z, now = np.where(accepted[:, None], proposal, z), np.where(accepted, then, now)
            if step >= method.warmup:
                kept[:, step - method.warmup] = z
        progress(total, total)
        return Fit(regression, method, Chains(space.constrained(kept)))

    def sample_posterior(self, fit, *, seed):
        return label(fit.regression, fit.native.draws)


@hookimpl
def bayescore_backends():
    yield BackendInfo(
        name="tiny",
        factory=lambda precision: Tiny(),
        supports={
            "family:Gaussian",
            "family:Bernoulli",
            "family:Ordinal",
            "link:identity",
            "link:logit",
            "prior:coefficient:Normal",
            "prior:coefficient:AtMeans",
            "prior:auxiliary:HalfNormal",
            "prior:auxiliary:Exponential",
            "prior:correlation:LKJ",
            "feature:offset",
            "feature:weights",
            "feature:groups",
            "method:nuts",
            "precision:float64",
        },
        gaps={"method:svi": "never: tiny has no guide"},
        default_method="nuts",
    )
