"""A process that runs chains beside another: ``python -m bayescore_pyro.helper FOLDER NUMBER``.

It takes chains as long as there are some, and a core for it. What it tells goes to standard
output, a line of JSON each; whatever a library prints goes to standard error.
"""

import json
import os
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import TextIO

from bayescore.errors import in_one_line
from bayescore.system import cores, processes
from bayescore_pyro.isolation import isolated
from bayescore_pyro.work import Shared

_PAUSE = 0.1
"""Seconds between two messages of how far a chain is."""


class Channel:
    """Lines of JSON to the process that started this one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._told = 0.0

    def step(self, chain: int, done: int) -> None:
        """Say how far a chain is, now and then."""
        if time.monotonic() - self._told >= _PAUSE:
            self.send(chain=chain, done=done)
            self._told = time.monotonic()

    def send(self, **message: object) -> None:
        """Say something."""
        self.stream.write(json.dumps(message) + "\n")
        self.stream.flush()


def run(shared: Shared, channel: Channel) -> None:
    """Run chains, and leave each in the folder."""
    work = shared.work()
    with isolated(work.precision):
        sample = work.sampler()
        while cores.usable() > shared.process and (chain := shared.take()) is not None:
            sample(chain, partial(channel.step, chain)).write(shared.result(chain))
            channel.send(finished=chain)


def main(folder: Path, process: int) -> None:
    """Run this process."""
    processes.end_with_parent(folder)
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    code = 0
    try:
        run(Shared(folder, process), channel)
    except BaseException as error:
        traceback.print_exc()
        channel.send(failed=in_one_line(error))
        code = 1
    sys.stderr.flush()
    os._exit(code)  # skips torch's slow teardown


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
