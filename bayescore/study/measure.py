"""Counts what the rule says, repetition by repetition, in several processes."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.conclusion import Finished, conclude_pair, enter
from bayescore.agreement.model_check import check
from bayescore.agreement.pairs import Pair
from bayescore.backend import Precision
from bayescore.contract import refit
from bayescore.contract.checked import Checked
from bayescore.errors import RequestError
from bayescore.exact.posterior import solve
from bayescore.methods import NUTS, SVI, Exact, Method
from bayescore.model.data import from_arrays
from bayescore.plugins import loading
from bayescore.regressions.points import points
from bayescore.regressions.target import RegressionTarget
from bayescore.regressions.work import RegressionSession, RegressionWork
from bayescore.study.faults import DENSITY_FAULTS, DRAW_FAULTS, honest
from bayescore.study.targets import make
from bayescore.system import cores
from bayescore.tables import problem

FIXED = 0.05
STAN = 0.3
_CHUNK = 10

Key = tuple[str, str]


@dataclass(frozen=True)
class Extent:
    """What is measured.

    Attributes
    ----------
    engine
        The backend that is drawn from.
    method
        Its NUTS settings.
    repetitions, refits
        For faults of density and of draws, and for those that are fitted anew.
    faults
        Names of the faults of draws; all where there are none.
    jobs, cores
        Processes at a time, by default one a core, and the cores that they share, by default
        all that this process may use.
    """

    engine: str = "numpyro"
    method: NUTS = field(default_factory=NUTS)
    repetitions: int = 300
    refits: int = 50
    faults: tuple[str, ...] = ()
    seed: int = 0
    jobs: int | None = None
    cores: int | None = None


def in_parallel(
    work: Callable[[Extent, str, range], dict[Key, Counter[str]]], settings: Extent, name: str, count: int
) -> dict[Key, Counter[str]]:
    """Run the repetitions of a target in chunks, and add up what they count."""
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    total: dict[Key, Counter[str]] = {}
    numbers, spawn = cores.chosen(settings.cores), get_context("spawn")
    jobs = settings.jobs or len(numbers)
    shares = spawn.SimpleQueue()
    for share in cores.shares(numbers, jobs):
        shares.put(share)
    with ProcessPoolExecutor(jobs, spawn, _begin, (shares,)) as pool:
        for found in pool.map(work, [settings] * len(chunks), [name] * len(chunks), chunks):
            for key, counts in found.items():
                total.setdefault(key, Counter()).update(counts)
    return total


def _begin(shares: "SimpleQueue[list[int]]") -> None:
    """In a process that begins: take a share of the cores."""
    cores.take(shares.get())


def density_faults(settings: Extent, name: str, seeds: Iterable[int]) -> dict[Key, Counter[str]]:
    """The model check on new data for each repetition."""
    found: dict[Key, Counter[str]] = {}
    for seed in seeds:
        for fault in DENSITY_FAULTS:
            regression, data = honest(fault.family, settings.seed + seed)
            target = RegressionTarget(regression, data, data)
            at = points(regression, data)
            result = check("", target, at, [fault.wrong(regression, data, point) for point in at])
            counts = found.setdefault((name, fault.name), Counter())
            counts["repetitions"] += 1
            counts["caught"] += result.verdict == "different"
            counts["named"] += result.site == fault.site
    return found


def draw_faults(settings: Extent, name: str, seeds: range) -> dict[Key, Counter[str]]:
    """Faults of draws, each against a healthy set and against the exact posterior.

    Repetition s holds sets s and s + 1 against each other.
    """
    source = make(name, _backend(settings.engine), settings.method)
    exact = source.exact(settings.seed)
    found: dict[Key, Counter[str]] = {}
    after = source.draw(settings.seed + seeds[0])
    for seed in seeds:
        before, after = after, source.draw(settings.seed + seed + 1)
        sound = enter(source.target, Finished("a", settings.method, before))
        for number, fault in enumerate(DRAW_FAULTS):
            if settings.faults and fault.name not in settings.faults:
                continue
            spoilt = fault.spoil(after, np.random.default_rng([settings.seed, seed, number]))
            wrong = enter(source.target, Finished("b", settings.method, spoilt))
            counts = found.setdefault((name, fault.name), Counter())
            _count(counts, "", conclude_pair(sound, wrong), sound, wrong, fault.reason)
            if exact is not None:
                _count(counts, "exact ", conclude_pair(exact, wrong), exact, wrong, fault.reason)
    return found


def _count(counts: Counter[str], prefix: str, pair: Pair, a: Candidate, b: Candidate, reason: str) -> None:
    counts[f"{prefix}repetitions"] += 1
    counts[f"{prefix}{pair.verdict}"] += 1
    counts[f"{prefix}reason"] += any(found.code == reason for found in pair.reasons)
    counts[f"{prefix}health"] += bool(a.health.ailments or b.health.ailments)
    difference = np.abs(a.own.mean - b.own.mean)
    counts[f"{prefix}fixed"] += bool(np.all(difference < FIXED))
    counts[f"{prefix}stan"] += bool(np.all(difference / a.own.sd < STAN))


REFITS: dict[str, tuple[Method, str]] = {
    "none (svi)": (SVI(), ""),
    "none (nuts)": (NUTS(), ""),
    "no warm-up": (NUTS(warmup=0), "unconverged"),
    "last iterate for the average": (SVI(average=False), "unconverged"),
    "a twentieth of the steps": (SVI(steps=50), "unconverged"),
    "the old tutorial's settings": (SVI.tutorial(), "unconverged"),
    "float32 on uncentred data": (NUTS(), "precision"),
}
"""For each fault the method, and the reason that the verdict has to give."""


def refits(settings: Extent, name: str, seeds: Iterable[int]) -> dict[Key, Counter[str]]:
    """Faults of fits on the toy, each against the exact posterior of new data."""
    found: dict[Key, Counter[str]] = {}
    for seed in seeds:
        for fault, (method, reason) in REFITS.items():
            counts = found.setdefault((name, fault), Counter())
            if fault.startswith("float32"):
                counts["exact repetitions"] += 1
                counts["exact precision"] += _float32(settings, seed)
            else:
                pair, exact, wrong = _refit(settings, method, seed)
                _count(counts, "exact ", pair, exact, wrong, reason)
                counts["exact thousandths"] += round(
                    1000 * float(np.max(np.abs(exact.own.mean - wrong.own.mean) / exact.own.sd))
                )
    return found


def _refit(settings: Extent, method: Method, seed: int) -> tuple[Pair, Candidate, Candidate]:
    toy = problem.toy(seed=settings.seed + seed)
    session = RegressionSession(RegressionWork(toy.regression, toy.data, toy.new_data), _backend(settings.engine))
    fit, posterior = refit.fit(session, method, seeds=(seed, seed))
    wrong = enter(toy.target, Finished("b", method, posterior, fit.iterates))
    truth = solve(toy.regression, toy.data).sample(10_000, seed)
    sound = enter(toy.target, Finished("exact", Exact(), truth))
    return conclude_pair(sound, wrong), sound, wrong


def _float32(settings: Extent, seed: int) -> bool:
    """Whether the model check says ``precision`` for x ~ 1000 + Normal(0, 1) and 10,000 rows."""
    rng = np.random.default_rng([settings.seed, seed])
    x = rng.normal(1000.0, 1.0, 10_000)
    data = from_arrays(x, 1.0 + 3.0 * x + 0.1 * rng.standard_normal(x.size))
    stated = problem.toy().regression
    at = points(stated, data)
    found = {}
    for precision in ("float32", "float64"):
        backend = _backend(settings.engine, "float32" if precision == "float32" else "float64")
        native = backend.build_data(stated, data)
        found[precision] = [backend.log_density(stated, native, point) for point in at]
    target = RegressionTarget(stated, data, data)
    result = check("b", target, at, found["float32"], precision="float32", in_float64=found["float64"])
    return result.verdict == "precision"


def _backend(engine: str, precision: Precision = "float64") -> Checked:
    registered = loading.load()[engine]
    if "method:nuts" not in registered.info.declared("method"):
        raise RequestError(f"the study needs a backend with nuts; {engine} has none")
    return Checked(registered.make(precision), registered.info, precision)
