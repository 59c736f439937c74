"""Backends whose chains are independent exact draws; in some something happens when they are to be longer."""

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl
from bayescore.exact.backend import ExactBackend
from bayescore.methods import Exact
from bayescore.model.posterior import label

NAMES = ("enduring", "shifted", "tiring")
FEW = 400


class Enduring(Backend):
    """Exact draws.

    ``shifted`` is off by a tenth of an sd in a principal direction of the toy, and ``tiring`` fails
    with more than `FEW` draws a chain.
    """

    def __init__(self, name):
        self.name = name

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=lambda step, total, **figures: None):
        if self.name == "tiring" and method.draws > FEW:
            raise FloatingPointError("no more")
        exact = ExactBackend().fit(regression, data, Exact(method.chains * method.draws), seed=seed)
        return Fit(regression, method, exact, seconds={"compile": 0.5})

    def sample_posterior(self, fit, *, seed):
        shape = (fit.method.chains, fit.method.draws)
        flat = ExactBackend().sample_posterior(fit.native, seed=seed)
        draws = {name: values.reshape(*shape, *values.shape[2:]) for name, values in flat.draws.items()}
        if self.name == "shifted":
            draws["beta"] = draws["beta"] + 0.051 * draws["beta"].std(axis=(0, 1))
        return label(fit.regression, draws, sample_stats={"diverging": np.zeros(shape, dtype=bool)})


@hookimpl
def bayescore_backends():
    for name in NAMES:
        yield BackendInfo(
            name=name,
            factory=lambda precision, name=name: Enduring(name),
            supports={"family:Gaussian", "link:identity", "prior:coefficient:Normal", "method:nuts"}
            | {"precision:float64"},
            default_method="nuts",
        )
