"""Do hierarchies settle? NumPyro's and Pyro's NUTS with all defaults on four of them, seed after seed.

``python tests/benchmark/settled.py [--data NAME ...] [--seeds 0-9] [--backends CONTENDER ...] [--append FILE]``. The
sleep study is read from the folder of reference data, ``BAYESCORE_REFERENCE``; the others are made, from fixed seeds:
cases of a disease in herds, as lme4's cbpp has them; a response of crossed plates and samples, as its Penicillin;
counts with an exposure, in 15 levels. Each run is `bayescore compare` from the command line. A row a run: verdict,
exit code, the largest difference of any quantity of the rule, and for each contender its divergences and seconds of
the fit; the last line counts the runs that agree. The seed is the comparison's, the data stay the same. ``--append``
adds the rows to a file, so that parts can be run one by one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Table = pd.DataFrame
HEADER = (
    "| data | seed | verdict | exit code | largest difference [sd] | contender: divergences, fit [s] |",
    "|---|---|---|---|---|---|",
)


def sleepstudy() -> Table:
    """Reaction times of 18 subjects over ten days without sleep."""
    folder = os.environ.get("BAYESCORE_REFERENCE")
    if not folder:
        raise SystemExit("BAYESCORE_REFERENCE names the folder that has sleepstudy.csv: it is not set")
    return pd.read_csv(Path(folder) / "sleepstudy.csv")


def herds() -> Table:
    """Cases among 1 to 30 animals of 15 herds in four periods."""
    rng = np.random.default_rng(1)
    herd, period = (index.ravel() for index in np.indices((15, 4)))
    eta = np.array([-1.4, -2.4, -2.5, -3.0])[period] + rng.normal(0.0, 0.65, 15)[herd]
    size = rng.integers(1, 31, herd.size)
    incidence = rng.binomial(size, 1.0 / (1.0 + np.exp(-eta)))
    return pd.DataFrame({"herd": herd, "period": period + 1, "size": size, "incidence": incidence})


def plates() -> Table:
    """Each of 6 samples on each of 24 plates, with a covariate of the row's own."""
    rng = np.random.default_rng(2)
    plate, sample = (index.ravel() for index in np.indices((24, 6)))
    x = rng.normal(10.0, 2.0, plate.size)
    effects = rng.normal(0.0, 0.85, 24)[plate] + rng.normal(0.0, 1.9, 6)[sample]
    y = 20.0 + 0.3 * x + effects + rng.normal(0.0, 0.55, plate.size)
    return pd.DataFrame({"plate": plate, "sample": sample, "x": x, "diameter": y})


def counts() -> Table:
    """Events over exposures of 0.5 to 5, eight rows at each of 15 sites."""
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(15), 8)
    x, exposure = rng.normal(size=site.size), rng.uniform(0.5, 5.0, site.size)
    events = rng.poisson(exposure * np.exp(0.5 + 0.4 * x + rng.normal(0.0, 0.5, 15)[site]))
    return pd.DataFrame({"site": [f"s{s + 1}" for s in site], "x": x, "exposure": exposure, "events": events})


CASES: dict[str, tuple[Callable[[], Table], str, str]] = {
    "sleepstudy": (sleepstudy, "Reaction ~ Days + (Days | Subject)", "gaussian"),
    "herds": (herds, "proportion(incidence, size) ~ C(period) + (1 | herd)", "binomial"),
    "plates": (plates, "diameter ~ x + (1 | plate) + (1 | sample)", "gaussian"),
    "counts": (counts, "events ~ x + offset(log(exposure)) + (1 | site)", "poisson"),
}


def compare(path: Path, name: str, seed: int, backends: list[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and document of a comparison."""
    _, formula, family = CASES[name]
    command = [sys.executable, "-m", "bayescore", "compare", "--data", str(path), "--formula", formula]
    command += ["--family", family, "--seed", str(seed), "--json", "-", "--quiet", "--backends", *backends]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def row(name: str, seed: int, code: int, document: dict[str, Any]) -> str:
    """A line of the table."""
    verdict = ", ".join([document["verdict"], *(reason["code"] for reason in document["reasons"])])
    differences = [pair["max_difference_sd"] for pair in document["pairs"] if pair["max_difference_sd"] is not None]
    fits = [f"{c['name']}: {divergences(c)}, {c['seconds']['fit']:.1f}" for c in document["contenders"]]
    largest = f"{max(differences):.3f}" if differences else ""
    return f"| {name} | {seed} | {verdict} | {code} | {largest} | {'; '.join(fits)} |"


def divergences(contender: dict[str, Any]) -> str:
    """How many there were, at each target of acceptance where the fit was made again."""
    if "attempts" not in contender:
        return f"{contender['diagnostics'].get('divergences', float('nan')):.0f}"
    return " and ".join(f"{one['divergences']} at {one['target_accept']}" for one in contender["attempts"])


def main() -> None:
    """Run the data sets and seeds that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seeds", default="0-9", help="first and last, or one")
    parser.add_argument("--backends", nargs="+", default=["numpyro:nuts", "pyro:nuts"])
    parser.add_argument("--append", type=Path, metavar="FILE")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    fresh = asked.append is None or not asked.append.exists()

    def say(line: str) -> None:
        print(line, flush=True)
        if asked.append:
            with asked.append.open("a") as file:
                file.write(line + "\n")

    for line in HEADER if fresh else ():
        say(line)
    agreed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.data:
            path = Path(folder) / f"{name}.csv"
            CASES[name][0]().to_csv(path, index=False)
            for seed in seeds:
                code, document = compare(path, name, seed, asked.backends)
                say(row(name, seed, code, document))
                agreed.append(code == 0)
    print(f"{sum(agreed)} of {len(agreed)} agree")
    sys.exit(0 if all(agreed) else 1)


if __name__ == "__main__":
    main()
