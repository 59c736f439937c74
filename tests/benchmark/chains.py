"""Pyro's NUTS on all cores, on one, and by an older version: seconds of the fit, and whether the draws are the same.

``python tests/benchmark/chains.py FOLDER [CASE ...] [--old PYTHON] [--repeats 3]``, where FOLDER has the reference data
and ``--old`` is the interpreter of an environment with another version of the toolkit. Each fit is
`bayescore compare --backends pyro:nuts` as anybody would call it, of 4 chains; they take turns, round after round, and
each round has a seed of its own. Medians of seconds, of the ratios within each round, and their range.
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from hierarchies import run

Fit = tuple[float, list[bytes]]


@dataclass(frozen=True)
class Case:
    """A data set, and what is asked of it."""

    path: Path
    formula: str
    more: tuple[str, ...] = ()
    method: str = "nuts"


def cases(reference: Path, folder: Path) -> dict[str, Case]:
    """The data sets; that of the network, 150 rows with a bend, is simulated."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, 150)
    pd.DataFrame({"x": x, "y": np.abs(x) + 0.2 * rng.standard_normal(150)}).to_csv(folder / "bend.csv", index=False)
    return {
        "kidiq": Case(reference / "kidiq.csv", "kid_score ~ mom_hs + mom_iq"),
        "network": Case(folder / "bend.csv", "y ~ x", ("--network", "16"), "nuts(warmup=100, draws=200)"),
        "radon": Case(reference / "radon_mn.csv", "log_radon ~ floor + (1 | county)"),
    }


def fit(python: str, case: Case, seed: int, folder: Path, *more: str) -> Fit:
    """Seconds, and the draws of every parameter; a contender alone is inconclusive, which is exit code 3."""
    command = [python, "-m", "bayescore", "compare", "--data", str(case.path), "--formula", case.formula, *case.more]
    command += ["--backends", f"pyro:{case.method}", "--reference", "none", "--seed", str(seed), *more]
    document = json.loads(run([*command, "--json", "-", "--out", "kept", "--force"], folder, good=(3,)))
    (kept,) = (folder / "kept").glob("pyro*.nc")
    with xr.open_datatree(kept) as tree:
        draws = [value.to_numpy().tobytes() for _, value in sorted(tree["posterior"].data_vars.items())]
    return document["contenders"][0]["seconds"]["fit"], draws


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--old", metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    contenders = {"all cores": (sys.executable, ()), "one core": (sys.executable, ("--cores", "1"))}
    if asked.old:
        contenders["older version"] = (asked.old, ())
    print("| data | who | seconds | over all cores | from | to | draws |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = cases(asked.folder.resolve(), folder)
        for chosen in asked.cases or known:
            rounds: list[dict[str, Fit]] = []
            for seed in range(asked.repeats):
                rounds.append({})
                for who, (python, more) in contenders.items():
                    own = folder / who
                    own.mkdir(exist_ok=True)
                    rounds[-1][who] = fit(python, known[chosen], seed, own, *more)
                    print(f"{chosen}, seed {seed}, {who}: {rounds[-1][who][0]:.1f} s", file=sys.stderr, flush=True)
            for who in contenders:
                seconds = statistics.median(one[who][0] for one in rounds)
                ratios = [one[who][0] / one["all cores"][0] for one in rounds]
                same = "the same" if all(one[who][1] == one["all cores"][1] for one in rounds) else "others"
                figures = [f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}"]
                print(f"| {chosen} | {who} | {seconds:.1f} | {' | '.join(figures)} | {same} |", flush=True)


if __name__ == "__main__":
    main()
