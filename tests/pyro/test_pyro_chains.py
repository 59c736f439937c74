"""Chains side by side: the draws of one after another, and one chain's end is the end of all."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, alive
from pyro_support import make, toy

from bayescore import methods
from bayescore.errors import FitError
from bayescore.system import cores

# isort: split
from bayescore_pyro import crew, helper, work
from bayescore_pyro.crew import Crew

METHOD = methods.NUTS(chains=3, warmup=40, draws=40)
LATE = 60.0

two_cores = pytest.mark.skipif(cores.usable() < 2, reason="chains side by side need two cores")


def fit(method=METHOD, precision="float64", progress=lambda done, total: None):
    model, rows, _, _ = toy()
    backend = make(precision)
    native = backend.build_data(model, rows)
    return backend.sample_posterior(backend.fit(model, native, method, seed=3, progress=progress), seed=0)


def same(one, other):
    return all(
        np.array_equal(values, found[name])
        for found, sound in ((one.draws, other.draws), (one.sample_stats, other.sample_stats))
        for name, values in sound.items()
    )


@pytest.fixture
def generous(monkeypatch, tmp_path):
    """One helper from the first iteration on, which is left all chains but the first; the crews that there were."""
    crews = []

    class Generous(Crew):
        def __init__(self, *given):
            super().__init__(*given)
            crews.append(self)
            self.hired = []

        def _worth_a_helper(self, chain, seconds):
            return not (self.hired or self._alone)

        def _hire(self):
            super()._hire()
            self.hired += self._helpers.values()

        def _take(self):
            while self._helpers and self._shared.free():
                time.sleep(0.02)
                self._listen()
                self._report()
            return super()._take()

    monkeypatch.setattr("bayescore_pyro.nuts.Crew", Generous)
    monkeypatch.setattr(crew, "_PAUSE", 0.0)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield crews
    assert list(scratch.glob("bayescore-*")) == []
    assert not any(alive(hired.child.process.pid) for one in crews for hired in one.hired)


@two_cores
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_draws_are_those_of_one_chain_after_another(precision, generous, monkeypatch):
    told = []
    beside = fit(precision=precision, progress=lambda done, total: told.append((done, total)))
    (one,) = generous
    assert one.hired[0].busy
    assert told == sorted(told)
    assert told[-1] == (240, 240)
    assert 20 <= len(told) <= 121
    monkeypatch.undo()
    monkeypatch.setattr(cores, "usable", lambda: 1)
    assert same(beside, fit(precision=precision))


@two_cores
def test_modules_of_ones_own_have_chains_side_by_side(generous, monkeypatch):
    import bayescore_pyro
    from torch import nn

    x = np.linspace(-1.0, 1.0, 30)
    lifted = bayescore_pyro.lift(nn.Sequential(nn.Linear(1, 1), nn.Tanh()), "Normal(0, 1)")
    short = replace(METHOD, chains=2, max_tree_depth=3)

    def draws():
        return bayescore_pyro.fit_module(lifted, x, x**2, "Gaussian(sigma=1)", short, seed=1).posterior

    beside = draws()
    assert generous[0].hired[0].busy
    monkeypatch.undo()
    monkeypatch.setattr(cores, "usable", lambda: 1)
    assert same(beside, draws())


@two_cores
def test_a_chain_that_is_killed_costs_the_fit(generous):
    def kill(done, total):
        for hired in generous[0].hired:
            if hired.busy:
                hired.child.process.kill()

    with pytest.raises(FitError, match=r"^chain [23] of 3: its process ended by signal SIGKILL$"):
        fit(progress=kill)


@two_cores
def test_a_chain_that_raises_costs_the_fit(generous, monkeypatch):
    monkeypatch.setattr(crew, "share", lambda given, *rest: work.share(replace(given, seeds=(1, -1, 1)), *rest))
    with pytest.raises(FitError, match=r"^chain 2 of 3: ValueError: Seed must be between 0 and 2\*\*32 - 1$"):
        fit()


def test_what_keeps_a_helper_from_its_first_chain_costs_nothing_but_time(generous, monkeypatch):
    monkeypatch.setattr(crew, "share", lambda given, *rest: work.share(replace(given, program=b"none"), *rest))
    with pytest.warns(RuntimeWarning, match="no process for chains beside this one: "):
        beside = fit()
    monkeypatch.undo()
    monkeypatch.setattr(cores, "usable", lambda: 1)
    assert same(beside, fit())


def test_where_no_process_can_be_started_chains_run_one_after_another(generous, monkeypatch):
    def full(*given, **named):
        raise OSError(11, os.strerror(11))

    monkeypatch.setattr(crew.processes, "start", full)
    with pytest.warns(RuntimeWarning, match="no process for chains beside this one: .*temporarily unavailable"):
        assert fit().shape == (3, 40)


@two_cores
def test_interrupted_it_ends_its_helpers(generous):
    def interrupt(done, total):
        if generous[0].hired and generous[0].hired[0].busy:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(progress=interrupt)


def asked_for(chains, draws, seconds_an_iteration, usable, monkeypatch, *, done=10):
    """Whether a helper is asked for after some iterations of the first chain."""
    monkeypatch.setattr(cores, "usable", lambda: usable)
    given = work.Work(b"", 2, methods.NUTS(chains=chains, warmup=0, draws=draws), (0,) * chains, "float64")
    one = Crew(given, lambda done, total: None)
    assert one._take() == 0
    one._done[0] = one._own = done
    return one._worth_a_helper(0, done * seconds_an_iteration)


def test_a_helper_has_to_be_worth_its_start(monkeypatch):
    assert asked_for(4, 1000, 0.1, 2, monkeypatch)
    assert not asked_for(4, 1000, 0.1, 1, monkeypatch)
    assert not asked_for(4, 1000, 0.001, 2, monkeypatch)
    assert not asked_for(1, 1000, 0.1, 2, monkeypatch)
    assert not asked_for(4, 1000, 0.1, 2, monkeypatch, done=2)  # too early to tell
    assert asked_for(2, 1000, 0.01, 2, monkeypatch, done=100)
    assert not asked_for(2, 1000, 0.01, 2, monkeypatch, done=900)  # this process will soon take it


def test_a_helper_leaves_when_its_core_is_gone(tmp_path, monkeypatch):
    """Seen after a chain, not in its middle; what it leaves is free for others."""
    from bayescore_pyro.density import packed_density

    given = work.Work(
        packed_density(lambda z: 0.5 * (z * z).sum(), crew_start(2)), 2, replace(METHOD, warmup=5, draws=5),
        (1, 2, 3), "float64",
    )  # fmt: skip
    work.share(given, tmp_path, [0, 1, 2])
    usable = iter([3, 2])
    monkeypatch.setattr(cores, "usable", lambda: next(usable))
    said = []

    class Said(helper.Channel):
        def send(self, **message):
            said.append(message)

    mine = work.Shared(tmp_path, 2)
    helper.run(mine, Said(None))
    assert said[0] == {"chain": 0, "done": 1}
    assert said[-1] == {"finished": 0}
    assert mine.taken_by(2) == [0]
    assert mine.free() == 2
    assert mine.result(0).is_file()
    assert not mine.result(1).exists()


def crew_start(size):
    import torch

    return torch.zeros(size, dtype=torch.float64)


def test_a_chain_is_taken_once(tmp_path):
    given = work.Work(b"", 2, METHOD, (1,) * 12, "float64")
    one, other = work.share(given, tmp_path, range(12)), work.Shared(tmp_path, 1)
    taken = [(one.take(), other.take()) for _ in range(6)]
    assert sorted(sum(taken, ())) == list(range(12))
    assert one.take() is None
    assert other.take() is None
    assert sorted(one.taken_by(0) + one.taken_by(1)) == list(range(12))


def helpers_of(tag):
    """Processes that run chains for a comparison, and all that carry its tag."""
    helping, all_ = [], []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if tag.encode() not in (entry / "environ").read_bytes():
                continue
            all_.append(int(entry.name))
            if b"bayescore_pyro.helper" in (entry / "cmdline").read_bytes():
                helping.append(int(entry.name))
        except OSError:
            continue
    return helping, all_


@two_cores
@pytest.mark.parametrize("deed", ["Ctrl-C", "the comparison is killed", "its process is killed"])
def test_no_chain_outlives_its_comparison(deed, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    tag = f"CHAINS_TEST={scratch}"
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    command = [sys.executable, "-m", "bayescore", "compare", "--backends", "pyro:nuts", "--reference", "none"]
    parent = subprocess.Popen(
        [*command, "--quiet", "--json", str(tmp_path / "found.json")],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "CHAINS_TEST": str(scratch), "BAYESCORE_PLUGINS": "pyro"},
    )
    signal.signal(signal.SIGINT, inherited)
    late = time.monotonic() + LATE
    while not (found := helpers_of(tag))[0] and time.monotonic() < late:
        time.sleep(0.05)
    helping, all_ = found
    assert len(helping) == 1
    (worker,) = set(all_) - {parent.pid, *helping}
    if deed == "Ctrl-C":
        parent.send_signal(signal.SIGINT)
    else:
        os.kill(parent.pid if "comparison" in deed else worker, signal.SIGKILL)
    assert parent.wait(LATE) == {"Ctrl-C": 130, "the comparison is killed": -9, "its process is killed": 4}[deed]
    if deed != "the comparison is killed":
        assert helpers_of(tag) == ([], [])
    while (helpers_of(tag)[1] or any(scratch.iterdir())) and time.monotonic() < late:
        time.sleep(0.05)
    assert helpers_of(tag) == ([], [])
    assert list(scratch.iterdir()) == []
