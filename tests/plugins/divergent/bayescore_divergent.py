"""Backends whose draws are exact and said to diverge, as often as each target of acceptance has it."""

import os
import signal
import time

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl, no_limits
from bayescore.exact.backend import ExactBackend
from bayescore.methods import Exact
from bayescore.model.posterior import label

COUNTS = {
    "settles": {0.8: 3},
    "settles_late": {0.8: 7, 0.95: 1},
    "goes_on": {0.8: 4, 0.95: 3, 0.97: 3, 0.99: 2},
    "gets_worse": {0.8: 4, 0.95: 1, 0.99: 2},
    "stays": {0.8: 1, 0.95: 1, 0.99: 1},
    "silent": {},
    "cancels": {0.8: 2, 0.95: 2, 0.99: 2},
    "forgets": {0.8: 3},
    "breaks": {0.8: 3},
    "hangs": {0.8: 1},
    "dies": {0.8: 1},
    "declines": {0.8: 3},
}
"""By backend the divergent transitions at each target, none at another; the second half do what they are called."""


class Divergent(Backend):
    """Exact draws in chains; beside them stands how each was fitted."""

    def __init__(self, name):
        self.name = name
        self.counts = COUNTS[name]

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=lambda step, total, **figures: None):
        if method.target_accept > 0.8:
            self.again()
        progress(1, 1, acceptance=method.target_accept)
        exact = ExactBackend().fit(regression, data, Exact(method.chains * method.draws), seed=seed)
        return Fit(regression, method, (exact, seed), seconds={"compile": 0.5})

    def again(self):
        """What becomes of a second fit."""
        if self.name == "breaks":
            raise FloatingPointError("the step size is 0")
        if self.name == "hangs":
            time.sleep(1000.0)
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)

    def sample_posterior(self, fit, *, seed):
        exact, fit_seed = fit.native
        shape, target = (fit.method.chains, fit.method.draws), fit.method.target_accept
        flat = ExactBackend().sample_posterior(exact, seed=seed)
        draws = {name: v.reshape(*shape, *v.shape[2:]) for name, v in flat.draws.items()}
        told = {"target": target, "fit_seed": fit_seed, "draw_seed": seed}
        stats = {name: np.full(shape, value) for name, value in told.items()}
        count = min(self.counts.get(target, 0), int(np.prod(shape)))
        if not (self.name == "silent" or (self.name == "forgets" and target > 0.8)):
            diverging = np.arange(np.prod(shape)).reshape(shape) < count
            alternating = np.where(np.arange(shape[1]) % 2, -1.0, 1.0)
            stats["diverging"] = diverging * alternating if self.name == "cancels" else diverging
        return label(fit.regression, draws, sample_stats=stats)


def _declines(regression, method):
    return "never: its steps have one size" if getattr(method, "target_accept", 0.8) != 0.8 else None


@hookimpl
def bayescore_backends():
    for name in COUNTS:
        yield BackendInfo(
            name=name,
            factory=lambda precision, name=name: Divergent(name),
            supports={"family:Gaussian", "link:identity", "prior:coefficient:Normal", "method:nuts"}
            | {"precision:float64"},
            limits=_declines if name == "declines" else no_limits,
            default_method="nuts",
        )
