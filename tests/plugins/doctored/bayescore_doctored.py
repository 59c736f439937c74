"""NumPyro with a prior read wrongly: the scale of every coefficient's is ten times too large."""

from collections.abc import Iterator
from dataclasses import replace

from bayescore_numpyro import plugin

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl
from bayescore.model.distributions import Normal
from bayescore.model.regression import Regression


def doctor(regression: Regression) -> Regression:
    """The same regression with beta ~ Normal(loc, 10 scale)."""
    return replace(regression, beta=tuple(Normal(p.loc, 10 * p.scale) for p in regression.beta))


def make(precision: Precision) -> Backend:
    """Make the backend."""
    from bayescore_numpyro.backend import NumPyroBackend

    class Doctored(NumPyroBackend):
        def build_data(self, regression, data):
            return super().build_data(doctor(regression), data)

        def fit(self, regression, data, method, **more):
            return replace(super().fit(doctor(regression), data, method, **more), regression=regression)

    return Doctored(precision)


@hookimpl
def bayescore_backends() -> Iterator[BackendInfo]:
    """Declare what the honest one does."""
    info = next(iter(plugin.bayescore_backends()))
    yield replace(info, name="doctored", factory=make)
