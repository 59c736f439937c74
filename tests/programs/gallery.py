"""The gallery: models that are written twice, in Pyro and in NumPyro, with data; and their faulty ports.

Each model has a folder beside this file with ``pyro_program.py`` and ``numpyro_program.py``, both with
a function ``model`` whose sites have the same names and shapes, and ``data.json``, its arguments.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from faults import Fault

HERE = Path(__file__).resolve().parent
MODELS = tuple(sorted(path.parent.name for path in HERE.glob("*/data.json")))
Side = Literal["pyro", "numpyro"]
SIDES: tuple[Side, ...] = get_args(Side)


def program(model: str, side: Side) -> Path:
    """The file of a model's program in one library."""
    return HERE / model / f"{side}_program.py"


def data_file(model: str) -> Path:
    """The file of a model's data."""
    return HERE / model / "data.json"


def data(model: str) -> dict[str, Any]:
    """A model's arguments by name: lists as NumPy arrays, single numbers as they are."""
    found = json.loads(data_file(model).read_text())
    return {name: np.array(value) if isinstance(value, list) else value for name, value in found.items()}


def faulty(fault: Fault, folder: Path) -> Path:
    """Write the program with a fault into a folder.

    Raises
    ------
    ValueError
        What the fault replaces is not in the program exactly once.
    """
    text = program(fault.model, fault.side).read_text()
    if text.count(fault.old) != 1:
        raise ValueError(
            f"{fault.name}: {fault.old!r} is {text.count(fault.old)} times in {fault.side}'s {fault.model}"
        )
    path = folder / f"{fault.side}_{fault.name.replace('-', '_')}.py"
    path.write_text(text.replace(fault.old, fault.new))
    return path


def load(path: Path) -> Callable[..., Any]:
    """The function ``model`` of a file."""
    specification = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    model: Callable[..., Any] = module.model
    return model
