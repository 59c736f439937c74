"""The four verbs, in Pyro, and programs of one's own."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal

from bayescore.backend import Backend, Fit, LogDensity, Precision, Progress, no_progress
from bayescore.density.coordinates import for_method
from bayescore.methods import MLE, Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior, label
from bayescore.model.regression import Regression
from bayescore.program import ProgramBackend
from bayescore_pyro import mle
from bayescore_pyro.density import Density
from bayescore_pyro.found import Found
from bayescore_pyro.inference import infer
from bayescore_pyro.isolation import isolated
from bayescore_pyro.prediction import predict
from bayescore_pyro.programs.program import PyroProgram
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.rows import Rows, to_tensors
from bayescore_pyro.stated import state


@dataclass(frozen=True)
class Native:
    """A regression's data, as they came and as tensors."""

    data: Data
    rows: Rows


class PyroBackend(Backend, ProgramBackend):
    """Pyro behind the contract, in one precision.

    Parameters
    ----------
    precision
        Of every tensor; coordinates and summaries are float64 in any case.

    Notes
    -----
    ``SVI(guide=...)`` takes a Pyro guide of one's own. It is called as
    ``guide(coordinates)`` with `bayescore.density.coordinates.Coordinates`, and samples a site
    "z" of shape (d,) = (coordinates.size,), its dimension an event, under whatever plates
    it is run in; z = 0 is the mode, and scale 1 is the posterior's. Its last parameters
    are its estimate. A class, such as Pyro's ``AutoMultivariateNormal``, is made from the
    model first.
    """

    def __init__(self, precision: Precision = "float64") -> None:
        self.precision: Precision = precision

    def build_data(self, regression: Regression, data: Data) -> Native:
        with isolated(self.precision):
            return Native(data, to_tensors(replace(data, y=data.observed)))  # which refuses rows without a response

    def fit(
        self,
        regression: Regression,
        data: Native,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        coordinates = for_method(regression, data.data, method)
        with isolated(self.precision, seed):
            if isinstance(method, MLE):
                outcome = mle.fit(regression, data.data, data.rows, coordinates, method, progress)
            else:
                target = Density(state(regression), data.rows, coordinates)
                outcome = infer(target, method, seed, progress)
        return Fit(regression, method, outcome, outcome.losses, outcome.iterates, outcome.seconds)

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        outcome: Found = fit.native
        with isolated(self.precision, seed):
            draws, stats = outcome.draw(seed)
        moments = None if outcome.moments is None else outcome.moments(fit.regression)
        return label(fit.regression, draws, sample_stats=stats, moments=moments, kind=fit.method.kinds[0])

    def predict(
        self,
        fit: Fit,
        posterior: Posterior,
        new_data: Data,
        *,
        kind: Literal["mean", "response"] = "mean",
        seed: int,
    ) -> Array:
        with isolated(self.precision, seed):
            return predict(state(fit.regression), posterior.draws, to_tensors(new_data), kind)

    def log_density(self, regression: Regression, data: Native, values: Mapping[str, Array]) -> LogDensity:
        with isolated(self.precision):
            return state(regression).log_density(data.rows, values)

    def loading(self) -> AbstractContextManager[None]:
        return isolated(self.precision)

    def program(
        self, function: Callable[..., Any], data: Mapping[str, Any], *, guide: Callable[..., Any] | None = None
    ) -> PyroProgram:
        return PyroProgram(Sited(function, dict(data), self.precision), guide)
