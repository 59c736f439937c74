"""Strangers' plugins, asked in processes of their own: what they declare, and what they can't do.

Whatever such a plugin does when it is loaded or asked (ends the process, hangs, prints,
changes directory) it does to a process that is ended after it has answered, or after
`LIMIT` seconds. Answers come as JSON through a file; nothing of theirs is unpickled here.
"""

import json
import os
import pickle
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from subprocess import TimeoutExpired
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bayescore import methods
from bayescore.backend import Backend, BackendInfo, Precision, no_limits
from bayescore.errors import BayescoreError, PluginError, in_one_line
from bayescore.plugins import hook
from bayescore.plugins.registry import Declaration, Origin
from bayescore.system import processes

if TYPE_CHECKING:
    from bayescore.methods import Method
    from bayescore.model.regression import Regression

LIMIT = 10.0
"""Seconds for an answer."""
_LARGEST = 1 << 20
"""Bytes of an answer that are read."""
_AS_DATA = ("name", "gaps", "requires", "default_method", "environment", "api_version")


def ask(origins: Sequence[Origin]) -> dict[Origin, Declaration]:
    """Ask plugins what they declare, all at once."""
    return _ask(tuple(origins), tuple(sys.path), tuple(sorted(os.environ.items())))


@lru_cache(maxsize=8)
def _ask(
    origins: tuple[Origin, ...], path: tuple[str, ...], environment: tuple[tuple[str, str], ...]
) -> dict[Origin, Declaration]:
    """Asked once for each state of this process: loading a plugin can take its time."""
    found = {}
    with ExitStack() as stack:
        questions = []
        for origin in origins:
            try:
                questions.append(stack.enter_context(_Question(origin)))
            except OSError as error:  # as where the folder for temporary files is full
                found[origin] = Declaration(failure=f"it can't be asked: {error}")
        return found | {question.origin: _declaration(question) for question in questions}


class _Question:
    """A question that a process has been started to answer."""

    def __init__(self, origin: Origin, about: object = None) -> None:
        self.origin = origin
        self._folder = TemporaryDirectory(prefix="bayescore-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._answer, self._late = folder / "answer.json", time.monotonic() + LIMIT
        try:
            (folder / "question").write_bytes(pickle.dumps((asdict(origin), about)))
            self._child = processes.start("bayescore.plugins.asked", self._folder.name)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> "_Question":
        return self

    def __exit__(self, *raised: object) -> None:
        self._child.end()
        self._folder.cleanup()

    def answer(self) -> Any:
        """What it answered.

        Raises
        ------
        PluginError
            It gave no answer, or one that says that it failed.
        """
        try:
            code: int | None = self._child.process.wait(max(self._late - time.monotonic(), 0.0))
        except TimeoutExpired:
            code = None
        try:
            with self._answer.open("rb") as file:
                found = json.loads(file.read(_LARGEST))
        except (OSError, ValueError, RecursionError) as error:
            if code is None:
                raise PluginError(f"it did not answer within {LIMIT:g} s of being loaded") from error
            raise PluginError(f"its process ended with code {code} when it was loaded or asked") from error
        if not isinstance(found, dict) or "failure" not in found:
            raise PluginError("its answer can't be read")
        if found["failure"] is not None:
            raise PluginError(str(found["failure"]))
        return found.get("answer")


def _declaration(question: _Question) -> Declaration:
    try:
        backends = tuple(_backend(question.origin, given) for given in question.answer())
    except (BayescoreError, TypeError, KeyError, ValueError, AttributeError) as error:
        return Declaration(failure=in_one_line(error))
    return Declaration(backends)


def _backend(origin: Origin, given: dict[str, Any]) -> tuple[BackendInfo, tuple[str, ...]]:
    """A declaration as it came, with ways to its functions."""
    remote = _Remote(origin, given["name"])
    info = BackendInfo(
        factory=remote.make,
        limits=remote.limits if given["limited"] else no_limits,
        supports=frozenset(given["supports"]),
        methods=tuple(methods.method_of(methods.read(own)) for own in given["methods"]),
        **{**{name: given[name] for name in _AS_DATA}, "requires": tuple(given["requires"])},
    )
    hook.check(info)
    return info, tuple(map(str, given["missing"]))


def describe(declaration: Declaration) -> list[dict[str, Any]]:
    """A declaration as JSON, for `ask` to read."""
    return [
        {name: getattr(info, name) for name in _AS_DATA}
        | {"gaps": dict(info.gaps), "environment": dict(info.environment), "supports": sorted(info.declared())}
        | {"methods": [asdict(methods.describe(own)) for own in info.methods]}
        | {"limited": info.limits is not no_limits, "missing": missing}
        for info, missing in declaration.backends
    ]


@dataclass(frozen=True)
class _Remote:
    """The functions of a declared backend whose plugin is not loaded here."""

    origin: Origin
    name: str

    def make(self, precision: Precision) -> Backend:
        """Load the plugin into this process and make the backend."""
        return hook.backend(self.origin, self.name).make(precision)

    def limits(self, regression: "Regression", method: "Method") -> str | None:
        """Ask the plugin, in a process of its own, what it can't do."""
        with _Question(self.origin, (self.name, regression, method)) as question:
            refused = question.answer()
        return None if refused is None else str(refused)
