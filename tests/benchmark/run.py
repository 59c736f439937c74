"""Speed and memory, side by side with hand-written scripts: medians of five, alternating.

Run from the root with ``make bench``; it takes about a quarter of an hour. JAX's
compilation cache is in a folder of its own, emptied before each cold run; the
hand-written scripts have none.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
REPEATS = 5
STEPS = 1000
EXACT = (0.99926756, 2.98690095)
SD = (0.02066942, 0.0329923)
CANDIDATES = (2000, 5000, 10_000, 20_000)


def wall(command: list[str], **environment: str) -> tuple[float, str]:
    """Seconds that a command takes, and its output."""
    started = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **environment}
    )
    return time.perf_counter() - started, done.stdout


def processor(command: list[str]) -> float:
    """Seconds of processor time that a command and whatever it starts take, whatever its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(*actions: Callable[[], float]) -> list[float]:
    """Medians of alternating runs."""
    times = [[action() for action in actions] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def say(what: str, value: float, limit: float, unit: str = "") -> None:
    """Print a figure and its limit."""
    print(
        f"{what:72s} {value:8.3f}{unit}   at most {limit:g}{unit}  {'ok' if value <= limit else 'MISSED'}", flush=True
    )


def startup() -> None:
    """How long it takes to say anything at all."""
    program = [sys.executable, "-m", "bayescore"]
    alone = [sys.executable, "compare.py", "--backends", "exact", "--reference", "none"]
    helped, listed, compared = medians(
        lambda: wall([*program, "--help"])[0], lambda: wall([*program, "backends"])[0], lambda: processor(alone)
    )
    say("bayescore --help", helped, 0.3, " s")
    say("bayescore backends", listed, 0.5, " s")
    say("compare.py with exact alone on the toy, processor time", compared, 1.2, " s")


def overhead() -> None:
    """What the toolkit adds to the same model, guide, particles and steps written by hand."""
    for engine in ("pyro", "numpyro"):
        plain = [sys.executable, str(HERE / f"plain_{engine}.py"), "same", str(STEPS), "1"]
        ours = [sys.executable, str(HERE / "toolkit.py"), engine, str(STEPS), "1"]
        by_hand, with_it = medians(lambda p=plain: wall(p)[0], lambda o=ours: wall(o)[0])
        print(f"{engine}: by hand {by_hand:.2f} s, with the toolkit {with_it:.2f} s")
        say(f"{engine}: added by the toolkit, share of the hand-written script", with_it / by_hand - 1, 0.05)


def needed_steps(engine: str) -> int:
    """Fewest steps that put the hand-written tutorial's means within 0.05 sd for three seeds; the most if none do."""
    for steps in CANDIDATES:
        outputs = [
            wall([sys.executable, str(HERE / f"plain_{engine}.py"), "tutorial", str(steps), str(seed)])[1].split()
            for seed in (1, 2, 3)
        ]
        errors = [abs(float(out[j]) - EXACT[j]) / SD[j] for out in outputs for j in (0, 1)]
        if max(errors) < 0.05:
            return steps
        print(f"{engine} by hand, {steps} steps: off by up to {max(errors):.3f} sd", flush=True)
    return CANDIDATES[-1]


def whole() -> None:
    """The default comparison, cold and warm, against the slower hand-written script alone."""
    steps = {engine: needed_steps(engine) for engine in ("pyro", "numpyro")}
    print(f"steps that the hand-written scripts need: {steps}")
    plain = {e: [sys.executable, str(HERE / f"plain_{e}.py"), "tutorial", str(n), "1"] for e, n in steps.items()}
    cache = Path(tempfile.mkdtemp())
    compare = [sys.executable, "compare.py", "--backends", "pyro", "numpyro"]

    def cold() -> float:
        shutil.rmtree(cache)
        return wall(compare, BAYESCORE_CACHE=str(cache))[0]

    pyro, numpyro, first, second = medians(
        lambda: wall(plain["pyro"])[0],
        lambda: wall(plain["numpyro"])[0],
        cold,
        lambda: wall(compare, BAYESCORE_CACHE=str(cache))[0],
    )
    shutil.rmtree(cache)
    print(f"by hand: pyro {pyro:.2f} s, numpyro {numpyro:.2f} s; compare.py: cold {first:.2f} s, warm {second:.2f} s")
    say("compare.py, cold, over the slower script", first / max(pyro, numpyro), 1.3)
    say("compare.py, warm, over the slower script", second / max(pyro, numpyro), 0.8)


def peak_during(action: Callable[[], object]) -> int:
    """Most memory that an action holds beyond what was there, in bytes; NumPy reports its arrays."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def exact() -> None:
    """The exact posterior of a million rows by ten, against numpy's QR of the same matrix."""
    import bayescore as bc

    rng = np.random.default_rng(0)
    x = rng.normal(1000.0, 1.0, (1_000_000, 10))
    y = x.sum(axis=1) + rng.standard_normal(len(x))
    problem = bc.from_data(bc.from_arrays(x, y))
    backend = bc.get_backend("exact")
    native = backend.build_data(problem.regression, problem.data)

    def solve() -> float:
        started = time.perf_counter()
        backend.fit(problem.regression, native, bc.Exact(), seed=0)
        return time.perf_counter() - started

    def factor() -> float:
        started = time.perf_counter()
        np.linalg.qr(x, mode="r")
        return time.perf_counter() - started

    ours, numpys = medians(solve, factor)
    print(f"exact {ours * 1e3:.0f} ms, numpy.linalg.qr {numpys * 1e3:.0f} ms")
    say("exact, 1,000,000 x 10, over numpy.linalg.qr(mode='r')", ours / numpys, 1.5)
    say("extra memory over one copy of X", peak_during(solve) / x.nbytes, 1.0)


def decision() -> None:
    """The whole decision on two contenders of 4 x 2500 draws, N = 100, imports excluded."""
    import arviz_stats.base  # noqa: F401
    from threadpoolctl import threadpool_limits

    for d, limit in ((20, 1.5), (200, 8.0)):
        with threadpool_limits(1, "blas"):  # as a comparison has it
            parts = decide(d)
        print(f"{d} parameters: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items()))
        say(f"decision, {d} parameters", sum(parts.values()), limit, " s")


def decide(d: int) -> dict[str, float]:
    """Seconds of each part, medians of five."""
    import bayescore as bc
    from bayescore.agreement import health, model_check
    from bayescore.agreement.candidate import Candidate
    from bayescore.agreement.verdict import decide as verdict
    from bayescore.density.specification import LogJoint, log_density
    from bayescore.exact.posterior import solve
    from bayescore.regressions.points import points

    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, d - 2))
    stated = bc.from_data(bc.from_arrays(x, x[:, 0] + rng.standard_normal(100)))
    regression, data, target = stated.regression, stated.data, stated.target
    solved = solve(regression, data)
    method = bc.NUTS()

    def chains(seed: int) -> bc.Posterior:
        flat = solved.sample(10_000, seed)
        draws = {site: values.reshape(4, 2500, *values.shape[2:]) for site, values in flat.draws.items()}
        return bc.Posterior(draws, flat.labels)

    posteriors = [chains(1), chains(2)]
    found = []
    for _ in range(REPEATS):
        marks = [time.perf_counter()]
        at = points(regression, data)
        densities = [log_density(regression, data, point) for point in at]
        checks = [model_check.check(name, target, at, densities) for name in "ab"]
        marks.append(time.perf_counter())
        healths = [health.examine(method, posterior, {}) for posterior in posteriors]
        marks.append(time.perf_counter())
        joint = LogJoint(regression, data)
        candidates = [
            Candidate(name, target, method, posterior, well, None, joint(posterior.draws))
            for name, posterior, well in zip("ab", posteriors, healths, strict=True)
        ]
        verdict(candidates, target, lost={}, models=checks)
        marks.append(time.perf_counter())
        found.append(np.diff(marks))
    medians_ = np.median(found, axis=0)
    return dict(zip(("model check", "health", "verdict"), map(float, medians_), strict=True))


PARTS = {"startup": startup, "exact": exact, "decision": decision, "overhead": overhead, "whole": whole}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    for name in chosen:
        PARTS[name]()
