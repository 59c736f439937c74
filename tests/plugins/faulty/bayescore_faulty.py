"""Backends that are sound but for one fault each, which is their name."""

import os
import signal
import sys
import time

import bayescore_faulty_densities  # noqa: F401 (its classes are found as those of Sound)
import bayescore_faulty_draws  # noqa: F401 (its classes are found as those of Sound)
import bayescore_faulty_figures  # noqa: F401 (its classes are found as those of Sound)
import bayescore_faulty_predictions  # noqa: F401 (its classes are found as those of Sound)
from bayescore_faulty_sound import Sound

from bayescore.backend import BackendInfo, hookimpl, no_limits


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


class NeedsWhatIsAbsent(Sound):
    """Its library is not installed."""


class FailsToImport(Sound):
    def __init__(self):
        import bayescore_faulty_engine  # noqa: F401


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
        if not cls.__name__.startswith("_"):
            found.append(cls)
    return found


def name_of(cls):
    """The backend's name."""
    return "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")


@hookimpl
def bayescore_backends():
    for cls in _all():
        yield BackendInfo(
            name=name_of(cls),
            factory=lambda precision, cls=cls: cls(),
            supports={
                "family:Gaussian",
                "link:identity",
                "prior:coefficient:Normal",
                "prior:auxiliary:HalfNormal",
                "method:nuts",
                "method:svi",
                "method:laplace",
                "method:exact",
                "guide:mean_field",
                "feature:offset",
                "feature:log_density",
                "precision:float64",
            },
            gaps={"method:map": "not yet: faulty has no optimizer"},
            limits=_limits if cls is RaisesInLimits else no_limits,
            requires=("bayescore_faulty_engine",) if cls is NeedsWhatIsAbsent else (),
            default_method=_METHODS.get(name_of(cls), "nuts"),
            environment={"FAULTY": "{nowhere}"} if cls is Braces else {},
        )


_METHODS = {
    "iterates_of_other_names": "svi",
    "moments_of_other_names": "laplace",
    "nan_moments": "laplace",
    "moments_of_wrong_shape": "laplace",
    "draws_moved": "laplace",
    "variance_in_moments": "exact",
    "no_correlations": "exact",
    "other_log_joint": "exact",
}
"""Where a fault shows with another method than NUTS."""
