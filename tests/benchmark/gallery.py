"""The gallery of programs: each pair held together, and then sampled by both libraries at the default settings.

``python tests/benchmark/gallery.py [MODEL ...] [--seed 0] [--append FILE]``. A row a model, by `bayescore programs`
from the command line: the seconds of the model check alone, imports and compiling included; then the verdict on the
draws, its exit code, the largest difference of means, and of each side divergences and seconds of the fit.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "programs"))
import gallery  # noqa: E402

HEADER = (
    "| model | check [s] | points | verdict | exit code | largest difference [sd] | pyro: divergences, fit [s] "
    "| numpyro: divergences, fit [s] |",
    "|---|---|---|---|---|---|---|---|",
)


def run(model: str, *more: str) -> tuple[float, int, dict[str, Any]]:
    """Seconds by the clock, exit code and document."""
    sides = [f"{side}={gallery.program(model, side)}:model" for side in gallery.SIDES]
    command = [sys.executable, "-m", "bayescore", "programs", *sides, "--data", str(gallery.data_file(model))]
    start = time.perf_counter()
    done = subprocess.run([*command, "--json", "-", "--quiet", *more], capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - start, done.returncode, json.loads(done.stdout)


def row(model: str, seed: int) -> str:
    """A line of the table."""
    seconds, code, checked = run(model, "--model-only", "--seed", str(seed))
    found = {check["contender"]: check for check in checked["model_check"]}["numpyro"]
    if code:
        return f"| {model} | {seconds:.1f} | {found['points']} | {found['verdict']} | {code} | | | |"
    _, code, document = run(model, "--seed", str(seed))
    reasons = [reason["code"] for reason in document["reasons"]]
    largest = max((pair["max_difference_sd"] or 0.0 for pair in document["pairs"]), default=float("nan"))
    fits = [f"{_divergences(c)}, {c['seconds'].get('fit', float('nan')):.1f}" for c in document["contenders"]]
    verdict = ", ".join([document["verdict"], *reasons])
    return f"| {model} | {seconds:.1f} | {found['points']} | {verdict} | {code} | {largest:.3f} | {' | '.join(fits)} |"


def _divergences(contender: dict[str, Any]) -> str:
    if "attempts" not in contender:
        return f"{contender['diagnostics'].get('divergences', float('nan')):.0f}"
    return " and ".join(f"{one['divergences']} at {one['target_accept']}" for one in contender["attempts"])


def main() -> None:
    """Run the models that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", default=list(gallery.MODELS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--append", type=Path, metavar="FILE")
    asked = parser.parse_args()
    print("\n".join(HEADER))
    for model in asked.models:
        line = row(model, asked.seed)
        print(line, flush=True)
        if asked.append is not None:
            with asked.append.open("a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
