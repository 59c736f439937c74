"""An outcome as a netCDF file, and back; what comes back passes the checks of the contract again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.agreement.model_check import ModelCheck
from bayescore.comparison import provenance
from bayescore.comparison.contender import Contender
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.subject import Subject
from bayescore.contract import refit
from bayescore.contract.refit import Attempt
from bayescore.errors import DataError
from bayescore.inference_data import from_arviz, to_datatree
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.plugins.registry import Registered

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
        "contender": outcome.contender.name,
        "seconds": dict(outcome.seconds),
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "score": {} if outcome.predictions is None else dict(outcome.predictions.score),
        "model": None if outcome.model is None else vars(outcome.model),
        "attempts": [vars(attempt) for attempt in outcome.attempts],
        "drawn_on": {"method": str(outcome.contender.method), "said": outcome.drawn_on} if outcome.drawn_on else None,
    }
    dataset = xr.Dataset({name: (_dims(name, values), values) for name, values in arrays.items()})
    dataset.attrs |= {"depends": json.dumps(depends), "record": json.dumps(record)}
    tree = to_datatree(posterior)
    tree["bayescore"] = xr.DataTree(dataset)
    return tree


def _dims(name: str, values: np.ndarray) -> list[str]:
    return [f"{name}_{axis}" for axis in range(values.ndim)]


def from_tree(
    contender: Contender, registered: Registered, subject: Subject, tree: "xr.DataTree", depends: Mapping[str, str]
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
    outcome = _read(contender, registered, tree)
    assert outcome.posterior is not None
    posterior = subject.recheck(registered.info, outcome.contender.method, outcome)
    refit.check(outcome.attempts, posterior)
    return replace(outcome, posterior=posterior)


@dataclass(frozen=True)
class Stored:
    """A fit as it was kept, unchecked: to be looked at."""

    posterior: Posterior
    losses: Array | None
    iterates: Mapping[str, Array]


def fitted(tree: "xr.DataTree") -> tuple[str, Stored]:
    """Whose fit a file has, and what it is; a damaged file can raise whatever its reader does."""
    dataset = tree["bayescore"].to_dataset()
    arrays = _arrays(dataset)
    name = str(json.loads(dataset.attrs["record"])["contender"])
    return name, Stored(from_arviz(tree), arrays.get("losses"), _part(arrays, "iterates_"))


def _arrays(dataset: "xr.Dataset") -> dict[str, np.ndarray]:
    return {str(name): np.asarray(variable.values) for name, variable in dataset.data_vars.items()}


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def _read(contender: Contender, registered: Registered, tree: "xr.DataTree") -> Outcome:
    dataset = tree["bayescore"].to_dataset()
    record: dict[str, Any] = json.loads(dataset.attrs["record"])
    arrays = _arrays(dataset)
    drawn_on = record["drawn_on"]
    if drawn_on is not None:
        contender = contender.with_method(registered.info.read(drawn_on["method"]))
    predictions = _part(arrays, "predictions_")
    return Outcome(
        contender,
        "ok",
        seconds=record["seconds"],
        peak_memory_bytes=record["peak_memory_bytes"],
        posterior=from_arviz(tree),
        predictions=Predictions(**predictions, score=record["score"]) if predictions else None,
        losses=arrays.get("losses"),
        iterates=_part(arrays, "iterates_"),
        model=ModelCheck(**record["model"]) if record["model"] else None,
        attempts=tuple(Attempt(**one) for one in record["attempts"]),
        drawn_on="" if drawn_on is None else drawn_on["said"],
    )
