"""Jobs and chains together use no more cores than there are."""

import ast
import os
import subprocess
from collections import Counter

import pytest
from conftest import alive, put_on_path

from bayescore.comparison.run import compare
from bayescore.comparison.runner import Runner
from bayescore.comparison.sharing import Sharing
from bayescore.settings import Settings
from bayescore.study import measure
from bayescore.system import cores, processes
from bayescore.tables import problem

THERE = cores.chosen()

affinity = pytest.mark.skipif(not cores.AFFINITY, reason="the system knows no affinity")
two_cores = pytest.mark.skipif(not cores.AFFINITY or len(THERE) < 2, reason="there is but one core to share")


@pytest.mark.parametrize("processes", range(1, 12))
@pytest.mark.parametrize("there", range(1, 9))
def test_shares_are_as_equal_as_can_be(there, processes):
    numbers = [7 + 2 * i for i in range(there)]
    shares = cores.shares(numbers, processes)
    sizes = [len(share) for share in shares]
    assert len(shares) == processes
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1
    used = Counter(core for share in shares for core in share)
    assert set(used) == set(numbers) if processes >= there else sorted(used.elements()) == numbers
    assert max(used.values()) - min(used.values()) <= 1


def test_all_cores_are_used_by_default_and_never_more_than_there_are():
    assert len(THERE) == cores.usable()
    assert cores.chosen(1000) == THERE
    assert len(cores.chosen(1)) == 1


def test_a_part_of_the_cores_is_the_least_busy_one(monkeypatch):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: {3, 4, 5, 6}, raising=False)
    monkeypatch.setattr(cores, "AFFINITY", True)
    monkeypatch.setattr(cores, "_WATCHED", 0.0)
    ticks = iter([{3: 100, 4: 900, 5: 0, 6: 10, 0: 5}, {3: 110, 4: 900, 5: 9, 6: 10, 0: 5}])
    monkeypatch.setattr(cores, "_busy", lambda: next(ticks))
    assert cores.chosen(2) == [4, 6]
    monkeypatch.setattr(cores, "_busy", dict)  # where it can't be told, chance spreads them
    assert len({tuple(cores.chosen(1)) for _ in range(50)}) > 1


def test_how_busy_cores_are_is_told_for_each():
    assert set(cores._busy()) >= set(THERE) or not os.path.exists("/proc/stat")  # noqa: PTH110


SAID = [("3", 3), ("9", None), ("0", None), ("-1", None), ("many", None), ("", None)]


@pytest.mark.parametrize("said, found", SAID)
def test_a_variable_says_how_many_cores_there_are_at_most(said, found, monkeypatch):
    monkeypatch.setattr(cores, "AFFINITY", True)
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: {2, 3, 4, 5, 6}, raising=False)
    monkeypatch.setenv(cores.MOST, said)
    assert cores.usable() == len(cores.chosen()) == len(cores.chosen(4)) + (not found) == (found or 5)
    assert len(cores.chosen(2)) == 2
    assert set(cores.chosen()) <= {2, 3, 4, 5, 6}


@pytest.mark.parametrize("said, found", SAID)
def test_without_affinity_a_share_is_a_variable(said, found, monkeypatch):
    monkeypatch.setattr(cores, "AFFINITY", False)
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 5)
    monkeypatch.setenv(cores.MOST, said)
    assert cores.usable() == (found or 5)
    assert len(cores.chosen()) == (found or 5)
    assert Sharing(4).environment(2) == {cores.MOST: "1" if found == 3 else "2"}
    assert Sharing(1).environment(3) == {cores.MOST: "1"}
    cores.take([0, 1])
    assert cores.usable() == 2


def test_with_affinity_there_is_no_variable(monkeypatch):
    monkeypatch.setattr(cores, "AFFINITY", True)
    assert Sharing().environment(2) == {}


def told(sign):
    """What the two contenders have told, by contender and phase."""
    lines = [line.split(" ", 2) for line in sign.read_text().splitlines() if not line.endswith(" here")]
    return {(name, phase): ast.literal_eval(cores) for name, phase, cores in lines}


def run(sign, monkeypatch, **settings):
    put_on_path(monkeypatch, "hostile")
    monkeypatch.setenv("HOSTILE_SIGN", str(sign))
    compare(problem.toy(), ["shares_briefly", "shares_at_length"], Settings(reference="none", timeout=60, **settings))
    return told(sign)


@two_cores
def test_the_kernel_holds_a_stranger_s_contenders_to_their_shares(tmp_path, monkeypatch):
    """With their threads and what they have started; what one leaves the other has."""
    before = os.sched_getaffinity(0)
    found = run(tmp_path / "sign", monkeypatch, jobs=2)
    (brief,), (long,) = (found[name, "together"] for name in ("shares_briefly", "shares_at_length"))
    assert sorted(brief + long) == THERE
    assert found["shares_at_length", "alone"] == [tuple(THERE)]
    assert os.sched_getaffinity(0) == before


@affinity
def test_more_contenders_than_cores_share_one(tmp_path, monkeypatch):
    found = run(tmp_path / "sign", monkeypatch, jobs=2, cores=1)
    assert set(map(len, found.values())) == {1}
    ((only,),) = {share for shares in found.values() for share in shares}
    assert only in THERE


def test_one_contender_runs_at_a_time_on_one_core(monkeypatch):
    seen = []
    monkeypatch.setattr(Runner, "run", lambda self, tasks, infos: seen.append(self) or [])
    for settings, jobs, there in ((Settings(cores=1), 1, 1), (Settings(), len(THERE), len(THERE)),
                                  (Settings(jobs=3, cores=1), 3, 1)):  # fmt: skip
        with pytest.raises(KeyError):  # nothing has run
            compare(problem.toy(), ["exact"], settings)
        runner = seen.pop()
        assert (runner.jobs, len(runner.sharing.numbers)) == (jobs, there)


def shared(settings, name, seeds):
    """In a process of a study."""
    share = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    return {(name, share): Counter({str(seed): 1 for seed in seeds})}


@two_cores
def test_the_processes_of_a_study_share_the_cores():
    found = measure.in_parallel(shared, measure.Extent(), "cores", 40)
    assert {share for _, share in found} <= {str(core) for core in THERE}
    assert sum(map(Counter.total, found.values())) == 40
    found = measure.in_parallel(shared, measure.Extent(jobs=2, cores=1), "cores", 20)
    assert len(found) == 1


@affinity
def test_a_process_started_by_a_child_s_child_is_confined(tmp_path):
    """Marks nest: what a child starts, with a mark of its own, is still known as the child's."""
    code = (
        "import subprocess, sys\n"
        "from bayescore.system import processes\n"
        "inner = processes.start('asyncio', stdout=subprocess.DEVNULL)\n"
        "print(inner.process.pid, flush=True)\n"
        "inner.process.wait()\n"
    )
    (tmp_path / "outer_of_a_test.py").write_text(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        child = processes.start("outer_of_a_test", stdout=subprocess.PIPE)
    try:
        inner = int(child.process.stdout.readline())
        child.confine(THERE[-1:])
        assert os.sched_getaffinity(inner) == {THERE[-1]}
    finally:
        child.end()
        child.process.stdout.close()
    assert not alive(inner)
