"""The assertion that programs of one's own, in one library or several, are the same model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bayescore.backend import Precision
from bayescore.errors import MissingLibraryError, UnsupportedError
from bayescore.plugins import loading
from bayescore.porting import Given, compare_subject, contenders_of, state
from bayescore.programs import naming
from bayescore.programs.sides import Held, Look, Point
from bayescore.programs.source import Here
from bayescore.programs.subject import Programs, side_by_side
from bayescore.programs.work import ProgramSession, verdicts
from bayescore.settings import Settings


def assert_same_program(
    *,
    data: Any,
    rename: Mapping[str, str] = naming.NOTHING,
    transpose: Sequence[str] = (),
    judge: Sequence[str] = (),
    precision: Precision = "float64",
    seed: int = 0,
    sample: Settings | bool = False,
    **programs: Given,
) -> None:
    """Assert that programs have the same density up to a constant: site by site, at draws of all priors.

    It takes seconds, in this very process, and samples nothing unless it is asked to.

    >>> assert_same_program(pyro=pyro_model, numpyro=numpyro_model, data={"y": y, "sigma": sigma})

    Parameters
    ----------
    programs, data, rename, transpose, judge
        As `bayescore.compare_programs` takes them.
    seed
        Of the draws.
    sample
        Fit them, too, each in a process of its own, by these settings or the default ones, and assert that their
        posteriors agree.

    Raises
    ------
    AssertionError
        They are not the same model, or it can't be told; the message says where they differ.
    RequestError
        The request makes no sense: no such backend, data that a program does not take, a site that nobody has.
    UnsupportedError, MissingLibraryError
        A backend does not take programs, or its library is not installed.
    """
    subject = state(programs, data, rename, transpose, judge, seed)
    if sample is not False:
        settings = Settings(seed=seed, precision=precision) if sample is True else sample
        found = compare_subject(subject, settings)
        if found.verdict != "agree":
            raise AssertionError(str(found))
        return
    looks, helds, points = hold(sessions(here(subject), precision))
    models = verdicts(looks, helds, points, precision)
    wrong = [model for model in models.values() if model.verdict != "same"]
    if wrong:
        lines = [f"{m.contender} and {m.against}: {m.verdict}, {m.site or 'no site'}: {m.pattern}" for m in wrong]
        table = side_by_side({name: held.sites[0] for name, held in helds.items()})
        raise AssertionError("\n".join([*lines, "", table]))


def hold(sessions: Mapping[str, ProgramSession]) -> tuple[dict[str, Look], dict[str, Held], Sequence[Point]]:
    """What all programs are, their densities at everybody's points, and the points of the first."""
    looks = {name: session.look() for name, session in sessions.items()}
    for name, session in sessions.items():
        session.see(name, looks)
    helds = {name: session.hold(session.points) for name, session in sessions.items()}
    return looks, helds, next(iter(sessions.values())).points


def here(subject: Programs) -> Programs:
    """The same with its functions in this process, not to be fitted."""
    programs = tuple(replace(p, source=Here(*p.source.load())) for p in subject.programs)
    return replace(subject, programs=programs, fits=False)


def sessions(subject: Programs, precision: Precision) -> dict[str, ProgramSession]:
    """Every program in its backend, in this process."""
    registry, work = loading.load(), subject.prepare(reduce=False)
    found = {}
    for contender in contenders_of(subject, Settings(model_only=True)):
        registered = registry[contender.backend]
        refused = subject.refusal(registered.info, contender.method, precision)
        if refused:
            raise UnsupportedError(f"{contender.backend}: {refused}")
        if registered.missing:
            raise MissingLibraryError(registered.lacking)
        own = work(contender.label, registered.info, contender.method)
        found[contender.label] = own.open(registered.make(precision), registered.info, precision)
    return found
