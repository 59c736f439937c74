"""Runs contenders, each in a process of its own, some side by side.

A crash or a hang of one costs its own row. Its results come back through a file; its
progress through a pipe; whatever it prints goes to its log.
"""

import json
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory, gettempdir
from typing import Protocol

from bayescore.backend import BackendInfo
from bayescore.comparison import handover
from bayescore.comparison.contender import Contender
from bayescore.comparison.meeting import Meeting
from bayescore.comparison.outcome import Outcome, Task
from bayescore.comparison.sharing import Sharing
from bayescore.errors import KeepingError
from bayescore.system import processes, writing
from bayescore.system.processes import Child

Finished = Callable[[Outcome, str], None]
_LAST_WORDS = 1.0
"""Seconds that an ended worker's last messages are waited for."""


class Watcher(Protocol):
    """Told of what a contender is doing."""

    def __call__(self, contender: Contender, message: Mapping[str, object]) -> None:
        """A message is a ``phase``, a ``step`` of a ``total`` with figures, or ``finished`` with a status."""


def kept_log(contender: Contender, log: str) -> Path | None:
    """Keep the log of a failed contender in the cache, in the place of its last one."""
    path = cache_folder() / "failures" / f"{contender.file_name}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write(path, log)
    except (OSError, KeepingError):
        return None
    return path


class Clock:
    """Calls a function once it has run for so many seconds, those while it stood not counted."""

    def __init__(self, seconds: float | None, expire: Callable[[], None]) -> None:
        self._left = seconds
        self._expire = expire
        self._timer: threading.Timer | None = None
        self._began = 0.0

    def start(self) -> None:
        """Let it run."""
        if self._left is not None:
            self._began = time.monotonic()
            self._timer = threading.Timer(self._left, self._expire)
            self._timer.start()

    def stop(self) -> None:
        """Let it stand."""
        if self._timer is not None and self._left is not None:
            self._timer.cancel()
            self._left = max(0.0, self._left - (time.monotonic() - self._began))
            self._timer = None


