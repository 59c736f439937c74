"""Least effective sample size a second of sampling and a thousand gradients: ours, an older version's, and peers'.

``python tests/benchmark/hierarchies.py FOLDER [CASE ...] [--old PYTHON] [--peers PYTHON] [--repeats 3]``, where FOLDER
has the reference data, ``--old`` is the interpreter of an environment with another version of the toolkit, and
``--peers`` of one with ``pystan``, ``setuptools<81``, ``pymc`` and ``nutpie``. Everybody runs the default regression by
NUTS, 4 chains of 1000 + 2500 iterations, in a process of its own; one after the other, round after round, and each
round has a seed of its own. Ours is `bayescore compare --backends numpyro:nuts` as anybody would call it; peers have
our priors (`peers.py`). Sampling is warm-up and draws, and for ours all of the fit but compiling: medians. Compiling is
of the first round, where every cache is empty, and the median of the later ones. ESS, the least of all parameters' bulk
and tail ones, is by one function; gradients are leapfrog steps after warm-up. ``off``: how far the posterior means lie
from ours at most, in sds; it tells whether all fitted one posterior.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

import bayescore as bc

HERE = Path(__file__).parent
Draws = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A data set, and what is asked of it."""

    path: Path
    formula: str
    family: str = "gaussian"


@dataclass(frozen=True)
class Run:
    """Draws of every parameter (chain, draw, parameter), and what they cost."""

    draws: Draws
    compiling: float
    sampling: float
    steps: float
    divergences: float

    @property
    def least(self) -> float:
        """The least bulk or tail ESS."""
        series = [v for value in self.draws.values() for v in np.moveaxis(value.reshape(*value.shape[:2], -1), -1, 0)]
        tail = {"method": "tail", "prob": (0.05, 0.95)}
        return float(min(array_stats.ess(v, **how) for v in series for how in ({"method": "bulk"}, tail)))


def cases(reference: Path, folder: Path) -> dict[str, Case]:
    """The data sets; the logistic one, of 1000 rows by 10 columns, is simulated."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 10))
    columns = [f"x{j + 1}" for j in range(10)]
    eta = 0.5 + x @ np.linspace(-1.0, 1.0, 10)
    table = pd.DataFrame(x, columns=columns).assign(y=(rng.random(1000) < 1.0 / (1.0 + np.exp(-eta))).astype(int))
    table.to_csv(folder / "logistic.csv", index=False)
    return {
        "sleepstudy": Case(reference / "sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
        "radon": Case(reference / "radon_mn.csv", "log_radon ~ floor + (1 | county)"),
        "logistic": Case(folder / "logistic.csv", "y ~ " + " + ".join(columns), "bernoulli"),
    }


def run(command: list[str], folder: Path, *, good: tuple[int, ...] = (0,)) -> str:
    """What a command prints; all its caches are in the folder."""
    caches = {name: str(folder / "cache") for name in ("BAYESCORE_CACHE", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    caches["PYTENSOR_FLAGS"] = f"base_compiledir={folder / 'cache'}"
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **caches}
    )
    if done.returncode not in good:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def toolkit(python: str, case: Case, seed: int, folder: Path) -> Run:
    """The command line's own fit; a contender alone is inconclusive, which is exit code 3."""
    command = [python, "-m", "bayescore", "compare", "--data", str(case.path), "--formula", case.formula]
    command += ["--family", case.family, "--backends", "numpyro:nuts", "--reference", "none", "--seed", str(seed)]
    document = json.loads(run([*command, "--json", "-", "--out", "kept", "--force"], folder, good=(3,)))
    seconds = document["contenders"][0]["seconds"]
    with xr.open_datatree(folder / "kept" / "numpyro-nuts.nc") as tree:
        draws = {str(name): value.to_numpy() for name, value in tree["posterior"].data_vars.items()}
        stats = {str(name): float(value.sum()) for name, value in tree["sample_stats"].data_vars.items()}
    sampling = seconds["fit"] - seconds["compile"]
    return Run(draws, seconds["compile"], sampling, stats["n_steps"], stats["diverging"])


def peer(python: str, engine: str, case: Case, seed: int, folder: Path) -> Run:
    """Stan's or nutpie's."""
    (folder / "stated.json").write_text(json.dumps(stated(case)))
    script = [python, "-W", "ignore", str(HERE / "peers.py"), engine, "stated.json", "draws.npz", str(seed)]
    figures = json.loads(run(script, folder).splitlines()[-1])
    with np.load(folder / "draws.npz") as file:
        draws = dict(file)
    return Run(draws, figures["compile"], figures["sampling"], figures["steps"], figures["divergences"])


