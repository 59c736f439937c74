"""Documents of comparisons, kept in ``tests/documents``: a change that should leave all figures as they are does so.

    python tests/keep_documents.py            rewrites them, and tells what differs from those that were there
    python tests/keep_documents.py --exact    rewrites none; 1 if any differs, be it in the last digit

Every contender runs in this process; most are of NumPy alone, from ``tests/plugins``.
"""

import argparse
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, USABLE

from bayescore.comparison import run, running, worker
from bayescore.comparison.run import Settings
from bayescore.model.data import Data, Membership, from_arrays
from bayescore.model.groups import Grouping
from bayescore.plugins import loading
from bayescore.printable import shown
from bayescore.tables.problem import Problem, from_data, toy

KEPT = ROOT / "tests" / "documents"
PLUGINS = ("numeric", "tiny")
ROUNDING, TRAINED_ROUNDING = 1e-9, 1e-6
"""Relative differences that another processor's arithmetic may make: of NumPy, and of hundreds of gradient steps."""


@dataclass(frozen=True)
class Case:
    """A request.

    Attributes
    ----------
    needs
        Backends beside the tests' own.
    """

    problem: Callable[[], Problem]
    contenders: Sequence[str]
    settings: Settings = field(default_factory=Settings)
    needs: tuple[str, ...] = ()

    @property
    def rounding(self) -> float:
        """How far figures may be off on another machine, relative to 1 or to themselves."""
        return TRAINED_ROUNDING if self.needs else ROUNDING


def small_toy() -> Problem:
    """The toy, with three rows to predict."""
    return replace(toy(), new_data=toy().new_data.take(slice(0, 20, 8)))


def _columns(count: int) -> Data:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, count))
    return from_arrays(x - x.mean(axis=0), 1.0 + x @ np.ones(count) + rng.normal(size=60))


def free() -> Problem:
    """One column and an unknown sigma."""
    data = _columns(1)
    priors = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)", "sigma": "HalfNormal(1)"}
    return from_data(data, priors=priors, new_data=data.take(slice(2)))


def collinear() -> Problem:
    """Two columns that are the same but for a millionth."""
    data = _columns(1)
    x = np.column_stack([data.x, data.x + 1e-6 * np.cos(np.arange(60.0))[:, None]])
    rows = from_arrays(x, data.observed)
    prior = "Normal(0, 10)"
    return from_data(
        rows, family="Gaussian(sigma=1)", priors={"intercept": prior, "beta": prior}, new_data=rows.take(slice(2))
    )


def separated() -> Problem:
    """Two classes that one column tells apart."""
    x = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    rows = from_arrays(x, (x > 0).astype(float))
    return from_data(rows, family="Bernoulli", new_data=rows.take(slice(2)))


