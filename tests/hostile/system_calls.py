"""The calls of the system that writing makes: something can be done before any of them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bayescore.comparison.folder import Folder
from bayescore.system import writing

_CALLS = [(os, name) for name in ("open", "write", "fdopen", "fsync")]
_CALLS += [(Path, name) for name in ("replace", "lstat", "stat", "mkdir", "unlink")]


class Before:
    """Does something before the n-th call; ``left`` is positive where there are not so many."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
        self.left, self._act = number, act
        for place, name in _CALLS:
            patch.setattr(place, name, self._counted(getattr(place, name)))

    def _counted(self, call):
        def counted(*given, **named):
            if sys._getframe(1).f_globals["__name__"] in {writing.__name__, Folder.__module__}:
                self.left -= 1
                if self.left == 0:
                    self._act()
            return call(*given, **named)

        return counted
