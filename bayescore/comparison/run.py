"""One comparison from the contenders' names to the verdict."""

import threading
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any, Unpack

from threadpoolctl import threadpool_limits

from bayescore import methods
from bayescore.agreement import conclusion
from bayescore.agreement.conclusion import Finished
from bayescore.agreement.verdict import Decision
from bayescore.comparison.asked import Asked, run_by, stated
from bayescore.comparison.contender import Contender, parse_all
from bayescore.comparison.document import document
from bayescore.comparison.outcome import Outcome, Task
from bayescore.comparison.runner import Runner, Watcher
from bayescore.comparison.sharing import Sharing
from bayescore.comparison.subject import Subject
from bayescore.errors import PluginError, RequestError, in_one_line
from bayescore.model.predictions import max_difference
from bayescore.plugins import loading
from bayescore.plugins.registry import Registry
from bayescore.printable import shown
from bayescore.report.document import Document
from bayescore.report.progress import watching
from bayescore.settings import Settings, describe

if TYPE_CHECKING:
    from bayescore.comparison.archive import Archive


_MOST_CONTENDERS = 100


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes
    ----------
    problem
        What was compared.
    outcomes
        One for each contender, whatever happened to it.
    decision
        The verdict.
    document
        The whole as JSON's schema has it.
    """

    problem: Subject
    outcomes: tuple[Outcome, ...]
    decision: Decision
    document: Document

    @property
    def verdict(self) -> str:
        """agree, disagree, inconclusive or incomplete."""
        return self.decision.verdict

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before the end."""
        return any(outcome.status == "interrupted" for outcome in self.outcomes)

    def __str__(self) -> str:
        from bayescore.report.terminal import render

        return render(self.document)


def compare(
    problem: Subject | str,
    contenders: Any = None,
    settings: Settings | None = None,
    *,
    backends: Sequence[str] | str | None = None,
    progress: bool = True,
    watch: Watcher | None = None,
    archive: "Archive | None" = None,
    **asked: Unpack[Asked],
) -> Comparison:
    """Fit a problem with several contenders and decide whether they agree.

    >>> compare(problem, ["pyro", "numpyro:nuts"])
    >>> compare("y ~ x", frame, backends=["pyro", "numpyro:nuts"], family="Poisson", seed=1)

    Parameters
    ----------
    problem
        What is compared: a `bayescore.Problem`, or a formula.
    contenders
        As ``["pyro", "numpyro:nuts"]``; one may stand by itself. After a formula its table stands here.
    backends
        The contenders, by name.
    progress
        Whether bars show it in a terminal and in a notebook.
    watch
        Told of every contender's progress, in the bars' place.
    asked
        Fields of `Settings`, and with a formula what `bayescore.from_table` takes.
    archive
        Where every fit is kept as soon as it is there, and from where finished ones are
        taken up.

    Raises
    ------
    RequestError
        No backend could serve the request, or it needs more memory than there is.
    """
    settings, registry = run_by(settings, asked), loading.load()
    table, listed = (contenders, backends) if isinstance(problem, str) else (None, contenders)
    listed = backends if listed is None else listed
    if listed is None:
        raise RequestError("no contender: name at least one, as in backends=['pyro', 'numpyro']")
    subject = stated(problem, table, asked)
    chosen = choose(subject, listed, settings, registry)
    count = 1 if isinstance(listed, str) else len(listed)
    added = chosen[: len(chosen) - count] if settings.reference == "auto" else []  # it stands first
    with watching(watch, progress) as watcher:
        return fit_and_conclude(
            subject, chosen, settings, registry, added={c.name for c in added}, watch=watcher, archive=archive
        )


def fit_and_conclude(
    subject: Subject,
    contenders: Sequence[Contender],
    settings: Settings,
    registry: Registry,
    *,
    added: Set[str] = frozenset(),
    watch: Watcher = lambda contender, message: None,
    archive: "Archive | None" = None,
) -> Comparison:
    """Fit a subject by contenders that are chosen already, and judge them; as `compare` and `conclude_outcomes`.

    Raises
    ------
    RequestError
        The request is wrong, as only a contender at work could find out.
    """
    with threadpool_limits(1, "blas"):  # its small matrices lose more by threads than they gain, and cores are in use
        outcomes = run_all(subject, contenders, settings, registry, watch, archive)
        return conclude_outcomes(subject, outcomes, settings, added=added)


