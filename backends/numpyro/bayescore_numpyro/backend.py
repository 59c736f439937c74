"""The four verbs, in NumPyro."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Literal

from bayescore.backend import Backend, Fit, LogDensity, Precision, Progress, entry_of, no_progress
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.program import Program, ProgramBackend
from bayescore_numpyro import density, laplace, native, nuts, point, predict, svi
from bayescore_numpyro.form import form_of
from bayescore_numpyro.native import Native
from bayescore_numpyro.precision import precision_of
from bayescore_numpyro.programs.program import NumPyroProgram
from bayescore_numpyro.rows import rows_of

METHODS: dict[str, ModuleType] = {"mle": point, "map": point, "svi": svi, "nuts": nuts, "laplace": laplace}
"""For each method the module with its ``fit`` and ``draw``."""


class NumPyroBackend(Backend, ProgramBackend):
    """Fits regressions and programs of one's own with NumPyro, in one precision."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision

    def build_data(self, regression: Regression, data: Data) -> Native:
        with precision_of(self.precision):
            return native.build(regression, data)

    def fit(
        self,
        regression: Regression,
        data: Native,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        with precision_of(self.precision):
            target = native.locate(regression, data, method)
            module = entry_of(METHODS, method.name, f"the method {method.name}")
            fitted: Fit = module.fit(target, method, seed, progress)
            return fitted

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        with precision_of(self.precision):
            drawn: Posterior = METHODS[fit.method.name].draw(fit, seed)
            return drawn

    def predict(
        self,
        fit: Fit,
        posterior: Posterior,
        new_data: Data,
        *,
        kind: Literal["mean", "response"] = "mean",
        seed: int,
    ) -> Array:
        regression = fit.regression
        with precision_of(self.precision):
            rows, form = rows_of(new_data, regression), form_of(regression)
            return predict.predict(form, regression.family.fixed, posterior.draws, rows, kind, seed)

    def log_density(self, regression: Regression, data: Native, values: Mapping[str, Array]) -> LogDensity:
        with precision_of(self.precision):
            return density.log_density(data, values)

    def loading(self) -> AbstractContextManager[None]:
        return precision_of(self.precision)

    def program(
        self, function: Callable[..., Any], data: Mapping[str, Any], *, guide: Callable[..., Any] | None = None
    ) -> Program:
        return NumPyroProgram(function, data, self.precision, guide)
