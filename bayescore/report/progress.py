"""Progress bars on a terminal and in a notebook; in a pipe or a file, nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Protocol, TypeGuard

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bayescore.printable import printable
from bayescore.report.terminal import plain_console

_MOST = 1e15


class Named(Protocol):
    """What a bar stands for."""

    @property
    def name(self) -> str:
        """As it is shown."""


class Told(Protocol):
    """Told of what a contender does."""

    def __call__(self, contender: Any, message: Mapping[str, object]) -> None:
        """As `bayescore.comparison.runner.Watcher` is."""


class Bars:
    """One bar a contender: its phase, its step, the loss and the learning rate."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not _is_seen(console),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, contender: Named, message: Mapping[str, object]) -> None:
        """Take up a worker's message."""
        task = self._tasks.get(contender.name)
        if task is None:
            task = self._tasks[contender.name] = self._progress.add_task(printable(contender.name), total=None, text="")
        if "finished" in message:
            self._progress.update(task, completed=1.0, total=1.0, text=str(message["finished"]))
            return
        if "phase" in message:
            self._progress.update(task, text=printable(str(message.get("again") or message["phase"])))
            return
        step, total = message.get("step"), message.get("total")
        if _is_count(step) and _is_count(total):
            figures = ", ".join(f"{k} {_figure(v)}" for k, v in message.items() if k not in {"step", "total"})
            self._progress.update(task, completed=step, total=total, text=printable(figures))


def _is_seen(console: Console) -> bool:
    """Whether bars can move: on a terminal, and in a notebook that has widgets."""
    return find_spec("ipywidgets") is not None if console.is_jupyter else console.is_terminal


@contextmanager
def watching(watch: Told | None, progress: bool) -> Iterator[Told]:
    """Whom to tell of the progress of a call from Python: bars, unless somebody else is named or nobody asks."""
    if watch is not None:
        yield watch
        return
    with Bars(plain_console(stderr=True), quiet=not progress) as bars:
        yield bars


def _is_count(value: object) -> TypeGuard[float]:
    """Whether it can be drawn: what is no number, or an infinite one, a plugin has sent by itself."""
    return isinstance(value, int | float) and abs(value) < _MOST


def _figure(value: object) -> str:
    return f"{value:.4g}" if _is_count(value) else str(value)