def choose(
    subject: Subject, contenders: Sequence[str] | str, settings: Settings, registry: Registry
) -> list[Contender]:
    """The contenders of a comparison, the reference first, once the request is known to make sense.

    Raises
    ------
    RequestError
        It does not; nothing has been done.
    """
    if not isinstance(subject, Subject):
        raise RequestError(
            f"a Problem or a formula comes first, not {shown(subject)}: "
            "compare(from_table('y ~ x', table), ['pyro', 'exact']), or compare('y ~ x', table, backends=['pyro'])"
        )
    if not isinstance(settings, Settings):
        raise RequestError(f"the settings are written as Settings(margin=0.1, ...), not {shown(settings)}")
    texts = [contenders] if isinstance(contenders, str) else contenders
    if not isinstance(texts, Sequence) or len(texts) > _MOST_CONTENDERS:
        raise RequestError(
            f"the contenders are a list of at most {_MOST_CONTENDERS}, as ['pyro', 'exact'], not {shown(contenders)}"
        )
    chosen = parse_all(
        texts,
        registry,
        subject,
        default=None if settings.method is None else methods.parse(settings.method),
        reference=settings.reference,
        smoke=settings.smoke,
    )
    for contender in [] if settings.model_only else chosen:
        subject.check_size(contender.method)
    return chosen


def run_all(
    subject: Subject,
    contenders: Sequence[Contender],
    settings: Settings,
    registry: Registry,
    watch: Watcher,
    archive: "Archive | None" = None,
) -> list[Outcome]:
    """Fit a subject by contenders that are chosen already, each in a process of its own.

    Raises
    ------
    RequestError
        The request is wrong, as only a contender at work could find out.
    """
    known: dict[str, Outcome] = {}
    kept: dict[str, Outcome] = {}
    for contender in contenders:
        outcome = _without_running(contender, subject, settings, registry)
        if outcome is not None:
            known[contender.name] = outcome
        elif archive is not None and (outcome := archive.stored(contender, registry[contender.backend])) is not None:
            kept[contender.name] = outcome
    if not subject.meets:
        known |= kept
    waiting = [c for c in contenders if c.name not in known]
    tasks = _tasks(subject, waiting, settings, registry, kept) if waiting else []
    sharing = Sharing(settings.cores)
    jobs = settings.jobs or len(sharing.numbers)
    runner = Runner(jobs, settings.timeout, watch, sharing=sharing, meets=subject.meets)
    if archive is not None:
        runner.finished = archive.keep
        runner.traceback_in = lambda contender, log: archive.log
    infos = {name: registered.info for name, registered in registry.backends.items()}
    if not settings.model_only and any(c.method.kinds[0] in {"chains", "guide"} for c in contenders):
        # by which draws are judged: it takes seconds to import, so while the workers run
        threading.Thread(target=import_module, args=("arviz_stats.base",), daemon=True).start()
    ran = {outcome.contender.name: outcome for outcome in runner.run(tasks, infos)}
    origins = {name: registered.origin for name, registered in registry.backends.items()}
    outcomes = [replace(known.get(c.name) or ran[c.name], origin=origins.get(c.backend)) for c in contenders]
    for outcome in outcomes:
        if outcome.mistaken:
            raise RequestError(f"{outcome.contender.name}: {outcome.error}")
    return outcomes


def _tasks(
    subject: Subject,
    contenders: Sequence[Contender],
    settings: Settings,
    registry: Registry,
    kept: Mapping[str, Outcome],
) -> list[Task]:
    work = subject.prepare(reduce=settings.reduce)
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


def _without_running(contender: Contender, subject: Subject, settings: Settings, registry: Registry) -> Outcome | None:
    """The outcome of a contender that needs no process to be told."""
    try:
        registered = registry[contender.backend]
    except PluginError as error:
        return Outcome(contender, "failed", str(error))
    try:
        refused = subject.refusal(registered.info, contender.method, settings.precision)
    except Exception as error:  # a plugin's code: whatever it raises costs its own row only
        return Outcome(contender, "failed", in_one_line(error))
    if refused:
        return Outcome(contender, "unsupported", refused)
    if registered.missing:
        return Outcome(contender, "missing", registered.lacking)
    return None


def conclude_outcomes(
    subject: Subject, outcomes: Sequence[Outcome], settings: Settings, *, added: Set[str] = frozenset()
) -> Comparison:
    """Judge outcomes, wherever they come from.

    Parameters
    ----------
    added
        Names of contenders that nobody asked for: a reference that turns out not to serve is not missed.
    """
    told = {o.contender.name: o.told for o in outcomes if o.told is not None}
    found = conclusion.conclude(
        subject.judged(told),
        [
            Finished(o.contender.name, o.contender.method, o.posterior, o.iterates)
            for o in outcomes
            if o.posterior is not None
        ],
        lost={
            o.contender.name: f"{o.status}: {o.error}"
            for o in outcomes
            if o.status != "ok" and not (o.status == "unsupported" and o.contender.name in added)
        },
        models=[o.model for o in outcomes if o.model is not None],
        prediction_gaps=_prediction_gaps(outcomes),
        smoke=settings.smoke,
        model_only=settings.model_only,
        margin=settings.margin,
        alpha=settings.alpha,
    )
    written = document(subject, told, describe(settings), outcomes, found.candidates, found.decision)
    return Comparison(subject, tuple(outcomes), found.decision, written)


def _prediction_gaps(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], float | None]:
    known = [(o.contender.name, o.predictions) for o in outcomes if o.predictions is not None]
    return {(a, b): max_difference(of_a, of_b) for (a, of_a), (b, of_b) in combinations(known, 2)}
