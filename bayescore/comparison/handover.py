"""A worker's outcome on its way to the parent: a file that can hold nothing but ours and NumPy's.

A pickle runs what it names when it is read. So only classes of the core and NumPy's are
let through: what a plugin put among its results, or wrote in their place, is refused.
"""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayescore.agreement.model_check import ModelCheck
from bayescore.comparison.outcome import Outcome
from bayescore.contract.refit import Attempt
from bayescore.model.posterior import Moments, Posterior
from bayescore.model.predictions import Predictions
from bayescore.plugins.registry import Origin

_NAME = "outcome.pickle"
_NUMPY = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
_OURS = {
    (cls.__module__, cls.__name__) for cls in (Outcome, Predictions, Attempt, Posterior, Moments, ModelCheck, Origin)
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMPY | _OURS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a result")


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
    with path.open("rb") as stream:
        found = _Reader(stream).load()
    if not isinstance(found, Outcome):
        raise pickle.UnpicklingError(f"a {type(found).__name__} is no outcome")
    return found
