"""The cores that this process may use, and shares of them.

A process is held to its share by its affinity: whatever it starts afterwards inherits that, and
the kernel sees to it, whoever wrote the code.
"""

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

MOST = "BAYESCORE_CORES"
"""The variable that says how many cores a process may use, at most; its share where the system knows no affinity."""
AFFINITY = hasattr(os, "sched_setaffinity")
"""Whether it knows one."""
_WATCHED = 0.1
"""Seconds for which one looks how busy cores are."""


def usable() -> int:
    """Cores that this process may use at this moment, at least 1: what runs side by side asks again as it goes on."""
    there, most = len(_known()), os.environ.get(MOST, "")
    return min(there, int(most)) if most.isdecimal() and int(most) else there


def _known() -> list[int]:
    return list(os.sched_getaffinity(0) if AFFINITY else range(os.cpu_count() or 1))


def chosen(most: int | None = None) -> list[int]:
    """The numbers of the cores to use, of those that this process may: all, or as many, the least busy ones.

    Several comparisons that are given a part of the cores each do not all take the first ones.
    """
    known, count = _known(), usable() if most is None else min(most, usable())
    if count >= len(known):
        return sorted(known)
    random.shuffle(known)
    before = _busy()
    time.sleep(_WATCHED)
    after = _busy()
    return sorted(sorted(known, key=lambda core: after.get(core, 0) - before.get(core, 0))[:count])


def shares(cores: Sequence[int], processes: int) -> list[list[int]]:
    """Each process's cores: as equal in number as can be, none with none, what is over to the first ones."""
    if processes >= len(cores):
        return [[cores[i % len(cores)]] for i in range(processes)]
    each, over = divmod(len(cores), processes)
    ends = [each * i + min(i, over) for i in range(processes + 1)]
    return [list(cores[start:stop]) for start, stop in pairwise(ends)]


def take(share: Sequence[int]) -> None:
    """Hold this thread, and whatever it starts, to a share."""
    if AFFINITY:
        with suppress(OSError):  # where it is not allowed to
            os.sched_setaffinity(0, share)
    else:
        os.environ[MOST] = str(len(share))


def _busy() -> dict[int, int]:
    """For how long each core has worked since the system began, in clock ticks; empty where it does not tell."""
    path = Path("/proc/stat")
    lines = path.read_text().splitlines() if path.is_file() else []
    fields = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
    return {int(name[3:]): sum(map(int, ticks[:3])) for name, *ticks in fields}
