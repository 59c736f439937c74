"""Backends that are sound but for one fault each, which is their name."""

import dataclasses
import os
import signal
import sys
import time

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl, no_limits
from bayescore.guide import gaussian_moments
from bayescore.posterior import Posterior, label

_CHAINS, _DRAWS = 4, 100


class Sound(Backend):
    """Draws that have nothing to do with the data, in the right form."""

    fault = ""

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        return Fit(regression, method, seed)

    def sample_posterior(self, fit, *, seed):
        return label(fit.regression, self.draws(fit.regression, seed))

    def draws(self, regression, seed):
        rng = np.random.default_rng(seed)
        values = {site.name: rng.normal(0.0, 1.0, (_CHAINS, _DRAWS, *site.shape)) for site in regression.sites}
        return {name: np.exp(v) if name == "sigma" else v for name, v in values.items()}

    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return np.random.default_rng(seed).normal(size=(*posterior.shape, new_data.rows))


class RaisesInBuildData(Sound):
    def build_data(self, regression, data):
        raise RuntimeError("no room\nfor the data")


class RaisesInFit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        raise ZeroDivisionError("the step size is 0")


class RaisesInSamplePosterior(Sound):
    def sample_posterior(self, fit, *, seed):
        raise KeyError("chain")


class RaisesInPredict(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        raise NotImplementedError


class RaisesInFactory(Sound):
    def __init__(self):
        raise OSError("no device")


class CallsExit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        sys.exit("enough")


class NoFit(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return None


class WrongSites(Sound):
    def draws(self, regression, seed):
        return super().draws(regression, seed) | {"alpha": np.zeros((_CHAINS, _DRAWS))}

    def sample_posterior(self, fit, *, seed):
        draws = self.draws(fit.regression, seed)
        return Posterior({k: v for k, v in draws.items() if k != "intercept"}, {"beta": fit.regression.columns})


class WrongShape(Sound):
    def draws(self, regression, seed):
        draws = super().draws(regression, seed)
        return draws | {"beta": np.zeros((_CHAINS, _DRAWS, 7))}


class WrongLabels(Sound):
    def sample_posterior(self, fit, *, seed):
        return Posterior(self.draws(fit.regression, seed), {"beta": ("other",)})


class NanDraws(Sound):
    def draws(self, regression, seed):
        draws = super().draws(regression, seed)
        draws["beta"][0, 3] = np.nan
        return draws


class IntegerDraws(Sound):
    def sample_posterior(self, fit, *, seed):
        draws = {name: np.ones(v.shape, dtype=int) for name, v in self.draws(fit.regression, seed).items()}
        return Posterior(draws, {"beta": fit.regression.columns})


class NegativeSigma(Sound):
    def draws(self, regression, seed):
        draws = super().draws(regression, seed)
        return draws | {"sigma": -draws["sigma"]}


class NanPredictions(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return np.full((*posterior.shape, new_data.rows), np.nan)


class PredictionsOfTooFewRows(Sound):
    def predict(self, fit, posterior, new_data, *, kind="mean", seed):
        return np.zeros((*posterior.shape, new_data.rows - 1))


class _Moments(Sound):
    def wrong(self):
        return {}

    def sample_posterior(self, fit, *, seed):
        d = len(fit.regression.parameters)
        moments = gaussian_moments(fit.regression, np.zeros(d), np.eye(d), np.zeros(d), np.zeros(d))
        posterior = super().sample_posterior(fit, seed=seed)
        return dataclasses.replace(posterior, moments=dataclasses.replace(moments, **self.wrong()))


class MomentsOfOtherNames(_Moments):
    def wrong(self):
        return {"names": ("a", "b", "c")}


class NanMoments(_Moments):
    def wrong(self):
        return {"mean": np.array([0.0, np.nan, 0.0])}


class MomentsOfWrongShape(_Moments):
    def wrong(self):
        return {"unconstrained_cov": np.eye(2)}


class StatsOfWrongShape(Sound):
    def sample_posterior(self, fit, *, seed):
        stats = {"energy": np.zeros(3)}
        return dataclasses.replace(super().sample_posterior(fit, seed=seed), sample_stats=stats)


class LossesInWords(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return Fit(regression, method, seed, losses="falling")


class IteratesOfOtherNames(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        return Fit(regression, method, seed, iterates={"mu": [1.0, 2.0]})


class KillsItsProcess(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        os.kill(os.getpid(), signal.SIGKILL)


class LeavesQuietly(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        os._exit(0)


class Hangs(Sound):
    def fit(self, regression, data, method, *, seed, progress=None):
        time.sleep(3600)


class Chatters(Sound):
    """No fault: it prints a great deal, some of it like the messages of a worker."""

    def fit(self, regression, data, method, *, seed, progress=None):
        for _ in range(20_000):
            print('{"step": "not a number"}')
            os.write(1, b"straight to the descriptor\n")
        return super().fit(regression, data, method, seed=seed)


class Lies(Sound):
    """No fault of form: enough draws, in perfect health, of something else."""

    def draws(self, regression, seed):
        rng = np.random.default_rng(seed)
        return {site.name: np.exp(rng.normal(0.0, 1.0, (4, 1000, *site.shape))) for site in regression.sites}


class RaisesInLimits(Sound):
    """Its declaration fails when it is asked what it can't do."""


class Braces(Sound):
    """No fault: its declared variable has braces of its own."""

    def fit(self, regression, data, method, *, seed, progress=None):
        assert os.environ["FAULTY"] == "{nowhere}"
        return super().fit(regression, data, method, seed=seed)


def _limits(regression, method):
    raise LookupError("no table\nof limits")


def _all():
    pending, found = [Sound], []
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if not cls.__name__.startswith("_") and cls is not Sound:
            found.append(cls)
    return found


def _name(cls):
    return "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")


@hookimpl
def bayescore_backends():
    for cls in _all():
        yield BackendInfo(
            name=_name(cls),
            factory=lambda precision, cls=cls: cls(),
            supports={
                "family:Gaussian",
                "link:identity",
                "prior:coefficient:Normal",
                "prior:auxiliary:HalfNormal",
                "method:nuts",
                "method:svi",
                "guide:mean_field",
                "precision:float64",
            },
            gaps={"method:map": "not yet: faulty has no optimizer"},
            limits=_limits if cls is RaisesInLimits else no_limits,
            default_method="svi" if cls is IteratesOfOtherNames else "nuts",
            environment={"FAULTY": "{nowhere}"} if cls is Braces else {},
        )
