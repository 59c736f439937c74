"""Chains side by side: this process runs one after another, and helpers on the other cores do the same.

Whoever is free takes the next chain. All run the same program, from the chain's own seed, so
that no draw depends on who has run it, or on how many there were.

Helpers are processes of their own that import torch and Pyro again, which takes each of them
1.5 s; a fork would take none. But torch refuses to work in a fork of a process that has used
a GPU, JAX warns of a deadlock in one, macOS ends some, and the thread by which a process of
ours notices its parent's end is not in it. So there are helpers only where they are repaid.
"""

import json
import os
import time
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from select import select
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any

from bayescore.backend import Progress
from bayescore.errors import FitError
from bayescore.system import cores, processes
from bayescore_pyro.chain import Chain, read
from bayescore_pyro.work import Shared, Work, share

_PAUSE = 0.1
"""Seconds between two looks at the helpers, and at the cores that there are."""
_PROBE = 0.5
"""Seconds of sampling after which its speed is known well enough."""
_REPAID = 5.0
"""Seconds that chains have to be left for, so that a helper is worth its start."""


class Crew:
    """This process and its helpers.

    Parameters
    ----------
    progress
        Told of the iterations of all chains, at about every hundredth part.
    """

    def __init__(self, work: Work, progress: Progress) -> None:
        self.work = work
        self.progress = progress
        self._free = deque(range(len(work.seeds)))
        self._shared: Shared | None = None
        self._helpers: dict[int, _Helper] = {}
        self._alone = False
        self._chains: dict[int, Chain] = {}
        self._done = [0] * len(work.seeds)
        self._told = 0
        self._own = 0
        self._began = self._looked = time.monotonic()
        self._left_open = ExitStack()

    def run(self) -> list[Chain]:
        """All chains, in their order.

        Raises
        ------
        FitError
            A helper's chain raised, or its process ended.
        """
        sample = self.work.sampler()
        with self._left_open:
            while (chain := self._take()) is not None:
                self._chains[chain] = sample(chain, partial(self._step, chain))
            while len(self._chains) < len(self._done):
                select([helper.pipe for helper in self._helpers.values()], [], [])
                self._listen()
                self._report()
        return [self._chains[chain] for chain in range(len(self._done))]

    def _take(self) -> int | None:
        if self._shared is not None:
            return self._shared.take()
        return self._free.popleft() if self._free else None

    def _step(self, chain: int, done: int) -> None:
        """After an iteration of this process's own."""
        self._done[chain] = done
        self._own += 1
        now = time.monotonic()
        if now - self._looked >= _PAUSE:
            self._looked = now
            self._listen()
            if self._worth_a_helper(chain, now - self._began):
                self._hire()
        self._report()

    def _report(self) -> None:
        done, total = sum(self._done), len(self._done) * self.work.iterations
        if done - self._told >= max(1, total // 100) or done == total > self._told:
            self._told = done
            self.progress(done, total)

    def _listen(self) -> None:
        """Take note of what the helpers say, and of those that have ended."""
        for helper in list(self._helpers.values()):
            for message in helper.messages():
                self._note(helper, message)
            if helper.ended:
                self._dismiss(helper)

    def _note(self, helper: "_Helper", message: dict[str, Any]) -> None:
        if "failed" in message:
            helper.failure = message["failed"]
        elif "finished" in message:
            chain = message["finished"]
            self._chains[chain] = read(helper.shared.result(chain))
            self._done[chain] = self.work.iterations
        else:
            self._done[message["chain"]] = message["done"]

    def _dismiss(self, helper: "_Helper") -> None:
        """Let a helper go that has ended; a chain that it leaves behind is the end of the fit."""
        code = helper.child.process.wait()
        helper.end()
        del self._helpers[helper.number]
        why = helper.failure or f"its process ended {processes.how_ended(code)}"
        for chain in helper.shared.taken_by(helper.number):
            if chain not in self._chains:
                raise FitError(f"chain {chain + 1} of {len(self._done)}: {why}")
        if code != 0:
            self._go_alone(why)

    def _worth_a_helper(self, chain: int, seconds: float) -> bool:
        """Whether there is a core for one more, and a chain would still be free once it is ready."""
        if self._alone or seconds < _PROBE or len(self._helpers) + 1 >= cores.usable():
            return False
        free = len(self._free) if self._shared is None else self._shared.free()
        free -= sum(not helper.busy for helper in self._helpers.values())
        if free < 1:
            return False
        until_the_last = free * self.work.iterations - self._done[chain]
        return until_the_last * seconds / self._own > _REPAID * (len(self._helpers) + 1)

    def _hire(self) -> None:
        number = next(n for n in range(1, len(self._done) + 1) if n not in self._helpers)
        try:
            if self._shared is None:
                folder = TemporaryDirectory(prefix="bayescore-", ignore_cleanup_errors=True)
                name = self._left_open.enter_context(folder)
                self._left_open.callback(self._end)
                self._shared = share(self.work, Path(name), self._free)
            self._helpers[number] = _Helper(self._shared, number)
        except OSError as error:  # no room for the files between the two, or for a process
            self._go_alone(str(error))

    def _end(self) -> None:
        for helper in self._helpers.values():
            helper.end()

    def _go_alone(self, why: str) -> None:
        self._alone = True
        warnings.warn(f"no process for chains beside this one: {why}", RuntimeWarning, stacklevel=2)


class _Helper:
    """A process that runs chains, as this one sees it."""

    def __init__(self, shared: Shared, number: int) -> None:
        self.shared = shared
        self.number = number
        self.busy = self.ended = False
        self.failure: str | None = None
        self.child = processes.start("bayescore_pyro.helper", str(shared.folder), str(number), stdout=PIPE, stderr=2)
        assert self.child.process.stdout is not None
        self.pipe = self.child.process.stdout.fileno()
        os.set_blocking(self.pipe, False)
        self._unread = b""

    def messages(self) -> Iterator[dict[str, Any]]:
        """What it has said since it was last asked."""
        while not self.ended:
            try:
                came = os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                return
            self.ended = not came
            *lines, self._unread = (self._unread + came).split(b"\n")
            for line in lines:
                self.busy = True
                yield json.loads(line)

    def end(self) -> None:
        """End it, if it has not ended."""
        self.child.end()
        if self.child.process.stdout is not None:
            self.child.process.stdout.close()