def skewed() -> Problem:
    """A posterior that is no Gaussian's."""
    rows = from_arrays(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    return from_data(rows, family="Poisson", new_data=rows.take(slice(2)))


def far() -> Problem:
    """A column so far from zero that float32 loses its digits."""
    data = _columns(1)
    return from_data(from_arrays(data.x + 3e6, data.observed), new_data=data.take(slice(1)))


def hierarchy() -> Problem:
    """An intercept for each of three groups, and a new one among the predicted rows."""
    data, level = _columns(1), np.arange(60) % 3
    rows = replace(data, groups={"1|g": Membership(level, np.ones(60))})
    rows = replace(rows, y=data.observed + np.array([-1.0, 0.0, 1.0])[level])
    return from_data(rows, groupings=(Grouping("g", ("1",), ("a", "b", "c")),), new_data=rows.take(slice(3)))


def network() -> Problem:
    """Two hidden units."""
    data = _columns(1)
    return from_data(data, network=(2,), new_data=replace(data.take(slice(3)), y=None))


def ordinal() -> Problem:
    """A response of three ordered categories."""
    data = _columns(1)
    y = np.digitize(data.observed, [0.0, 2.0]).astype(float)
    rows = replace(data, y=y, categories=("low", "middle", "high"))
    return from_data(rows, family="Ordinal", new_data=rows.take(slice(2)))


ALONE = Settings(reference="none")
SHORT = "metropolis(warmup=200, draws=300)"
CASES = {
    "guides": Case(small_toy, ["numeric:svi", "numeric:svi(guide=full_rank)", "numeric:laplace"]),
    "guides of raw columns": Case(small_toy, ["numeric:svi(standardize=False)", "numeric:laplace"]),
    "guides of a skewed posterior": Case(skewed, ["numeric:svi", "numeric:laplace", "numeric:nuts"]),
    "chains": Case(free, ["shifted", "skewed"]),
    "chains without exact": Case(free, ["numeric", "wide"], ALONE),
    "draws too few": Case(free, ["numeric:nuts(draws=150)", "tiny:metropolis(warmup=100, draws=200)", "again"]),
    "draws so few that errors are unknown": Case(
        small_toy,
        ["numeric:nuts(chains=1, draws=1)", "numeric:laplace(draws=1)", "numeric:svi(guide=full_rank, draws=2)"],
    ),
    "collinear columns": Case(collinear, ["apart"]),
    "heavy tails": Case(free, ["heavy", "heavy:nuts(draws=2400)"], replace(ALONE, settle=False)),
    "points": Case(small_toy, ["exact", "exact:map", "numeric:map", "exact:mle", "numeric:mle"]),
    "points without a maximum": Case(separated, ["numeric:mle", "numeric:mle(steps=10)"]),
    "another model": Case(free, ["other_prior", "numeric"]),
    "float32": Case(far, ["numeric"], Settings(precision="float32")),
    "models alone": Case(free, ["numeric", "silent"], Settings(model_only=True)),
    "smoke": Case(small_toy, ["numeric:svi", "numeric:nuts"], Settings(smoke=True)),
    "one alone": Case(free, ["numeric"], ALONE),
    "not run": Case(free, ["lost", "absent", "walker:svi", "numeric"]),
    "hierarchy": Case(hierarchy, [f"walker:{SHORT}", "silent:metropolis(warmup=200, draws=301)"]),
    "network": Case(network, [f"walker:{SHORT}", "silent:metropolis(warmup=200, draws=301)"]),
    "categories": Case(
        ordinal, [f"walker:{SHORT}", "silent:metropolis(warmup=200, draws=301)"], Settings(settle=False)
    ),
    "trained points": Case(
        small_toy, [f"{engine}:{method}(steps=100)" for engine in ("pyro", "numpyro") for method in ("mle", "map")],
        needs=("pyro", "numpyro"),
    ),
    "trained guides": Case(
        skewed, ["pyro:svi(steps=40)", "numpyro:svi"], needs=("pyro", "numpyro")
    ),
}  # fmt: skip
LIBRARIES = tuple(name for case in CASES.values() for name in case.needs)


class InThisProcess:
    """Runs tasks one after another, as a `bayescore.comparison.runner.Runner` does in processes."""

    def __init__(self, *ignored: object, **named: object) -> None:
        pass

    def run(self, tasks: Sequence[Any], environments: object) -> list[Any]:
        with redirect_stderr(io.StringIO()):  # of tracebacks
            return [worker.run(task, worker.Channel(io.StringIO(), Path())) for task in tasks]


@contextmanager
def bench() -> Iterator[None]:
    """Where cases can be made: with the tests' plugins, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PLUGINS:
            patch.syspath_prepend(str(ROOT / "tests" / "plugins" / name))
        patch.setenv(loading.RESTRICT, ",".join((*PLUGINS, *LIBRARIES)))
        registry = loading.load()
        patch.setattr(loading, "load", lambda: registry)
        patch.setattr(running, "Runner", InThisProcess)
        yield


def made(case: Case) -> dict[str, Any]:
    """The document of a case, without what is a machine's, as JSON gives it back."""
    found = run.compare(case.problem(), case.contenders, case.settings).document
    return json.loads(json.dumps(_of_no_machine(found), allow_nan=False))


def _of_no_machine(document: dict[str, Any]) -> dict[str, Any]:
    left_out = {"seconds": {}, "peak_memory_bytes": None, "version": None}
    environment = document["environment"] | {"python": "", "platform": "", "cores": None, "versions": {}}
    contenders = [{**row, **left_out, "error": _without_lines(row["error"])} for row in document["contenders"]]
    reasons = [{**reason, "text": _without_lines(reason["text"])} for reason in document["reasons"]]
    return {**document, "environment": environment, "contenders": contenders, "reasons": reasons}


def _without_lines(text: str | None) -> str | None:
    """A sentence without the line of a file that an error was raised in."""
    return None if text is None else re.sub(r"line \d+ of", "line # of", text)


def path(name: str) -> Path:
    """Where a case's document is kept."""
    return KEPT / f"{name.replace(' ', '-')}.json"


def stored(name: str) -> dict[str, Any]:
    """The document that is kept."""
    return json.loads(path(name).read_text())


def differences(kept: Any, found: Any, rounding: float, at: str = "") -> Iterator[str]:
    """Where two documents differ: in anything, or in figures by more than so much, relative to 1 or to themselves."""
    if isinstance(kept, dict) and isinstance(found, dict):
        for key in sorted({*kept, *found}):
            if key in kept and key in found:
                yield from differences(kept[key], found[key], rounding, f"{at}.{key}".lstrip("."))
            else:
                yield f"{at}.{key}: only in the {'kept' if key in kept else 'new'} one".lstrip(".")
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for index, pair in enumerate(zip(kept, found, strict=True)):
            yield from differences(*pair, rounding, f"{at}[{index}]")
    elif isinstance(kept, float) and isinstance(found, float):
        if not math.isclose(kept, found, rel_tol=rounding, abs_tol=rounding):
            yield f"{at}: {shown(kept)} was kept, {shown(found)} came"
    elif type(kept) is not type(found) or kept != found:
        yield f"{at}: {shown(kept)} was kept, {shown(found)} came"


def places(at: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where every figure, text and flag of a document is, and what it is."""
    if isinstance(at, dict | list):
        for key, value in at.items() if isinstance(at, dict) else enumerate(at):
            yield from places(value, (*place, key))
    else:
        yield place, at


def main() -> int:
    """Make every document and hold it against the kept one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exact", action="store_true", help="rewrite none")
    exact = parser.parse_args().exact
    KEPT.mkdir(exist_ok=True)
    changed = 0
    with bench():
        for name, case in CASES.items():
            if not set(case.needs) <= set(USABLE):
                print(f"{name}: left out, it needs {' and '.join(case.needs)}")
                continue
            found = made(case)
            known = path(name).exists()
            apart = list(differences(stored(name), found, 0.0)) if known else ["new"]
            changed += bool(apart)
            for line in apart[:10]:
                print(f"{name}: {line}")
            if len(apart) > 10:
                print(f"{name}: and {len(apart) - 10} more")
            if apart and not exact:
                path(name).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(CASES)} documents, {changed} of them not as they were")
    return 1 if exact and changed else 0


if __name__ == "__main__":
    sys.exit(main())
