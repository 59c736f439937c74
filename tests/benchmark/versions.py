"""What a person waits for, beside another version of the toolkit: the same commands, alternating.

``python tests/benchmark/versions.py FOLDER --old PYTHON [PART ...] [--repeats 3]``, where FOLDER has the reference
data and PYTHON is the interpreter of an environment with the other version. Medians; parts: ``radon``, ``kidiq`` and
``network``, seconds of the fit of `pyro:nuts`; ``cold`` and ``warm``, seconds of a whole `compare` of `numpyro:nuts`
on a logistic regression of 1000 rows by 10 columns, with the compilation cache emptied before or as the run before
left it; ``toy``, seconds of processor time of `compare --backends exact --reference none`.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import hierarchies
import numpy as np
import pandas as pd

HEADER = ("| what | older version [s] | this one [s] | ratio | at least, or at most |", "|---|---|---|---|---|")
NETWORK = "pyro:nuts(warmup=500, draws=1500)"


def run(python: str, folder: Path, arguments: list[str]) -> str:
    """What `compare` prints; its cache is in the folder."""
    command = [python, "-m", "bayescore", "compare", *arguments, "--reference", "none", "--json", "-"]
    environment = {**os.environ, "BAYESCORE_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def fit(case: hierarchies.Case, contender: str, python: str, folder: Path, *more: str) -> float:
    """Seconds of a contender's fit."""
    asked = ["--data", str(case.path), "--formula", case.formula, "--family", case.family, "--backends", contender]
    (found,) = json.loads(run(python, folder, [*asked, *more]))["contenders"]
    return float(found["seconds"]["fit"])


def whole(case: hierarchies.Case, cold: bool, python: str, folder: Path) -> float:
    """Seconds of a whole comparison."""
    if cold:
        shutil.rmtree(folder / "cache", ignore_errors=True)
    started = time.perf_counter()
    fit(case, "numpyro:nuts", python, folder)
    return time.perf_counter() - started


def toy(python: str, folder: Path) -> float:
    """Processor seconds of the toy by `exact` alone."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(python, folder, ["--backends", "exact"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def parts(reference: Path, folder: Path) -> dict[str, tuple[Callable[[str, Path], float], str]]:
    """By name, what is measured of an interpreter in a folder of its own, and what it is to come to."""
    known = hierarchies.cases(reference, folder)
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, 150)
    pd.DataFrame({"x": x, "y": np.sin(2.0 * x) + rng.normal(0.0, 0.2, 150)}).to_csv(folder / "bend.csv", index=False)
    bend = hierarchies.Case(folder / "bend.csv", "y ~ x")
    kidiq = hierarchies.Case(reference / "kidiq.csv", "kid_score ~ mom_hs + mom_iq")
    network = partial(fit, bend, NETWORK)
    return {
        "radon": (partial(fit, known["radon"], "pyro:nuts"), "6 times quicker"),
        "kidiq": (partial(fit, kidiq, "pyro:nuts"), "1.7 times quicker"),
        "network": (lambda python, own: network(python, own, "--network", "16"), "2 times quicker"),
        "cold": (partial(whole, known["logistic"], True), "20 s"),
        "warm": (partial(whole, known["logistic"], False), "10 s"),
        "toy": (toy, "1.2 s of processor time"),
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--old", metavar="PYTHON", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_intermixed_args()
    print(*HEADER, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        known = parts(asked.folder.resolve(), Path(folder))
        for name in asked.parts or known:
            measure, wanted = known[name]
            own = [Path(folder) / who for who in ("older", "this")]
            for each in own:
                each.mkdir(exist_ok=True)
            pythons = (asked.old, sys.executable)
            times = [[measure(*given) for given in zip(pythons, own, strict=True)] for _ in range(asked.repeats)]
            older, this = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"| {name} | {older:.1f} | {this:.1f} | {older / this:.2f} | {wanted} |", flush=True)


if __name__ == "__main__":
    main()
