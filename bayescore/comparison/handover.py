"""A worker's outcome on its way to the parent: a file that can hold nothing but ours and NumPy's.

A pickle runs what it names when it is read. So only classes of the core and NumPy's are
let through: what a plugin put among its results, or wrote in their place, is refused.
"""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayescore.comparison.outcome import Outcome

_NAME = "outcome.pickle"
_NUMPY = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
_OURS = {
    "Outcome": "bayescore.comparison.outcome",
    "Predictions": "bayescore.comparison.outcome",
    "Attempt": "bayescore.comparison.refit",
    "Posterior": "bayescore.model.posterior",
    "Moments": "bayescore.model.posterior",
    "ModelCheck": "bayescore.agreement.model_check",
    "Origin": "bayescore.plugins.registry",
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMPY or _OURS.get(name) == module:
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
