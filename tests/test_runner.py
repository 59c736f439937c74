"""The runner of contenders, whatever becomes of them and of those whom it tells."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import put_on_path

from bayescore.comparison import runner, worker
from bayescore.comparison.contender import Contender, parse
from bayescore.comparison.outcome import Outcome, Task
from bayescore.comparison.runner import Runner
from bayescore.methods import SVI, Exact
from bayescore.plugins import loading
from bayescore.regressions.work import RegressionWork
from bayescore.tables import problem

QUICK = 30.0
"""Seconds within which everything is ended, on a busy machine, too."""


@pytest.fixture
def tasks(monkeypatch):
    """Tasks of backends with a fault."""
    put_on_path(monkeypatch, "faulty")

    def make(*contenders):
        p, registry = problem.toy(), loading.load()
        known = [c if isinstance(c, Contender) else parse(c, registry) for c in contenders]
        origin = registry["sound"].origin
        return [Task(c, RegressionWork(p.regression, p.data, p.new_data), 0, "float64", origin) for c in known]

    return make


class Interrupted(Runner):
    """One that has two contenders, and is interrupted once the first is finished and told of."""

    def _run_one(self, task, info):
        if task.contender.backend == "second":
            while not self._stopped:
                time.sleep(0.01)
            return Outcome(task.contender, "ok"), "the second's log"
        return Outcome(task.contender, "ok"), "the first's log"


def test_what_is_finished_while_it_is_interrupted_is_told_of(tasks):
    told = []

    def finished(outcome, log):
        told.append((outcome.contender.backend, log))
        if len(told) == 1:
            raise KeyboardInterrupt

    first, second, third = (Contender(name, Exact()) for name in ("first", "second", "third"))
    found = Interrupted(2, finished=finished).run(tasks(first, second, third, third), {})
    assert ("second", "the second's log") in told
    assert [outcome.status for outcome in found[:2]] == ["ok", "ok"]


def test_children_are_ended_where_whoever_is_told_raises(tasks):
    def finished(outcome, log):
        raise ValueError("no more")

    start = time.monotonic()
    with pytest.raises(ValueError, match="no more"):
        Runner(2, finished=finished).run(tasks("raises_in_build_data", "hangs", "hangs"), {})
    assert time.monotonic() - start < QUICK


def test_what_a_watcher_raises_is_no_fault_of_a_contender(tasks):
    def watch(contender, message):
        raise ValueError("no bar")

    start = time.monotonic()
    with pytest.raises(ValueError, match="no bar"):
        Runner(1, watch=watch).run(tasks("hangs", "hangs"), {})
    assert time.monotonic() - start < QUICK


def test_a_signal_without_a_name_has_a_number(tmp_path):
    if not hasattr(signal, "SIGRTMIN"):
        unnamed = 250
    else:
        unnamed = signal.SIGRTMIN + 3
        died = subprocess.run(["sh", "-c", f"kill -{int(unnamed)} $$"], check=False)
        assert died.returncode == -unnamed
    task = Task(Contender("exact", Exact()), None, 0, "float64", None)
    outcome = Runner(1)._outcome(task, tmp_path, -int(unnamed), late=False)
    assert outcome.error == f"its process ended by signal {int(unnamed)} and left no result"
    assert "by signal SIGKILL" in Runner(1)._outcome(task, tmp_path, -signal.SIGKILL, late=False).error


class Unwilling:
    """A guide that does not let itself be pickled."""

    def __call__(self, coordinates):
        return None

    def __reduce__(self):
        raise RuntimeError("it is on a device")


def test_a_guide_that_raises_when_it_is_pickled_costs_its_own_row(tasks):
    (outcome,) = Runner(1).run(tasks(Contender("sound", SVI(guide=Unwilling()))), {})
    assert outcome.status == "failed"
    assert "can't be handed to a process (it is on a device): define a guide in a module" in outcome.error


def test_a_full_disk_is_no_fault_of_the_method(tasks, monkeypatch):
    def full(path, content):
        raise OSError(28, os.strerror(28))

    given = tasks("sound")
    monkeypatch.setattr(Path, "write_bytes", full)
    (outcome,) = Runner(1).run(given, {})
    assert outcome.error.startswith("it can't be run here: ")


def test_logs_of_contenders_whose_names_begin_alike_are_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESCORE_CACHE", str(tmp_path))
    long = {"particles": 64, "steps": 54321, "average": False, "standardize": False, "rate": 0.012345678901}
    first, second = (Contender("pyro", SVI(draws=draws, **long)) for draws in (501, 502))
    assert first.name[:80] == second.name[:80] != first.name
    assert runner.kept_log(first, "one") != runner.kept_log(second, "other")
    assert sorted(path.read_text() for path in (tmp_path / "failures").iterdir()) == ["one", "other"]


def test_a_user_without_a_home_has_a_cache(monkeypatch):
    def nobody(*_):
        raise RuntimeError("Could not determine home directory.")

    for name in ("BAYESCORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert runner.cache_folder().is_absolute()


@pytest.mark.parametrize("content", ["Name:\tpython\nVmRSS:\t 512 kB\n", "", None])
def test_a_proc_without_a_peak_is_no_fault(tmp_path, content):
    if content is not None:
        (tmp_path / "status").write_text(content)
    assert worker.peak_memory(tmp_path / "status") > 1 << 20


def test_the_peak_is_that_of_the_process(tmp_path):
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t 512 kB\n")
    assert worker.peak_memory(tmp_path / "status") == 2048 * 1024
