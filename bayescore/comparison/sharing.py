"""Shares the cores out among the processes of fits, anew whenever one begins or ends."""

import threading
from collections.abc import Mapping

from bayescore.system import cores
from bayescore.system.processes import Child


class Sharing:
    """Cores, and the children that run on them.

    Each has as many as the others, or one more if it began earlier, so that what is left alone
    in the end has all; where there are more children than cores, several have the same one.
    Where the system knows no affinity each is told its share as it begins.

    Parameters
    ----------
    most
        Cores to share out; by default all that this process may use.
    """

    def __init__(self, most: int | None = None) -> None:
        self.numbers = cores.chosen(most)
        self._children: list[Child] = []
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    def environment(self, at_once: int) -> Mapping[str, str]:
        """Variables for each child, where so many run at a time."""
        return {} if cores.AFFINITY else {cores.MOST: str(max(1, len(self.numbers) // at_once))}

    def begin(self, child: Child) -> None:
        """Give a child that has just been started its share."""
        with self._lock:
            self._children.append(child)
            self._share()

    def end(self, child: Child) -> None:
        """Give the others what a child has left."""
        with self._lock:
            self._children.remove(child)
            self._share()

    def pause(self, child: Child) -> None:
        """Give the others what a child has that waits for them."""
        with self._lock:
            self._waiting.add(child.mark)
            self._share()

    def resume(self, child: Child) -> None:
        """Give it its share again."""
        with self._lock:
            self._waiting.discard(child.mark)
            self._share()

    def _share(self) -> None:
        working = [child for child in self._children if child.mark not in self._waiting]
        if cores.AFFINITY and working:
            found = zip(working, cores.shares(self.numbers, len(working)), strict=True)
            for child, share in reversed(list(found)):  # the newest first: it has begun nothing yet
                child.confine(share)
