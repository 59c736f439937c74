"""Programs of one's own, compared: is a port still the same model?"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayescore import methods
from bayescore.backend import PROGRAM_METHODS
from bayescore.comparison.contender import Contender
from bayescore.comparison.run import Comparison, fit_and_conclude
from bayescore.comparison.runner import Watcher
from bayescore.errors import PluginError, RequestError
from bayescore.plugins import loading
from bayescore.printable import shown
from bayescore.programs import data as data_of_programs
from bayescore.programs import naming, source
from bayescore.programs.source import InPython, Source
from bayescore.programs.subject import Programs, stated
from bayescore.programs.work import own_guide
from bayescore.report.progress import watching
from bayescore.settings import Settings

if TYPE_CHECKING:
    from bayescore.comparison.archive import Archive

Given = str | Callable[..., Any] | Sequence[Any]
"""A program: a function, the text ``FILE.py:FUNCTION``, a function with its guide in a tuple; or a list of those."""


def compare_programs(
    *,
    data: Any,
    rename: Mapping[str, str] = naming.NOTHING,
    transpose: Sequence[str] = (),
    judge: Sequence[str] = (),
    settings: Settings | None = None,
    progress: bool = True,
    watch: Watcher | None = None,
    **programs: Given,
) -> Comparison:
    """Tell whether programs are the same model, and whether their posteriors are the same.

    >>> compare_programs(pyro=pyro_model, numpyro=numpyro_model, data={"y": y, "sigma": sigma})

    Parameters
    ----------
    programs
        By the name of the backend that takes them. The first is what the others are held against.
    data
        Their arguments by name: arrays, numbers; or the name of a file (JSON, NPZ, CSV, ``FILE.py:FUNCTION``).
    rename
        Common names of sites, by those that some program has for them.
    transpose
        Sites that all programs but the first have transposed.
    judge
        Sites whose posterior is compared; by default those that all sample.
    settings
        With ``model_only=True`` nothing is fitted.
    progress, watch
        As `bayescore.compare` takes them.

    Raises
    ------
    RequestError
        The request makes no sense: no such backend, data that a program does not take, a site that nobody has.
    """
    chosen = Settings() if settings is None else settings
    subject = state(programs, data, rename, transpose, judge, chosen.seed)
    with watching(watch, progress) as watcher:
        return compare_subject(subject, chosen, watch=watcher)


def state(
    programs: Mapping[str, Given],
    data: Any,
    rename: Mapping[str, str],
    transpose: Sequence[str],
    judge: Sequence[str],
    seed: int,
) -> Programs:
    """Programs as `compare_programs` takes them, with their data.

    Raises
    ------
    RequestError
        They make no sense.
    """
    given = [(backend, one) for backend, value in programs.items() for one in _listed(value)]
    sources = [(backend, _source(backend, one)) for backend, one in given]
    where = data if isinstance(data, str) else "data"
    read = data_of_programs.read(data) if isinstance(data, str) else data_of_programs.arguments(data)
    renamed = naming.pairs([f"{old}={new}" for old, new in rename.items()])
    return Programs(stated(sources), read, where, renamed, frozenset(transpose), tuple(judge), seed)


def compare_subject(
    subject: Programs,
    settings: Settings,
    *,
    watch: Watcher = lambda contender, message: None,
    archive: "Archive | None" = None,
) -> Comparison:
    """Compare programs that are stated already; as `compare_programs`."""
    settings = replace(settings, reference="none", method=_method(settings))
    subject = replace(subject, fits=not settings.model_only)
    contenders = contenders_of(subject, settings)
    found = fit_and_conclude(subject, contenders, settings, loading.load(), watch=watch, archive=archive)
    stopped = [o for o in found.outcomes if o.status == "failed" and o.told is None and "look" not in o.seconds]
    if len(stopped) == len(found.outcomes) and all("build_data" in o.seconds for o in stopped):
        raise RequestError(f"no program runs with these data: {stopped[0].contender.name}: {stopped[0].error}")
    return found


def contenders_of(subject: Programs, settings: Settings) -> list[Contender]:
    """A contender a program, by the backend that takes it.

    Raises
    ------
    RequestError
        There are fewer than two programs, or a backend is unknown.
    """
    if len(subject.programs) < 2:
        raise RequestError("name two programs at least, as pyro=old.py:model numpyro=new.py:model")
    registry = loading.load()
    method = _method(settings)
    if settings.smoke:
        method = method.smoke()
    for program in subject.programs:
        with suppress(PluginError):  # a broken plugin is a known contender, which gets a row of its own
            registry[program.backend]
    return [
        Contender(program.backend, _guided(method) if program.source.guided else method, program.label)
        for program in subject.programs
    ]


def _guided(method: methods.Method) -> methods.Method:
    """The method with the program's own guide, where it fits one."""
    return replace(method, guide=own_guide) if isinstance(method, methods.SVI) else method


def _method(settings: Settings) -> methods.Method:
    method = methods.NUTS() if settings.method is None else methods.parse(settings.method)
    if method.name not in PROGRAM_METHODS:
        raise RequestError(f"programs are fitted by {' or '.join(PROGRAM_METHODS)}, not by {method.name}")
    return method


def _listed(given: Given) -> list[Any]:
    return list(given) if isinstance(given, list) else [given]


def _source(backend: str, given: Any) -> Source:
    if isinstance(given, str):
        return source.read(f"{backend}={given}")[1]
    if isinstance(given, tuple):
        if len(given) != 2:
            raise RequestError(f"a program with its guide is (function, guide), not {shown(given)}")
        return InPython.of(*given)
    return InPython.of(given)
