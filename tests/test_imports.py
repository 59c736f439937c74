"""What a comparison imports: nothing that it does without, since each library's import takes up to seconds."""

import subprocess
import sys

import pytest
from conftest import ROOT, USABLE

from bayescore.comparison.contender import parse
from bayescore.comparison.outcome import Task
from bayescore.comparison.runner import Runner
from bayescore.plugins import loading
from bayescore.regressions.points import points
from bayescore.regressions.work import RegressionWork
from bayescore.tables import problem

TABLES = {"pandas", "pyarrow", "narwhals", "formulae", "bayescore.tables.formula"}
STORING = {"arviz_base", "xarray", "h5netcdf"}
JUDGING_DRAWS = {"arviz_stats", "scipy"}
LOOKS = {"matplotlib", "arviz_plots", "PIL", "jinja2", "bayescore.pictures"}
TENSORS = {"torch", "pyro", "jax", "numpyro"}


def imported(log: str) -> set[str]:
    """Modules that Python says that it imports, under ``-X importtime``."""
    return {line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")}


def test_a_comparison_with_the_exact_posterior_alone_imports_numpy_and_rich():
    command = [sys.executable, "-X", "importtime", "compare.py", "--backends", "exact", "--reference", "none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    found = imported(done.stderr)
    assert {"numpy", "rich", "bayescore.agreement.verdict"} <= found
    assert not (TABLES | STORING | JUDGING_DRAWS | LOOKS | TENSORS) & found


@pytest.mark.parametrize(
    ("contender", "needed", "without"),
    [
        ("exact", {"numpy"}, {"rich"} | TABLES | STORING | JUDGING_DRAWS | TENSORS),
        ("numpyro:map", {"numpy", "jax", "numpyro"}, {"rich", "arviz_stats", "torch", "pyro"} | TABLES | STORING),
        ("pyro:map", {"numpy", "torch", "pyro"}, {"rich", "arviz_stats", "jax", "numpyro"} | TABLES | STORING),
    ],
)
def test_a_worker_imports_its_own_backend_and_nothing_to_read_to_store_or_to_judge(
    monkeypatch, contender, needed, without
):
    registry, p = loading.load(), problem.toy()
    chosen = parse(contender, registry)
    if chosen.backend not in USABLE:
        pytest.skip(f"{chosen.backend} is not installed")
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    logs = []
    at = tuple(points(p.regression, p.data))
    work = RegressionWork(p.regression, p.data, p.new_data, at)
    task = Task(chosen, work, 0, "float64", registry[chosen.backend].origin)
    runner = Runner(1, finished=lambda outcome, log: logs.append(log))
    (outcome,) = runner.run([task], {chosen.backend: registry[chosen.backend].info})
    assert outcome.status == "ok", outcome.error
    found = imported(logs[0])
    assert needed <= found
    assert not without & found
