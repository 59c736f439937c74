"""A stranger's backend: random-walk Metropolis in NumPy, a method of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl
from bayescore.density import coordinates, specification
from bayescore.methods import Kind, Method, Standard, positive, whole
from bayescore.model.posterior import label

_MOVES = 5
"""Metropolis moves for every draw that is kept."""


@dataclass(frozen=True)
class Metropolis(Method):
    """Random-walk Metropolis (1953).

    Attributes
    ----------
    chains, warmup, draws
        Number of chains, and of iterations a chain that are thrown away and kept.
    step
        Of a proposal, in posterior sds, times the square root of the number of parameters.
    """

    name: ClassVar[str] = "metropolis"
    kinds: ClassVar[tuple[Kind, ...]] = ("chains",)
    standard: ClassVar[Standard] = "chains"
    chains: int = whole(4, most=1000)
    warmup: int = whole(1000, least=0, smoke=2)
    draws: int = whole(2500, smoke=2)
    step: float = positive(2.38)


@dataclass(frozen=True)
class Chains:
    """The draws of a fit."""

    draws: Mapping[str, np.ndarray]


class Tiny(Backend):
    """On the coordinates that the core gives to every backend."""

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
                proposal = z + method.step / np.sqrt(space.size) * rng.standard_normal(z.shape)
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
            "precision:float64",
        },
        gaps={"method:svi": "never: tiny has no guide"},
        methods=(Metropolis,),
        default_method="metropolis",
    )
