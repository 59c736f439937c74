"""From a formula and a table to a fit: one contender, by the machinery of comparisons."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Unpack, cast

from threadpoolctl import threadpool_limits

from bayescore import methods
from bayescore.agreement.conclusion import Conclusion, Finished, conclude
from bayescore.agreement.pairs import Reason
from bayescore.agreement.verdict import of_model
from bayescore.comparison.asked import Asked, run_by, stated
from bayescore.comparison.contender import Contender, parse
from bayescore.comparison.document import for_json, of_contenders, reasons
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.run import choose
from bayescore.comparison.runner import Watcher
from bayescore.comparison.running import Run
from bayescore.errors import FitError, MissingLibraryError, RequestError, UnsupportedError
from bayescore.fitting.fit import Fit
from bayescore.model.posterior import Posterior
from bayescore.plugins import loading
from bayescore.plugins.registry import Registry
from bayescore.printable import shown
from bayescore.regressions.problem import Problem
from bayescore.report.one_fit import SCHEMA, FitDocument
from bayescore.report.progress import watching
from bayescore.settings import Settings, describe

PREFERRED = ("numpyro", "pyro", "exact")
"""Backends in the order in which the first that is installed is taken where none is named."""


def fit(
    model: str | Problem,
    table: object | None = None,
    backend: str | None = None,
    *,
    settings: Settings | None = None,
    progress: bool = True,
    watch: Watcher | None = None,
    **asked: Unpack[Asked],
) -> Fit:
    """Fit one regression with one backend, in a process of its own.

    >>> fit("Reaction ~ Days + (Days | Subject)", frame, backend="numpyro:nuts")

    Parameters
    ----------
    model
        A formula, or a `bayescore.Problem`.
    table
        The formula's: whatever `bayescore.from_table` takes.
    backend
        As ``numpyro:nuts``, ``pyro:svi`` or ``exact``; NUTS where it names no method, and by default
        of the first that is installed of NumPyro and Pyro, else ``exact``.
    progress
        Whether a bar shows it in a terminal and in a notebook.
    watch
        Told of the progress, in the bar's place.
    asked
        With a formula what `bayescore.from_table` takes (``family``, ``priors``, ``weights``, ``network``,
        ``new_table``, ``drop_missing``, ``levels``), and fields of `bayescore.Settings` (``method``, ``seed``,
        ``timeout``, ``precision``, ``cores``, ``reduce``, ``smoke``).

    Raises
    ------
    RequestError, DataError
        The request makes no sense; nothing has been done.
    UnsupportedError, MissingLibraryError, FitError
        The backend does not offer it, lacks a library, or came to no end.
    """
    settings, registry = run_by(settings, asked), loading.load()
    problem = stated(model, table, asked)
    contender = _chosen(problem, backend, settings, registry)
    with watching(watch, progress) as watcher, threadpool_limits(1, "blas"):
        (outcome,) = Run(problem, settings, registry, watcher).all([contender])
        return _made(problem, _finished(outcome), settings)


def _chosen(problem: Any, backend: str | None, settings: Settings, registry: Registry) -> Contender:
    if not isinstance(problem, Problem):
        raise RequestError(
            f"a formula or a Problem comes first, not {shown(problem)}: fit('y ~ x', table), or fit(problem)"
        )
    if settings.model_only:
        raise RequestError("model_only compares densities, and a fit has no other to be held against")
    if backend is not None and not isinstance(backend, str):
        raise RequestError(f"one backend is named by a text, as 'numpyro:nuts', not {shown(backend)}")
    method = methods.NUTS() if settings.method is None else methods.parse(settings.method)
    named = parse(_preferred(registry) if backend is None else backend, registry, method)
    written = named.backend if named.name == named.backend else f"{named.backend}:{named.method}"
    (contender,) = choose(problem, [written], replace(settings, reference="none"), registry)
    return contender


def _preferred(registry: Registry) -> str:
    known = registry.backends
    return next(name for name in (*PREFERRED, *known) if name in known and not known[name].missing)


def _finished(outcome: Outcome) -> Outcome:
    """An outcome that is a fit.

    Raises
    ------
    UnsupportedError, MissingLibraryError, FitError
        It is none.
    """
    if outcome.status == "ok":
        return outcome
    if outcome.status == "interrupted":
        raise KeyboardInterrupt
    kinds = {"unsupported": UnsupportedError, "missing": MissingLibraryError}
    raise kinds.get(outcome.status, FitError)(f"{outcome.contender.name}: {outcome.error}")


def _made(problem: Problem, outcome: Outcome, settings: Settings) -> Fit:
    name, posterior = outcome.contender.name, cast(Posterior, outcome.posterior)
    found = conclude(problem.target, [Finished(name, outcome.contender.method, posterior, outcome.iterates)])
    document = _document(problem, outcome, settings, found)
    return Fit(problem, posterior, document, outcome.losses)


def _document(problem: Problem, outcome: Outcome, settings: Settings, found: Conclusion) -> FitDocument:
    wrong = [Reason(ailment.code, ailment.text) for c in found.candidates.values() for ailment in c.health.ailments]
    wrong += [] if outcome.model is None else of_model(outcome.model)
    if settings.smoke:
        wrong.append(Reason("smoke", "this was a smoke run of two iterations: nothing can be concluded"))
    content: Mapping[str, Any] = {
        "schema": SCHEMA,
        "healthy": not wrong,
        "reasons": reasons(wrong),
        **of_contenders(problem, {}, describe(settings), [outcome], found.candidates),
    }
    return cast(FitDocument, for_json({key: content[key] for key in FitDocument.__annotations__}))
