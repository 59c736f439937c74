"""Does the cost of a Gaussian regression depend on its rows? NUTS on 1,000, 100,000 and 10,000,000.

Run as ``python tests/benchmark/rows.py``; it takes some twenty minutes and 2 GB of disk. Each
table has 20 columns and is a Parquet file. Plain NumPyro, with all rows in memory, runs beside
it as long as it takes no more than ten minutes.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
SIZES = (1_000, 100_000, 10_000_000)
PATIENCE = 600
COLUMNS = tuple(f"x{j + 1}" for j in range(20))
METHOD = "nuts(warmup=500, draws=1000)"
GROWTH_LIMIT = 1.5
MEMORY_LIMIT = 1.5 * 2**30


def write(path: Path, rows: int) -> None:
    """A table of this many rows, group of rows by group of rows."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    slopes = np.linspace(-1.0, 1.0, len(COLUMNS))
    writer = None
    for first in range(0, rows, 1 << 18):
        x = rng.normal(5.0, 1.0, (min(1 << 18, rows - first), len(COLUMNS)))
        y = 1.0 + x @ slopes + rng.normal(size=len(x))
        table = pa.table({**dict(zip(COLUMNS, x.T, strict=True)), "y": y})
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="none")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def compare(path: Path) -> tuple[dict[str, float], float, dict[str, object]]:
    """Seconds of each contender after reading, wall time of all, and the document."""
    formula = "y ~ " + " + ".join(COLUMNS)
    backends = ["exact", f"pyro:{METHOD}", f"numpyro:{METHOD}"]
    command = [sys.executable, "compare.py", "--data", str(path), "--formula", formula, "--json", "-", "--jobs", "1"]
    started = time.perf_counter()
    done = subprocess.run([*command, "--backends", *backends], cwd=ROOT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    document = json.loads(done.stdout)
    after = {
        c["name"].partition(":")[0]: sum(v for phase, v in c["seconds"].items() if phase in {"fit", "build_data"})
        for c in document["contenders"]
    }
    return after, wall, document


def plain(path: Path) -> float | None:
    """Seconds that NumPyro takes by hand, reading and importing excluded; None if more than we wait."""
    command = [sys.executable, str(Path(__file__).parent / "plain_numpyro_rows.py"), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure, print the table, and say whether the limits hold."""
    times: dict[int, dict[str, float]] = {}
    bears = True
    print("| rows | wall [s] | exact fit [s] | pyro fit [s] | numpyro fit [s] | plain numpyro [s] | verdict |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for rows in SIZES:
            path = Path(folder) / f"{rows}.parquet"
            write(path, rows)
            compare(path)  # warms the compilation cache
            times[rows], wall, document = compare(path)
            seconds = plain(path) if bears else None
            bears = seconds is not None
            by_hand = f"more than {PATIENCE}" if seconds is None else f"{seconds:.1f}"
            fits = " | ".join(f"{times[rows][name]:.2f}" for name in ("exact", "pyro", "numpyro"))
            print(f"| {rows:,} | {wall:.1f} | {fits} | {by_hand} | {document['verdict']} |", flush=True)
    for name in ("pyro", "numpyro"):
        growth = times[SIZES[-1]][name] / times[SIZES[0]][name]
        met = "ok" if growth <= GROWTH_LIMIT else "MISSED"
        print(f"{name}: last over first {growth:.2f}, at most {GROWTH_LIMIT}: {met}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    verdict = "ok" if peak <= MEMORY_LIMIT else "MISSED"
    print(f"largest peak memory of any process: {peak / 2**30:.2f} GiB, at most 1.5: {verdict}")


if __name__ == "__main__":
    main()
