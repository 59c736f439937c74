"""A sound backend, for whatever method: every faulty one is a change to it."""

import dataclasses

import numpy as np

from bayescore.backend import Backend, Fit
from bayescore.density import specification
from bayescore.density.guide import gaussian_moments
from bayescore.exact.backend import ExactBackend
from bayescore.methods import Exact
from bayescore.model.posterior import label


class Sound(Backend):
    """Independent draws from the exact posterior, for whatever method; every fault is a change to it."""

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        total = method.draws * getattr(method, "chains", 1)
        exact = ExactBackend().fit(regression, data, Exact(total), seed=seed)
        iterates = {}
        if method.name == "svi":
            noise = np.random.default_rng(seed).normal(size=(2, 500, len(regression.parameters)))
            iterates = {"loc": 0.01 * noise[0], "log_scale": 0.01 * noise[1]}
        return Fit(regression, method, exact, iterates=iterates)

    def sample_posterior(self, fit, *, seed):
        exact = ExactBackend().sample_posterior(fit.native, seed=seed)
        chains = getattr(fit.method, "chains", 1)
        draws = {name: v.reshape(chains, -1, *v.shape[2:]) for name, v in exact.draws.items()}
        draws = self.changed(fit.regression, draws, np.random.default_rng(seed))
        return self.labelled(fit, draws, exact)

    def changed(self, regression, draws, rng):
        """The draws, as they are handed over."""
        return draws

    def labelled(self, fit, draws, exact):
        """With the moments that the method has."""
        kind = fit.method.kinds[0]
        moments = {"exact": exact.moments, "guide": _of_guide(fit.regression, exact)}.get(kind)
        return label(fit.regression, draws, kind=kind, moments=moments)

    def log_density(self, regression, data, values):
        return specification.log_density(regression, data, values)


def _of_guide(regression, exact):
    """Moments of the draws as those of a Gaussian guide, with the Monte Carlo errors of a good one."""
    m = exact.moments
    error = 0.005 * np.sqrt(np.diag(m.unconstrained_cov))
    found = gaussian_moments(regression, m.unconstrained_mean, m.unconstrained_cov, np.diag(error**2), error)
    return dataclasses.replace(found, mean=m.mean, sd=m.sd)
