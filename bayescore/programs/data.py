"""The data of programs: their arguments by name, from a file or from Python."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from bayescore.errors import DataError, StatementError, in_one_line, suggest
from bayescore.printable import shown
from bayescore.programs import source
from bayescore.system import paths

Arguments = Mapping[str, Any]
_KINDS = "a JSON object, an NPZ, a CSV, or FILE.py:FUNCTION that returns a dictionary"


def read(text: str) -> dict[str, Any]:
    """Data from a file, as ``schools.json``, or from a function of a file, as ``data.py:load``.

    Raises
    ------
    DataError
        There is no such file, or it can't be used.
    """
    file, colon, function = text.rpartition(":")
    if colon and file.endswith(".py") and function.isidentifier():
        return arguments(_called(Path(file), function), text)
    path = Path(text)
    readers = {".json": _json, ".npz": _npz, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise DataError(f"data of programs are {_KINDS}, not {text!r}")
    if not paths.is_file(path):
        raise DataError(f"no file {text!r}: data of programs are {_KINDS}")
    try:
        return arguments(readers[path.suffix.lower()](path), text)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{text!r} can't be read: {in_one_line(error)}") from error


def arguments(given: object, where: str = "data") -> dict[str, Any]:
    """Data as a program's arguments: numbers and texts as they are, everything else as arrays.

    Raises
    ------
    DataError
        It is no mapping of names, or a value is no array of numbers.
    """
    if not isinstance(given, Mapping):
        raise DataError(f"{where}: data are arguments by name, as {{'y': y, 'sigma': sigma}}, not {shown(given)}")
    wrong = [name for name in given if not isinstance(name, str) or not name.isidentifier()]
    if wrong:
        raise DataError(f"{where}: {shown(wrong[0])} can't be the name of an argument")
    return {name: _argument(f"{where}: {name!r}", value) for name, value in given.items()}


def _argument(what: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} is no array: {in_one_line(error)}") from error
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what} is no array of numbers: its elements are {array.dtype}")
    return array


def check(whose: str, function: Callable[..., Any], given: Arguments) -> None:
    """Hold data against a function's arguments.

    Raises
    ------
    StatementError
        One is without the other.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a callable that says nothing of itself
        return
    kinds = inspect.Parameter
    named = [n for n, p in parameters.items() if p.kind in {kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY}]
    takes_all = any(p.kind is kinds.VAR_KEYWORD for p in parameters.values())
    absent = [n for n in named if n not in given and parameters[n].default is kinds.empty]
    if absent:
        raise StatementError(f"{whose} takes {_list(named)}, and the data have no {absent[0]!r}")
    unknown = [n for n in given if n not in named]
    if unknown and not takes_all:
        raise StatementError(
            f"{whose} takes {_list(named) or 'no argument'}, and the data have {unknown[0]!r}"
            f"{suggest(unknown[0], named)}"
        )


def fingerprint(given: Arguments) -> str:
    """Of all of it."""
    digest = sha256()
    for name, value in sorted(given.items()):
        digest.update(name.encode())
        if isinstance(value, np.ndarray):
            digest.update(repr((value.shape, value.dtype.str)).encode() + np.ascontiguousarray(value).tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def described(given: Arguments) -> dict[str, str]:
    """Of each argument its shape, or its value."""
    return {
        name: f"array {value.shape}" if isinstance(value, np.ndarray) else repr(value) for name, value in given.items()
    }


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: value if value.ndim else value.item() for name, value in file.items()}


def _csv(path: Path) -> dict[str, Any]:
    import pandas as pd

    table = pd.read_csv(path)
    missing = [str(name) for name in table.columns if table[name].isna().any()]
    if missing:
        raise DataError(f"{str(path)!r}: column {missing[0]!r} has missing values, which a program can't take")
    return {str(name): table[name].to_numpy() for name in table.columns}


def _called(path: Path, function: str) -> Any:
    """What a function of a person's file returns."""
    if not paths.is_file(path):
        raise DataError(f"no file {str(path)!r}: data of programs are {_KINDS}")
    try:
        return getattr(source.run(path), function)()
    except Exception as error:  # a person's code
        raise DataError(f"{path}:{function} gives no data: {in_one_line(error)}") from error
