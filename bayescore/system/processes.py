"""Processes of our own that run a stranger's code: bounded, and nothing of them is left behind.

A child is the leader of its session and carries a mark in its environment, which whatever
it starts inherits, a child of its own beside that one's mark: so what it started can be found
and ended, wherever it went. Its standard
input is a pipe that this process holds open: when it ends, this process is gone, and so is the child.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_MARK = "BAYESCORE_CHILD"
_BETWEEN = ":"
"""What stands between the marks of a child, its parent's before its own."""
_MOMENT = 0.001
"""Seconds between two looks at a process that begins."""
_ROUNDS = 100
"""How often what a child started is looked for again: something may start more while it is ended."""


@dataclass(frozen=True)
class Child:
    """A process that was started, and the mark by which what it starts is known."""

    process: "subprocess.Popen[bytes]"
    mark: str

    def end(self) -> None:
        """End it and whatever it started.

        A process that clears its environment and leaves the session escapes; where there
        is no ``/proc``, one that leaves the session does.
        """
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait()
        _end_all(self.mark)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def confine(self, cores: Collection[int]) -> None:
        """Let it, and whatever it has started, run on these cores only; so will what that starts later.

        Where the system knows no affinity, nothing changes; where there is no ``/proc``, its first
        thread is confined.
        """
        if not hasattr(os, "sched_setaffinity"):
            return
        known, found = set[int](), {self.process.pid}  # at once, before it starts anything
        for _ in range(_ROUNDS):
            for thread in found:
                with suppress(OSError):  # it has ended
                    os.sched_setaffinity(thread, cores)
            known |= found
            found = {thread for pid in _carrying(self.mark) for thread in _threads(pid)} - known
            if not found:
                return


def start(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[Any] = subprocess.DEVNULL,
    stderr: int | IO[Any] = subprocess.DEVNULL,
) -> Child:
    """Start ``python -m module``, with this process's search path and not the current folder.

    The module calls `end_with_parent` before anything else.
    """
    mark = secrets.token_hex(16)
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in dict.fromkeys(sys.path))
    marks = _BETWEEN.join([*_marks(os.environ.get(_MARK, "")), mark])
    variables = {**(os.environ if environment is None else environment), "PYTHONPATH": path, _MARK: marks}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env=variables,
        start_new_session=True,
    )
    return Child(process, mark)


def how_ended(code: int) -> str:
    """How a process came to its end: ``by signal SIGKILL``, ``with exit code 1``."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:  # those for programs' own use have no name
        return f"by signal {-code}"


def end_with_parent(folder: Path) -> None:
    """Let this process, which `start` has started, end when its parent does, with whatever it has started.

    What runs in it reads nothing from standard input.

    Parameters
    ----------
    folder
        What the parent made for this process, and can't remove any more: it goes, too.
    """
    pipe, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_await_end, args=(pipe, folder), daemon=True).start()


def _await_end(pipe: int, folder: Path) -> None:
    marks = _marks(os.environ.get(_MARK, ""))
    while os.read(pipe, 1):
        pass
    if marks:
        _end_all(marks[-1])
    shutil.rmtree(folder, ignore_errors=True)  # now that nobody writes there
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _end_all(mark: str) -> None:
    """End all processes but this one that carry a mark."""
    for _ in range(_ROUNDS):
        left = [pid for pid in _carrying(mark) if pid != os.getpid()]
        if not left:
            return
        for pid in left:
            _kill(pid)


def _carrying(mark: str) -> list[int]:
    """Processes with a mark in their environment, as it was when they began."""
    return [int(entry.name) for entry in _processes() if mark in _marks(_environment(entry).get(_MARK, ""))]


def _threads(pid: int) -> list[int]:
    with suppress(OSError):  # it has ended
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    return []


def _marks(value: str) -> list[str]:
    """The marks in a variable, the outermost first."""
    return [mark for mark in value.split(_BETWEEN) if mark]


def _processes() -> list[Path]:
    folder = Path("/proc")
    return [entry for entry in folder.iterdir() if entry.name.isdigit()] if folder.is_dir() else []


def _environment(process: Path) -> dict[str, str]:
    """Empty where it is gone, is another user's, or has ended and waits to be told of."""
    found = _content(process / "environ")
    for _ in range(_ROUNDS):
        if found or not _begins(process):
            break
        time.sleep(_MOMENT)
        found = _content(process / "environ")
    return {name: value for name, _, value in (entry.partition("=") for entry in os.fsdecode(found).split("\0"))}


def _begins(process: Path) -> bool:
    """Whether it is just changing into another program, and has neither arguments nor environment yet."""
    try:
        (process / "exe").readlink()  # what has ended, and the kernel's own, have none
    except OSError:
        return False
    return not _content(process / "cmdline")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
