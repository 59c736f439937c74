"""A worker's outcome on its way to the parent, and what workers tell one another: files of ours and NumPy's alone.

A pickle runs what it names when it is read. So only classes of the core and NumPy's are
let through: what a plugin put among its results, or wrote in their place, is refused.
"""

import io
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import LogDensity
from bayescore.comparison.meeting import given_in, met_in
from bayescore.comparison.outcome import Outcome
from bayescore.contract.refit import Attempt
from bayescore.model.posterior import Moments, Posterior
from bayescore.model.predictions import Predictions
from bayescore.plugins.registry import Origin
from bayescore.program import ProgramSite

_NAME = "outcome.pickle"
_NUMPY = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
_RESULTS = (Outcome, Predictions, Attempt, Posterior, Moments, ModelCheck, Origin, ProgramSite, LogDensity)
_OURS = {(cls.__module__, cls.__name__) for cls in _RESULTS}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMPY | _OURS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a result")


def give(given: object, folder: Path, number: int) -> None:
    """Put what a contender tells the others into its folder."""
    given_in(folder, number).write_bytes(pickle.dumps(given))


def met(folder: Path, number: int) -> dict[str, Any] | None:
    """What all have told in a round, by their names; None where some haven't yet.

    Raises
    ------
    UnpicklingError
        It holds what is no part of a result.
    """
    path = met_in(folder, number)
    if not path.is_file():
        return None
    parts: dict[str, bytes] = _read(path.read_bytes())
    return {name: _read(content) for name, content in parts.items()}


def _read(content: bytes) -> Any:
    return _Reader(io.BytesIO(content)).load()


def write(outcome: Outcome, folder: Path) -> None:
    """Hand an outcome over, whole or not at all, without its contender, which the parent knows."""
    unfinished = folder / "outcome.unfinished"
    with unfinished.open("wb") as stream:
        pickle.dump(replace(outcome, contender=None), stream)  # type: ignore[arg-type]
    unfinished.rename(folder / _NAME)


def read(folder: Path) -> Outcome | None:
    """The outcome that lies in a folder, without its contender; None where there is none.

    Raises
    ------
    UnpicklingError
        It holds what is no part of a result.
    """
    path = folder / _NAME
    if not path.is_file():
        return None
    found = _read(path.read_bytes())
    if not isinstance(found, Outcome):
        raise pickle.UnpicklingError(f"a {type(found).__name__} is no outcome")
    return found