@dataclass
class Runner:
    """Runs tasks in processes.

    Attributes
    ----------
    jobs
        Processes at a time.
    timeout
        Seconds for each, or None.
    watch
        Told of every message.
    finished
        Told of every outcome as soon as it is there, with its log.
    traceback_in
        Told of a failed contender's log, says where it is kept; None where it can't be.
    sharing
        Gives the processes their cores.
    meets
        Whether the tasks wait for one another, so that all run at once, however few ``jobs`` are.
    """

    jobs: int
    timeout: float | None = None
    watch: Watcher = lambda contender, message: None
    finished: Finished = lambda outcome, log: None
    traceback_in: Callable[[Contender, str], Path | None] = kept_log
    sharing: Sharing = field(default_factory=Sharing)
    meets: bool = False
    _at_once: int = 1
    _meeting: Meeting = field(default_factory=lambda: Meeting(()))
    _children: set[Child] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(self, tasks: Sequence[Task], environments: Mapping[str, BackendInfo]) -> list[Outcome]:
        """Run the tasks; outcomes come in their order.

        Interrupted, it ends the children, and tells of those that were not finished. Where
        ``watch`` or ``finished`` raises, it ends the children, too.
        """
        self._at_once = max(1, len(tasks) if self.meets else min(self.jobs, len(tasks)))
        self._meeting = Meeting([task.contender.name for task in tasks])
        with ThreadPoolExecutor(self._at_once) as pool:
            futures = [pool.submit(self._run_one, task, environments.get(task.contender.backend)) for task in tasks]
            return self._collect(tasks, futures)

    def _collect(self, tasks: Sequence[Task], futures: "Sequence[Future[tuple[Outcome, str]]]") -> list[Outcome]:
        untold = set(futures)
        try:
            while untold:
                for future in wait(untold, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    self.finished(*future.result())
                    untold.discard(future)
        except KeyboardInterrupt:
            self._abandon(untold)
            for future in untold:
                if not future.cancelled():
                    self.finished(*future.result())
        except BaseException:
            self._abandon(untold)
            raise
        return [
            Outcome(task.contender, "interrupted", "stopped before it ran")
            if future.cancelled()
            else future.result()[0]
            for task, future in zip(tasks, futures, strict=True)
        ]

    def _abandon(self, futures: "Iterable[Future[tuple[Outcome, str]]]") -> None:
        """Begin no more, and end what runs."""
        self.stop()
        for future in futures:
            future.cancel()

    def stop(self) -> None:
        """End all children."""
        with self._lock:
            self._stopped = True
            for child in self._children:
                child.end()

    def _run_one(self, task: Task, info: BackendInfo | None) -> tuple[Outcome, str]:
        try:
            return self._run_in_folder(task, info)
        except OSError as error:  # no room for the files between it and us, or for a process
            return Outcome(task.contender, "failed", f"it can't be run here: {error}"), ""
        finally:
            self._meeting.leave(task.contender.name)

    def _run_in_folder(self, task: Task, info: BackendInfo | None) -> tuple[Outcome, str]:
        with TemporaryDirectory(prefix="bayescore-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            try:
                given = pickle.dumps(task)
            except Exception as error:  # a guide's own way of being pickled raises whatever it does
                why = f"its method can't be handed to a process ({error}): define a guide in a module of its own"
                return Outcome(task.contender, "failed", why), ""
            (folder / "task.pickle").write_bytes(given)
            with (folder / "log").open("w") as log:
                # whatever its plugin and libraries put among temporary files goes with the folder, if it is killed, too
                environment = {**_environment(info), **self.sharing.environment(self._at_once), "TMPDIR": name}
                outcome = self._supervise(task, folder, log.fileno(), environment)
            self.watch(task.contender, {"finished": outcome.status})
            kept = folder / "log"  # not there where the worker has removed its folder
            said = kept.read_text(errors="replace") if kept.is_file() else ""
            return self._with_place(outcome, said), said

    def _with_place(self, outcome: Outcome, log: str) -> Outcome:
        """With a word on where the traceback of what its plugin raised can be read."""
        if outcome.status != "failed" or "Traceback (most recent call last)" not in log:
            return outcome
        place = self.traceback_in(outcome.contender, log)
        return outcome if place is None else replace(outcome, error=f"{outcome.error} (traceback: {place})")

    def _supervise(self, task: Task, folder: Path, log: int, environment: dict[str, str]) -> Outcome:
        with self._lock:
            if self._stopped:
                return Outcome(task.contender, "interrupted", "stopped before it ran")
            child = processes.start(
                "bayescore.comparison.worker", str(folder), environment=environment, stdout=PIPE, stderr=log
            )
            self._children.add(child)
        self.sharing.begin(child)
        late = threading.Event()

        def expire() -> None:
            late.set()
            child.end()

        clock = Clock(self.timeout, expire)
        raised: list[Exception] = []
        last: dict[str, object] = {}

        def go_on() -> None:
            self.sharing.resume(child)
            clock.start()

        def meet(number: int) -> None:
            clock.stop()  # what others take is not its own time
            self.sharing.pause(child)
            self._meeting.give(task.contender.name, number, folder, go_on)

        listener = threading.Thread(target=self._listen, args=(task.contender, child, raised, last, meet), daemon=True)
        clock.start()
        listener.start()
        try:  # until it ends, not until its pipe does, which whatever it started may hold open
            code = child.process.wait()
        finally:
            clock.stop()
            child.end()
            with self._lock:
                self._children.discard(child)
            self.sharing.end(child)
        listener.join(_LAST_WORDS)
        if raised:
            raise raised[0]
        return self._outcome(task, folder, code, late.is_set(), f", {last['again']}" if last else "")

    def _listen(
        self,
        contender: Contender,
        child: Child,
        raised: list[Exception],
        last: dict[str, object],
        meet: Callable[[int], None],
    ) -> None:
        """Hand on what a worker tells, and keep which fit it made again; what `watch` raises ends it."""
        stdout = child.process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(message, dict):
                    if message.get("again"):
                        last["again"] = message["again"]
                    try:
                        if isinstance(message.get("meet"), int):
                            meet(message["meet"])
                        else:
                            self.watch(contender, message)
                    except Exception as error:
                        raised.append(error)
                        child.end()
                        return

    def _outcome(self, task: Task, folder: Path, code: int, late: bool, again: str = "") -> Outcome:
        try:
            found = handover.read(folder)
        except Exception as error:  # whatever lies there is not what the worker writes
            return Outcome(task.contender, "failed", f"its result can't be read: {type(error).__name__}: {error}")
        if found is not None:
            return replace(found, contender=task.contender)
        if self._stopped:
            return Outcome(task.contender, "interrupted", "stopped before it was finished")
        if late:
            return Outcome(
                task.contender, "timeout", f"not finished after {self.timeout:g} s{again}; give it more with --timeout"
            )
        return Outcome(
            task.contender, "failed", f"its process ended {processes.how_ended(code)} and left no result{again}"
        )


def _environment(info: BackendInfo | None) -> dict[str, str]:
    """The parent's variables, with the backend's own where the user set none."""
    environment = dict(os.environ)
    for name, value in (info.environment if info else {}).items():
        environment.setdefault(name, value.replace("{cache}", str(cache_folder())))
    return environment


def export_environment(info: BackendInfo) -> None:
    """Set a backend's variables in this process, for children that are started from it."""
    os.environ.update(_environment(info))


def cache_folder() -> Path:
    """Where compiled code is kept from run to run: ``BAYESCORE_CACHE``, or the user's cache folder.

    A user without a home, as in some containers, has one among the temporary files.
    """
    chosen, base = os.environ.get("BAYESCORE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if chosen:
        return Path(chosen)
    try:
        return (Path(base) if base else Path.home() / ".cache") / "bayescore"
    except RuntimeError:
        return Path(gettempdir()) / "bayescore-cache"
