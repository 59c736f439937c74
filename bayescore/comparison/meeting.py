"""Where contenders tell one another what they found, in rounds.

A worker puts what it gives into its folder and waits; once all that are still there have
given theirs of a round, each finds all of them in its folder, by the contenders' names and in
their order. Who has ended is not waited for.
"""

import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Meet = Callable[[Any], Mapping[str, Any]]
"""Give the others something, and take what they give, one's own among it; by the contenders' names."""


def given_in(folder: Path, number: int) -> Path:
    """Where a worker puts what it gives in a round."""
    return folder / f"given-{number}.pickle"


def met_in(folder: Path, number: int) -> Path:
    """Where it finds what all have given."""
    return folder / f"met-{number}.pickle"


class Meeting:
    """The parent's side.

    Parameters
    ----------
    names
        Of the contenders that take part, in their order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._there = list(names)
        self._order = tuple(names)
        self._given: dict[int, dict[str, bytes]] = {}
        self._waiting: dict[str, tuple[int, Path, Callable[[], None]]] = {}
        self._lock = threading.Lock()

    def give(self, name: str, number: int, folder: Path, resume: Callable[[], None]) -> None:
        """Take what a worker has put into its folder; it is called back when it goes on."""
        with self._lock:
            self._given.setdefault(number, {})[name] = given_in(folder, number).read_bytes()
            self._waiting[name] = (number, folder, resume)
            self._close()

    def leave(self, name: str) -> None:
        """Wait for a contender no more."""
        with self._lock:
            if name in self._there:
                self._there.remove(name)
            self._waiting.pop(name, None)
            self._close()

    def _close(self) -> None:
        """End a round that all who are there have given to."""
        if not self._there or any(name not in self._waiting for name in self._there):
            return
        waiting, self._waiting = self._waiting, {}
        for number, folder, resume in waiting.values():
            resume()  # before it finds anything, lest it comes to the next round first
            given = self._given[number]
            unfinished = folder / "met.unfinished"
            unfinished.write_bytes(pickle.dumps({name: given[name] for name in self._order if name in given}))
            unfinished.rename(met_in(folder, number))
