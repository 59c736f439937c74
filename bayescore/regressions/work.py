"""A contender's share of comparing a regression: its density, its fit, its predictions, and all their checks."""

import time
from dataclasses import dataclass
from functools import cached_property

from bayescore.agreement import model_check
from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, NativeData, Precision, Progress
from bayescore.contract.checked import Checked, refusal
from bayescore.density.target import Values
from bayescore.methods import Method
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.model.regression import Regression
from bayescore.regressions.predictions import summarize_predictions
from bayescore.regressions.target import RegressionTarget


@dataclass(frozen=True)
class RegressionWork:
    """What a process needs to fit a regression.

    Attributes
    ----------
    points
        Where log densities are compared.
    """

    regression: Regression
    data: Data
    new_data: Data
    points: tuple[Values, ...] = ()

    @property
    def target(self) -> RegressionTarget:
        """What is judged."""
        return RegressionTarget(self.regression, self.data, self.new_data)

    def refusal(self, info: BackendInfo, method: Method, precision: Precision) -> str | None:
        """Why a backend can't do it, or None if it can."""
        return refusal(info, self.regression, method, self.data, precision)

    def open(self, backend: Backend, info: BackendInfo, precision: Precision) -> "RegressionSession":
        """Set a backend to it."""
        return RegressionSession(self, Checked(backend, info, precision))


@dataclass(frozen=True, eq=False)
class RegressionSession:
    """A backend at work on a regression."""

    work: RegressionWork
    backend: Checked

    @property
    def name(self) -> str:
        """The backend's."""
        return self.backend.info.name

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time of the last call of each phase."""
        return self.backend.seconds

    @cached_property
    def _native(self) -> NativeData:
        return self.backend.build_data(self.work.regression, self.work.data)

    def build(self) -> None:
        """Carry the data over."""
        _ = self._native

    def check(self, name: str, meet: object) -> ModelCheck:
        """Hold its log density against the specification's, and for float32 that in float64, too."""
        info = self.backend.info
        if "feature:log_density" not in info.declared():
            return ModelCheck(name, "not-checked", pattern="it gives no log density")
        start = time.perf_counter()
        found, again = self._at_points(), None
        if self.backend.precision == "float32":
            again = self.work.open(info.factory("float64"), info, "float64")._at_points()
        self.seconds["log_density"] = time.perf_counter() - start
        work, precision = self.work, self.backend.precision
        return model_check.check(name, work.target, work.points, found, precision=precision, in_float64=again)

    def _at_points(self) -> list[LogDensity]:
        return [self.backend.log_density(self.work.regression, self._native, point) for point in self.work.points]

    @property
    def settled(self) -> bool:
        """Whether a fit could change nothing any more: what differs is told with its fit."""
        return False

    def review(self, posterior: Posterior, model: ModelCheck, meet: object) -> tuple[Posterior, ModelCheck]:
        """What is said already: points around the posterior are known before."""
        return posterior, model

    @property
    def told(self) -> None:
        """Nothing: the regression says all."""
        return None

    def refusal(self, method: Method) -> str | None:
        """Why it can't fit with a method, or None if it can."""
        return self.work.refusal(self.backend.info, method, self.backend.precision)

    def fit(self, method: Method, *, seed: int, progress: Progress) -> Fit:
        """Fit, warm-up and MCMC draws included."""
        return self.backend.fit(self.work.regression, self._native, method, seed=seed, progress=progress)

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        """Draws of every site; a log joint that they claim is held against the specification."""
        posterior = self.backend.sample_posterior(fit, seed=seed)
        self.backend.check_log_joint(self.work.regression, self.work.data, posterior)
        return posterior

    def predict(self, fit: Fit, posterior: Posterior, *, seed: int) -> Predictions:
        """The expected response in the rows to predict; responses are held against the draws."""
        start = time.perf_counter()
        predictions = summarize_predictions(self.backend, fit, posterior, self.work.new_data, seed)
        self.backend.check_responses(fit, posterior, self.work.new_data, seed=seed)
        self.seconds["predict"] = time.perf_counter() - start
        return predictions
