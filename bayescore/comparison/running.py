"""All contenders of a comparison run: those that need it, each in a process of its own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bayescore.comparison.contender import Contender
from bayescore.comparison.outcome import Outcome, Task
from bayescore.comparison.runner import Runner, Watcher
from bayescore.comparison.sharing import Sharing
from bayescore.comparison.subject import Subject
from bayescore.errors import PluginError, RequestError, in_one_line
from bayescore.plugins.registry import Registry
from bayescore.settings import Settings

if TYPE_CHECKING:
    from bayescore.comparison.archive import Archive


@dataclass(frozen=True)
class Run:
    """What all fits of a comparison have in common.

    Attributes
    ----------
    watch
        Told of every contender's progress.
    log
        Where whatever contenders say is kept, if it is.
    """

    subject: Subject
    settings: Settings
    registry: Registry
    watch: Watcher = lambda contender, message: None
    log: Path | None = None

    def stored(self, contenders: Sequence[Contender], archive: "Archive") -> dict[str, Outcome]:
        """Fits that are there already, by the contender's name."""
        runnable = [c for c in contenders if self._without_running(c) is None]
        found = {c.name: archive.stored(c, self.registry[c.backend]) for c in runnable}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def all(
        self,
        contenders: Sequence[Contender],
        kept: Mapping[str, Outcome] = MappingProxyType({}),
        finished: Callable[[Outcome, str], None] | None = None,
    ) -> list[Outcome]:
        """Fit the subject by contenders that are chosen already.

        Parameters
        ----------
        kept
            Those that are there already.
        finished
            Is given every outcome, with its log, as soon as it is there.

        Raises
        ------
        RequestError
            The request is wrong, as only a contender at work could find out.
        """
        known = {c.name: outcome for c in contenders if (outcome := self._without_running(c)) is not None}
        if not self.subject.meets:
            known |= kept
        waiting = [c for c in contenders if c.name not in known]
        ran = {outcome.contender.name: outcome for outcome in self._ran(waiting, kept, finished)}
        origins = {name: registered.origin for name, registered in self.registry.backends.items()}
        outcomes = [replace(known.get(c.name) or ran[c.name], origin=origins.get(c.backend)) for c in contenders]
        for outcome in outcomes:
            if outcome.mistaken:
                raise RequestError(f"{outcome.contender.name}: {outcome.error}")
        return outcomes

    def _ran(
        self,
        contenders: Sequence[Contender],
        kept: Mapping[str, Outcome],
        finished: Callable[[Outcome, str], None] | None,
    ) -> list[Outcome]:
        settings = self.settings
        tasks = self._tasks(contenders, kept) if contenders else []
        sharing = Sharing(settings.cores)
        jobs = settings.jobs or len(sharing.numbers)
        runner = Runner(jobs, settings.timeout, self.watch, sharing=sharing, meets=self.subject.meets)
        if finished is not None:
            runner.finished = finished
        if self.log is not None:
            runner.traceback_in = lambda contender, log: self.log
        infos = {name: registered.info for name, registered in self.registry.backends.items()}
        if not settings.model_only and any(c.method.kinds[0] in {"chains", "guide"} for c in contenders):
            # by which draws are judged: it takes seconds to import, so while the workers run
            threading.Thread(target=import_module, args=("arviz_stats.base",), daemon=True).start()
        return runner.run(tasks, infos)

    def _tasks(self, contenders: Sequence[Contender], kept: Mapping[str, Outcome]) -> list[Task]:
        settings, registry = self.settings, self.registry
        work = self.subject.prepare(reduce=settings.reduce)
        return [
            Task(
                contender,
                work(contender.name, registry[contender.backend].info, contender.method),
                settings.seed,
                settings.precision,
                registry[contender.backend].origin,
                model_only=settings.model_only,
                refit=not settings.smoke,
                kept=kept.get(contender.name),
            )
            for contender in contenders
        ]

    def _without_running(self, contender: Contender) -> Outcome | None:
        """The outcome of a contender that needs no process to be told."""
        try:
            registered = self.registry[contender.backend]
        except PluginError as error:
            return Outcome(contender, "failed", str(error))
        try:
            refused = self.subject.refusal(registered.info, contender.method, self.settings.precision)
        except Exception as error:  # a plugin's code: whatever it raises costs its own row only
            return Outcome(contender, "failed", in_one_line(error))
        if refused:
            return Outcome(contender, "unsupported", refused)
        if registered.missing:
            return Outcome(contender, "missing", registered.lacking)
        return None
