"""A contender's share of comparing a regression: its density, its fit, its predictions, and all their checks."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, NativeData, Precision, Progress
from bayescore.contract import refit
from bayescore.contract.checked import Checked, refusal
from bayescore.contract.refit import Attempt, Listener
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

    def open(
        self, info: BackendInfo, make: Callable[[Precision], Backend], precision: Precision
    ) -> "RegressionSession":
        """Make the backend, and import its library."""
        return RegressionSession(self, make, Checked(make(precision), info, precision))


@dataclass(frozen=True, eq=False)
class RegressionSession:
    """A backend at work on a regression."""

    work: RegressionWork
    make: Callable[[Precision], Backend]
    backend: Checked

    @property
    def seconds(self) -> Mapping[str, float]:
        """Wall time by phase, so far."""
        return self.backend.seconds

    @cached_property
    def _native(self) -> NativeData:
        return self.backend.build_data(self.work.regression, self.work.data)

    def build(self) -> None:
        """Carry the data over."""
        _ = self._native

    def densities(self) -> tuple[Sequence[LogDensity], Sequence[LogDensity] | None] | None:
        """Log densities at the points, and for float32 those in float64; None where it gives none."""
        if "feature:log_density" not in self.backend.info.declared():
            return None
        start = time.perf_counter()
        found, again = self._at_points(self.backend, self._native), None
        if self.backend.precision == "float32":
            precise = self.work.open(self.backend.info, self.make, "float64")
            again = self._at_points(precise.backend, precise._native)
        self.backend.seconds["log_density"] = time.perf_counter() - start
        return found, again

    def _at_points(self, backend: Checked, native: NativeData) -> list[LogDensity]:
        return [backend.log_density(self.work.regression, native, point) for point in self.work.points]

    def fit(
        self,
        method: Method,
        *,
        seeds: tuple[int, int],
        attempts: list[Attempt],
        again: bool,
        phase: Listener,
        progress: Progress,
    ) -> tuple[Fit, Posterior]:
        """As `bayescore.contract.refit.fit`."""
        work = self.work
        made = refit.fit(
            self.backend,
            work.regression,
            self._native,
            method,
            seeds=seeds,
            attempts=attempts,
            again=again,
            phase=phase,
            progress=progress,
        )
        self.backend.check_log_joint(work.regression, work.data, made[1])
        return made

    def predict(self, fit: Fit, posterior: Posterior, *, seed: int) -> Predictions:
        """The expected response in the rows to predict; responses are held against the draws."""
        start = time.perf_counter()
        predictions = summarize_predictions(self.backend, fit, posterior, self.work.new_data, seed)
        self.backend.check_responses(fit, posterior, self.work.new_data, seed=seed)
        self.backend.seconds["predict"] = time.perf_counter() - start
        return predictions
