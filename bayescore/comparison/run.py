"""One comparison from the contenders' names to the verdict."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from threadpoolctl import threadpool_limits

from bayescore import methods
from bayescore.agreement import conclusion
from bayescore.agreement.conclusion import Finished
from bayescore.agreement.verdict import Decision
from bayescore.comparison import settling
from bayescore.comparison.asked import Asked, run_by, stated
from bayescore.comparison.contender import Contender, parse_all
from bayescore.comparison.document import document
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.runner import Watcher
from bayescore.comparison.running import Run
from bayescore.comparison.subject import Subject
from bayescore.errors import RequestError
from bayescore.model.predictions import max_difference
from bayescore.plugins import loading
from bayescore.plugins.registry import Registry
from bayescore.printable import html, shortened, shown
from bayescore.report.document import Document
from bayescore.report.progress import watching
from bayescore.report.words import diagnosis, sentence
from bayescore.settings import Settings, describe
from bayescore.system import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayescore.comparison.archive import Archive
    from bayescore.pictures.material import Material

_MOST_CONTENDERS = 100


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return shortened(f"Comparison({self.verdict}: {', '.join(o.contender.name for o in self.outcomes)})", 300)

    def _repr_html_(self) -> str:
        """For a notebook: the verdict and its reasons, then each contender and each pair."""
        document = self.document
        reasons = [f"{reason['code']}: {reason['text']}" for reason in document["reasons"]]
        rows = [(c["name"], diagnosis(c), "") for c in document["contenders"]]
        for pair in document["pairs"]:
            largest = pair["max_difference_sd"]
            apart = "" if largest is None else f"at most {largest:.3f} posterior sds apart"
            rows.append((f"{pair['a']} and {pair['b']}", pair["verdict"], apart))
        return html(self.verdict.upper(), [sentence(document), *reasons], ("", "found", "difference"), rows)

    def report(self, *, full: bool = False, width: int | None = None) -> str:
        """The report as text: one screen, or all.

        Parameters
        ----------
        width
            In columns; by default the terminal's, or as ``COLUMNS`` says.
        """
        from bayescore.report.terminal import render

        return render(self.document, full=full, width=width)

    def __str__(self) -> str:
        return self.report()

    @property
    def material(self) -> "Material":
        """What its pictures are drawn from."""
        from bayescore.comparison.pictured import of_outcomes

        return of_outcomes(self.document, self.outcomes, self.problem)

    def plot(self, name: str) -> "Figure":
        """A picture of it, as a figure of matplotlib's: ``forest``, ``differences``, ``densities`` and others.

        Raises
        ------
        RequestError
            There is no such picture, or nothing to draw for it.
        MissingLibraryError
            matplotlib is not installed: ``pip install "bayescore[plots]"``.
        """
        from bayescore.pictures.listed import draw

        return draw(name, self.material).figure

    def to_html(self, path: str | Path) -> None:
        """Write it as a page: one file that holds all of it, with pictures where matplotlib is installed.

        Raises
        ------
        KeepingError
            It can't be written.
        """
        from bayescore.pictures.listed import on_a_page
        from bayescore.report.page import render

        writing.write(Path(path), render(self.document, on_a_page(self.material)))


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
        run = Run(subject, settings, registry, watch, None if archive is None else archive.log)
        kept = {} if archive is None else run.stored(contenders, archive)
        outcomes = run.all(contenders, kept, None if archive is None else archive.keep)
        found = conclude_outcomes(subject, outcomes, settings, added=added)
        settled = _settle(run, found, contenders, archive) if settings.settle and not settings.smoke else None
        return found if settled is None else conclude_outcomes(subject, settled, settings, added=added)


def _settle(
    run: Run, found: Comparison, contenders: Sequence[Contender], archive: "Archive | None"
) -> Sequence[Outcome] | None:
    """The outcomes with more draws; None where these settle nothing, or can't be had."""
    times = settling.draw_on(found.decision, found.outcomes)
    longer = [c.drawing(times[c.name]) if c.name in times else c for c in contenders]
    if not times or not _fits(run.subject, longer):
        return None
    others = {o.contender.name: o for o in found.outcomes if o.contender.name not in times}
    logs: dict[str, str] = {}
    again = run.all(longer, others, lambda outcome, log: logs.update({outcome.contender.name: log}))
    why = "; ".join(reason.text for reason in found.decision.reasons)
    taken = settling.taken(found.outcomes, again, times, why)
    if archive is not None:
        for outcome in taken or ():
            if outcome.contender.name in times:
                archive.keep(outcome, logs[outcome.contender.name])
    return taken


def _fits(subject: Subject, contenders: Sequence[Contender]) -> bool:
    """Whether the memory allows these fits."""
    try:
        for contender in contenders:
            subject.check_size(contender.method)
    except RequestError:
        return False
    return True


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
