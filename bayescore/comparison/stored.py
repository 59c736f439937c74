"""An outcome as a netCDF file, and back; what comes back passes the checks of the contract again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Backend, Fit, NativeData, Progress, no_limits, no_progress
from bayescore.comparison import provenance
from bayescore.comparison.contender import Contender
from bayescore.comparison.outcome import Outcome
from bayescore.contract import refit
from bayescore.contract.checked import Checked
from bayescore.contract.refit import Attempt
from bayescore.errors import DataError
from bayescore.inference_data import from_arviz, to_datatree
from bayescore.methods import Method
from bayescore.model.data import Data
from bayescore.model.distributions import Array
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.model.regression import Regression
from bayescore.plugins.registry import Registered
from bayescore.tables.problem import Problem

if TYPE_CHECKING:
    import xarray as xr


def to_tree(outcome: Outcome, depends: Mapping[str, str]) -> "xr.DataTree":
    """Its posterior as ArviZ has it, with a group ``bayescore`` for the rest and for what the fit depends on."""
    import xarray as xr

    posterior = outcome.posterior
    assert posterior is not None
    arrays: dict[str, np.ndarray] = {f"iterates_{name}": values for name, values in outcome.iterates.items()}
    if outcome.losses is not None:
        arrays["losses"] = outcome.losses
    if outcome.predictions is not None:
        names = [f.name for f in fields(Predictions) if f.name != "score"]
        arrays |= {f"predictions_{name}": getattr(outcome.predictions, name) for name in names}
    record: dict[str, Any] = {
        "seconds": dict(outcome.seconds),
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "score": {} if outcome.predictions is None else dict(outcome.predictions.score),
        "model": None if outcome.model is None else vars(outcome.model),
        "attempts": [vars(attempt) for attempt in outcome.attempts],
    }
    dataset = xr.Dataset({name: (_dims(name, values), values) for name, values in arrays.items()})
    dataset.attrs |= {"depends": json.dumps(depends), "record": json.dumps(record)}
    tree = to_datatree(posterior)
    tree["bayescore"] = xr.DataTree(dataset)
    return tree


def _dims(name: str, values: np.ndarray) -> list[str]:
    return [f"{name}_{axis}" for axis in range(values.ndim)]


def from_tree(
    contender: Contender, registered: Registered, problem: Problem, tree: "xr.DataTree", depends: Mapping[str, str]
) -> Outcome:
    """A stored outcome that has passed the checks of a fresh one.

    Raises
    ------
    BayescoreError
        It depends on something that has changed, or is not what the contract asks for. A
        damaged file can raise whatever its reader does.
    """
    changed = provenance.difference(json.loads(tree["bayescore"].attrs["depends"]), depends)
    if changed:
        raise DataError(changed)
    outcome = _read(contender, tree)
    assert outcome.posterior is not None
    info = replace(registered.info, limits=no_limits)  # it was asked already
    backend = Checked(_Stored(outcome), info)
    backend.fit(problem.regression, None, contender.method, seed=0)
    posterior = backend.sample_posterior(Fit(problem.regression, contender.method, None), seed=0)
    refit.check(outcome.attempts, posterior)
    _check_predictions(outcome.predictions, problem)
    return replace(outcome, posterior=posterior)


def _check_predictions(predictions: Predictions | None, problem: Problem) -> None:
    if predictions is None:
        raise DataError("its predictions are missing")
    categories = problem.regression.categories
    shape = (problem.new_data.rows, len(categories)) if categories else (problem.new_data.rows,)
    for f in fields(Predictions):
        values = getattr(predictions, f.name)
        if f.name != "score" and (values.shape != shape or not np.isfinite(predictions.mean).all()):
            raise DataError(f"predictions: {f.name} is not as it was written")


@dataclass(frozen=True)
class _Stored(Backend):
    """A backend that gives back what was kept, so that it passes the checks that every fit passes."""

    outcome: Outcome

    def build_data(self, regression: Regression, data: Data) -> NativeData:
        raise NotImplementedError

    def fit(
        self,
        regression: Regression,
        data: NativeData,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        return Fit(regression, method, None, self.outcome.losses, self.outcome.iterates)

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        assert self.outcome.posterior is not None
        return self.outcome.posterior

    def predict(
        self, fit: Fit, posterior: Posterior, new_data: Data, *, kind: Literal["mean", "response"] = "mean", seed: int
    ) -> Array:
        raise NotImplementedError


def _read(contender: Contender, tree: "xr.DataTree") -> Outcome:
    dataset = tree["bayescore"].to_dataset()
    record: dict[str, Any] = json.loads(dataset.attrs["record"])
    arrays = {str(name): np.asarray(variable.values) for name, variable in dataset.data_vars.items()}

    def part(prefix: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}

    predictions = part("predictions_")
    return Outcome(
        contender,
        "ok",
        seconds=record["seconds"],
        peak_memory_bytes=record["peak_memory_bytes"],
        posterior=from_arviz(tree),
        predictions=Predictions(**predictions, score=record["score"]) if predictions else None,
        losses=arrays.get("losses"),
        iterates=part("iterates_"),
        model=ModelCheck(**record["model"]) if record["model"] else None,
        attempts=tuple(Attempt(**one) for one in record["attempts"]),
    )
