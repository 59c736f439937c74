"""Contenders of NumPy alone, for documents that are the same on every machine: sound ones, and some that are not."""

import dataclasses

import numpy as np
from bayescore_tiny import Metropolis, Tiny

from bayescore.backend import Backend, BackendInfo, Fit, everything, hookimpl
from bayescore.density import coordinates, specification
from bayescore.density.guide import scale_matrix, summarize
from bayescore.density.mode import laplace, start_of
from bayescore.exact.backend import ExactBackend
from bayescore.methods import SVI, Exact, Laplace
from bayescore.model.posterior import label

_FAR = 20.0
"""Where an optimizer stops that finds no maximum."""


class Numeric(Backend):
    """Independent draws for NUTS, Gaussians at the mode for SVI and Laplace; modes; each change is a fault."""

    def __init__(self, precision):
        self.precision = precision

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=lambda step, total, **figures: None):
        progress(1, 1)
        if isinstance(method, SVI | Laplace):
            return self._guide(regression, data, method, np.random.default_rng(seed))
        if method.estimand != "posterior":
            return Fit(regression, method, self._mode(regression, data, method))
        exact = Exact(method.draws * getattr(method, "chains", 1))
        return Fit(regression, method, ExactBackend().fit(regression, data, exact, seed=seed))

    def _guide(self, regression, data, method, rng):
        """At the mode, with the curvature's scale; its iterates are noise around that."""
        place = coordinates.for_method(regression, data, method)
        steps = 500
        iterates = {
            "loc": 0.02 * rng.standard_normal((steps, place.size)),
            "log_scale": 0.02 * rng.standard_normal((steps, place.size)),
        }
        if getattr(method, "guide", "full_rank") == "full_rank":
            iterates["lower"] = np.zeros((steps, place.size, place.size))
        if isinstance(method, Laplace):
            iterates = {name: np.zeros_like(series) for name, series in iterates.items()}
            return Fit(regression, method, (place, iterates))
        return Fit(regression, method, (place, iterates), np.geomspace(1e3, 1e2, 2 * steps), iterates)

    def _mode(self, regression, data, method):
        joint = specification.LogJoint(regression, data, prior=method.estimand == "map")
        basis = coordinates.standardizing_matrix(regression, data)
        found = laplace(joint, start_of(regression, data), basis, jacobian=False)
        at = np.full(len(regression.parameters), _FAR) if found is None else found[0]
        return coordinates.constrain(regression.slots(), at)

    def sample_posterior(self, fit, *, seed):
        method, rng = fit.method, np.random.default_rng(seed)
        if isinstance(method, SVI | Laplace):
            place, iterates = fit.native
            guide = summarize(fit.regression, place, iterates, average=True)
            noise = rng.standard_normal((1, method.draws, place.size))
            draws = place.constrained(guide.loc + noise @ scale_matrix(_last(iterates)).T)
            return label(fit.regression, draws, kind="guide", moments=guide.moments)
        if method.estimand != "posterior":
            point = {name: np.asarray(value)[None, None] for name, value in fit.native.items()}
            return label(fit.regression, point, kind=method.kinds[0])
        exact = ExactBackend().sample_posterior(fit.native, seed=seed)
        draws = {name: v.reshape(method.chains, -1, *v.shape[2:]) for name, v in exact.draws.items()}
        stats = {"diverging": np.zeros((method.chains, method.draws), dtype=bool)}
        return label(fit.regression, self.changed(draws, rng), sample_stats=stats)

    def changed(self, draws, rng):
        """The draws, as they are handed over."""
        return draws

    def log_density(self, regression, data, values):
        return specification.log_density(regression, self.in_precision(data), values)

    def in_precision(self, data):
        """The data as a tensor library would hold them."""
        return data if self.precision == "float64" else dataclasses.replace(data, x=data.x.astype(np.float32))


def _last(iterates):
    """The averages of iterates."""
    return {name: series.mean(axis=0) for name, series in iterates.items()}


def _standard(values):
    return (values - values.mean()) / values.std()


class Shifted(Numeric):
    """One mean is off by the margin."""

    def changed(self, draws, rng):
        beta = draws["beta"]
        return draws | {"beta": beta.mean() + beta.std() * (_standard(beta) + 0.1)}


class Skewed(Numeric):
    """One shape is another, with the same mean and sd."""

    def changed(self, draws, rng):
        beta = draws["beta"]
        z = _standard(beta)
        return draws | {"beta": beta.mean() + beta.std() * _standard(z + 0.3 * z**2)}


class Wide(Numeric):
    """Sds half as large again."""

    def changed(self, draws, rng):
        beta = draws["beta"]
        return draws | {"beta": beta.mean() + 1.5 * (beta - beta.mean())}


class Heavy(Numeric):
    """Tails so heavy that there is no sd."""

    def changed(self, draws, rng):
        beta = draws["beta"]
        z = _standard(beta)
        return draws | {"beta": beta.mean() + beta.std() * z * np.exp(0.35 * z**2)}


class Apart(Numeric):
    """Two coefficients of columns that are the same are moved against each other."""

    def changed(self, draws, rng):
        beta = draws["beta"]
        return draws | {"beta": beta + 0.5 * beta.std(axis=(0, 1)) * np.array([1.0, -1.0])}


class Again(Numeric):
    """Draws are drawn again, with replacement."""

    def changed(self, draws, rng):
        at = rng.integers(0, draws["intercept"].size, draws["intercept"].shape)
        return {name: v.reshape(-1, *v.shape[2:])[at] for name, v in draws.items()}


class OtherPrior(Numeric):
    """The prior of the coefficients is read with a tenth of its scale."""

    def log_density(self, regression, data, values):
        priors = tuple(dataclasses.replace(prior, scale=0.1 * prior.scale) for prior in regression.beta)
        return super().log_density(dataclasses.replace(regression, beta=priors), data, values)


class Walker(Tiny):
    """Metropolis on any regression, with the specification's log density."""

    def log_density(self, regression, data, values):
        return specification.log_density(regression, data, values)


class Silent(Tiny):
    """The same without a log density."""


class Lost(Numeric):
    """Its fit fails."""

    def fit(self, regression, data, method, *, seed, progress=None):
        raise ZeroDivisionError("the step size is 0")


@hookimpl
def bayescore_backends():
    every = everything() - {"method:exact", "feature:programs", "program:nuts", "program:svi", "program:own_guide"}
    for cls in (Numeric, *Numeric.__subclasses__()):
        name = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")
        yield BackendInfo(name, cls, every - {"feature:groups", "feature:network"}, default_method="nuts")
    gaps = {"method:svi": "never: walker has no guide"}
    walks = {word for word in every if not word.startswith(("method:", "guide:"))}
    own = {"gaps": gaps, "methods": (Metropolis,), "default_method": "metropolis"}
    yield BackendInfo("walker", lambda precision: Walker(), walks, **own)
    yield BackendInfo("silent", lambda precision: Silent(), walks - {"feature:log_density"}, **own)
    yield BackendInfo("absent", Numeric, every, requires=("bayescore_numeric_engine",), default_method="nuts")