def stated(case: Case) -> dict[str, Any]:
    """The default regression in numbers, for a program of somebody else's."""
    problem = bc.from_table(case.formula, pd.read_csv(case.path), family=case.family)
    regression, data = problem.regression, problem.data
    means = data.x.mean(axis=0)
    at_means: Any = regression.intercept
    found = {
        "family": regression.family.name,
        "x": (data.x - means).tolist(),
        "y": data.y.tolist(),
        "means": means.tolist(),
        "at": at_means.prior.loc,
        "around": at_means.prior.scale,
        "slope": [prior.scale for prior in regression.beta],
        "keys": [],
        "sd": [],
    }
    if "sigma" in regression.auxiliary:
        found["rate"] = regression.auxiliary["sigma"].rate
    for term in regression.groups:
        keys = term.grouping.keys
        found |= {"keys": list(keys), "sd": [prior.scale for prior in term.sds]}
        found["cor"] = f"cor({','.join(term.grouping.effects)}|{term.grouping.factor})"
        found["index"] = data.groups[keys[0]].index.tolist()
        found["value"] = np.stack([data.groups[key].value for key in keys], axis=1).tolist()
    return found


def off(ours: Draws, theirs: Draws) -> float:
    """The largest difference of posterior means, in our sds."""
    if {name: v.shape for name, v in ours.items()} != {name: v.shape for name, v in theirs.items()}:
        raise SystemExit(f"not the same parameters: {sorted(ours)} and {sorted(theirs)}")
    differences = [(v.mean((0, 1)) - theirs[name].mean((0, 1))) / v.std((0, 1)) for name, v in ours.items()]
    return float(max(np.max(np.abs(d)) for d in differences))


def rows(case: Case, contenders: dict[str, Callable[[Case, int, Path], Run]], repeats: int) -> Iterator[str]:
    """A row a contender, once all have run as often."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(repeats):
            for name, fit in contenders.items():
                own = Path(folder) / name
                own.mkdir(exist_ok=True)
                runs[name].append(fit(case, seed, own))
                last = runs[name][-1]
                print(
                    f"seed {seed}, {name}: {last.compiling:.1f} s + {last.sampling:.1f} s, least ESS {last.least:.0f}",
                    file=sys.stderr,
                    flush=True,
                )
    rates = {name: statistics.median(r.least / r.sampling for r in found) for name, found in runs.items()}
    for name, found in runs.items():
        later = f"{statistics.median(r.compiling for r in found[1:]):.1f}" if found[1:] else ""
        yield " | ".join(
            (
                name,
                f"{found[0].compiling:.1f}",
                later,
                f"{statistics.median(r.sampling for r in found):.1f}",
                f"{statistics.median(r.least for r in found):.0f}",
                f"{statistics.median(r.least / r.steps for r in found) * 1000:.1f}",
                ", ".join(f"{r.divergences:.0f}" for r in found),
                f"{rates[name]:.0f}",
                f"{rates['numpyro:nuts'] / rates[name]:.2f}",
                f"{off(runs['numpyro:nuts'][0].draws, found[0].draws):.3f}",
            )
        )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--old", metavar="PYTHON")
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_intermixed_args()
    contenders: dict[str, Callable[[Case, int, Path], Run]] = {
        "numpyro:nuts": lambda case, seed, folder: toolkit(sys.executable, case, seed, folder)
    }
    if asked.old:
        contenders["older version"] = lambda case, seed, folder: toolkit(asked.old, case, seed, folder)
    if asked.peers:
        for engine in ("stan", "nutpie"):
            contenders[engine] = lambda case, seed, folder, e=engine: peer(asked.peers, e, case, seed, folder)
    for option, what in (("old", "an older version is"), ("peers", "Stan and nutpie are")):
        if not getattr(asked, option):
            print(f"without --{option}, {what} left out")
    print(
        "| data | who | compile, cold [s] | warm [s] | sampling [s] | least ESS | a 1000 gradients | divergences "
        "| ESS a second | ours over it | off [sd] |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        known = cases(asked.folder.resolve(), Path(folder))
        for name in asked.cases or known:
            for row in rows(known[name], contenders, asked.repeats):
                print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
