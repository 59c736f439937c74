"""The process of one contender: ``python -m bayescore.comparison.worker FOLDER``.

It reads ``task.pickle`` in the folder and writes ``outcome.pickle`` beside it, in place by
a rename. Progress goes to the parent as lines of JSON on standard output; whatever a
backend prints goes to standard error, which is the log.
"""

import json
import os
import pickle
import re
import resource
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from bayescore.comparison import handover
from bayescore.comparison.outcome import Outcome, Task
from bayescore.comparison.subject import Session
from bayescore.contract import refit
from bayescore.contract.refit import Attempt
from bayescore.errors import BayescoreError, MissingLibraryError, StatementError, UnsupportedError, in_one_line
from bayescore.plugins import hook
from bayescore.report.document import Status
from bayescore.system import processes

_MOMENT = 0.005
"""Seconds between two looks at what the others have found."""


class Channel:
    """Lines of JSON to the parent, and what the others have found, from it."""

    def __init__(self, stream: TextIO, folder: Path) -> None:
        self.stream = stream
        self.folder = folder
        self._rounds = 0

    def phase(self, name: str, again: str = "") -> None:
        """Say what begins, and of a fit that is made again so."""
        self._send({"phase": name, **({"again": again} if again else {})})

    def step(self, step: int, total: int, **figures: float) -> None:
        """Say how far the fit is."""
        self._send({"step": int(step), "total": int(total), **{k: float(v) for k, v in figures.items()}})

    def meet(self, given: object) -> Mapping[str, Any]:
        """Tell the others, and wait for what they tell."""
        self._rounds += 1
        handover.give(given, self.folder, self._rounds)
        self._send({"meet": self._rounds})
        while (met := handover.met(self.folder, self._rounds)) is None:
            time.sleep(_MOMENT)
        return met

    def _send(self, message: dict[str, object]) -> None:
        self.stream.write(json.dumps(message) + "\n")
        self.stream.flush()


def run(task: Task, channel: Channel) -> Outcome:
    """Carry out a task; whatever goes wrong becomes the outcome's status and sentence."""
    seconds: dict[str, float] = {}
    attempts: list[Attempt] = []
    try:
        return _run(task, channel, seconds, attempts)
    except BaseException as error:  # a plugin's code: anything it raises costs its own row only
        traceback.print_exc()
        status: Status = "failed"
        if isinstance(error, UnsupportedError):
            status = "unsupported"
        elif isinstance(error, MissingLibraryError):
            status = "missing"
        place = "" if isinstance(error, BayescoreError) else _raised_in(error)
        sentence = f"{in_one_line(error)}{place}"
        mistaken = isinstance(error, StatementError)
        memory = peak_memory()
        return Outcome(task.contender, status, sentence, seconds, memory, attempts=tuple(attempts), mistaken=mistaken)


def _raised_in(error: BaseException) -> str:
    """The last line of the plugin's own code that an error came through."""
    core = Path(__file__).parent.parent
    frames = [f for f in traceback.extract_tb(error.__traceback__) if core not in Path(f.filename).parents]
    return f" (in {frames[-1].name}, line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""


def _run(task: Task, channel: Channel, seconds: dict[str, float], attempts: list[Attempt]) -> Outcome:
    contender = task.contender
    registered = hook.backend(task.origin, contender.backend)
    refused = task.work.refusal(registered.info, contender.method, task.precision)
    if refused:
        raise UnsupportedError(refused)
    channel.phase("import")
    start = time.perf_counter()
    session = task.work.open(registered.make(task.precision), registered.info, task.precision)
    seconds["import"] = time.perf_counter() - start
    try:
        channel.phase("build_data")
        session.build()
        channel.phase("log_density")
        model = session.check(contender.name, channel.meet)
        if task.model_only or session.settled:
            memory = peak_memory()
            return Outcome(contender, "ok", None, seconds, memory, model=model, told=session.told)
        outcome = task.kept or _fit(task, session, channel, attempts)
        assert outcome.posterior is not None
        posterior, model = session.review(outcome.posterior, model, channel.meet)
    finally:
        seconds |= session.seconds
    if task.kept is not None:
        return replace(task.kept, posterior=posterior, model=model, told=session.told)
    return replace(
        outcome, posterior=posterior, model=model, told=session.told, seconds=seconds, peak_memory_bytes=peak_memory()
    )


def _fit(task: Task, session: Session, channel: Channel, attempts: list[Attempt]) -> Outcome:
    """Fit, draw and predict."""
    fit_seed, sample_seed, predict_seed = task.contender.seeds(task.seed)
    fit, posterior = refit.fit(
        session,
        task.contender.method,
        seeds=(fit_seed, sample_seed),
        attempts=attempts,
        again=task.refit,
        phase=channel.phase,
        progress=channel.step,
    )
    channel.phase("predict")
    predictions = session.predict(fit, posterior, seed=predict_seed)
    return Outcome(
        task.contender,
        "ok",
        posterior=posterior,
        predictions=predictions,
        losses=fit.losses,
        iterates=fit.iterates,
        attempts=tuple(attempts),
    )


def peak_memory(status: Path = Path("/proc/self/status")) -> int:
    """Largest resident set of this process so far, in bytes."""
    # what getrusage says counts the parent's, from before this process was its own; not every /proc says more
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE) if status.exists() else None
    if found:
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _apart() -> TextIO:
    """Keep the pipe to the parent apart from a plugin's output: it prints to the log."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def main(folder: Path) -> None:
    """Run the task that lies in a folder."""
    processes.end_with_parent(folder)
    stream = _apart()
    with (folder / "task.pickle").open("rb") as file:
        task: Task = pickle.load(file)
    outcome = run(task, Channel(stream, folder))
    try:
        handover.write(outcome, folder)
    except Exception as error:  # a result that can't be handed over is a failure of the backend
        sentence = f"its result can't be handed over: {type(error).__name__}: {error}"
        handover.write(replace(Outcome(task.contender, "failed"), error=sentence), folder)
    stream.flush()
    sys.stderr.flush()
    os._exit(0)  # skips the tensor libraries' slow teardown


if __name__ == "__main__":
    main(Path(sys.argv[1]))
