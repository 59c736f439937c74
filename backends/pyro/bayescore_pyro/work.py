"""Chains that several processes share: what each needs, and who has taken which, in a folder.

A chain that is free is a file; whoever renames it has taken it, which the system lets one do only.
"""

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bayescore.backend import Precision
from bayescore.methods import NUTS
from bayescore_pyro import chain
from bayescore_pyro.chain import Chain
from bayescore_pyro.density import unpack

_NAME = "work.pickle"


@dataclass(frozen=True)
class Work:
    """What is to be sampled.

    Attributes
    ----------
    program
        The potential energy, minus the log density of z, packed.
    size
        Length of z.
    seeds
        One a chain.
    precision
        Of the program.
    """

    program: bytes
    size: int
    method: NUTS
    seeds: tuple[int, ...]
    precision: Precision

    @property
    def iterations(self) -> int:
        """Of one chain."""
        return self.method.warmup + self.method.draws

    def sampler(self) -> Callable[[int, Callable[[int], None]], Chain]:
        """A function that runs a chain by its number, and tells how many iterations are done."""
        program = unpack(self.program)
        return lambda number, tell: chain.sample(program, self.size, self.method, self.seeds[number], tell)


class Shared:
    """Work in a folder.

    Parameters
    ----------
    folder
        Made by `share`.
    process
        The number of the process that uses this object, 0 being the one that shares.
    """

    def __init__(self, folder: Path, process: int) -> None:
        self.folder = folder
        self.process = process

    def work(self) -> Work:
        """What is to be done."""
        found: Work = pickle.loads((self.folder / _NAME).read_bytes())
        return found

    def free(self) -> int:
        """How many chains nobody has taken."""
        return len(list(self.folder.glob("*.free")))

    def take(self) -> int | None:
        """Take the first chain that is free, if one is."""
        for path in sorted(self.folder.glob("*.free"), key=_number):
            try:
                path.rename(path.with_suffix(f".taken-{self.process}"))
            except FileNotFoundError:  # another process was quicker
                continue
            return _number(path)
        return None

    def taken_by(self, process: int) -> list[int]:
        """The chains that a process has taken."""
        return [_number(path) for path in self.folder.glob(f"*.taken-{process}")]

    def result(self, number: int) -> Path:
        """Where a chain is put once it is finished."""
        return self.folder / f"{number}.npz"


def share(work: Work, folder: Path, free: Iterable[int]) -> Shared:
    """Put work into a folder, with the chains that are free."""
    (folder / _NAME).write_bytes(pickle.dumps(work))
    for number in free:
        (folder / f"{number}.free").touch()
    return Shared(folder, 0)


def _number(path: Path) -> int:
    return int(path.stem)
