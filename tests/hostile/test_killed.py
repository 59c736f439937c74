"""Killed at any moment, a comparison is taken up where it was: the same draws, the same verdict."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from zlib import crc32

import pytest
from conftest import put_on_path
from system_calls import Before

import bayescore
from bayescore.comparison import archive as archive_module
from bayescore.comparison import provenance, stored
from bayescore.comparison.archive import Archive, read_document
from bayescore.comparison.run import compare
from bayescore.inference_data import encode
from bayescore.plugins import loading
from bayescore.settings import Settings
from bayescore.tables.problem import toy

PHASES = ("import", "data", "density", "fit", "sample", "predict")
RUN = """
import os, signal, sys
from bayescore.comparison import run
from bayescore.cli import main

def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "verdict":
    run.conclusion.conclude = die
sys.exit(main(sys.argv[2:]))
"""
SAME = ("verdict", "reasons", "problem", "parameters", "model_check", "pairs", "predictions", "scores")


@pytest.fixture(scope="module")
def mortal():
    with pytest.MonkeyPatch.context() as patch:
        put_on_path(patch, "mortal")
        yield patch


def run(folder, deadly, *more):
    """Exit code and processes that were left; killed by what is deadly, if anything."""
    mark = f"KILLED_TEST={folder}"
    command = [
        "compare",
        *("--backends", "exact", *(f"at_{phase}" for phase in PHASES)),
        "--quiet",
        "--out",
        str(folder),
    ]
    environment = {**os.environ, "MORTAL_DEADLY": deadly, "KILLED_TEST": str(folder), "TMPDIR": str(folder.parent)}
    ended = subprocess.run([sys.executable, "-c", RUN, deadly, *command, *more], env=environment, check=False)
    late = time.monotonic() + 20
    while (left := carrying(mark)) and time.monotonic() < late:
        time.sleep(0.1)
    assert left == []
    return ended.returncode


def carrying(mark):
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def undisturbed(mortal, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    assert run(folder, "nobody") == 0
    return folder


def assert_same(folder, undisturbed):
    found, before = read_document(folder), read_document(undisturbed)
    for key in SAME:
        assert found[key] == before[key], key
    names = sorted(path.name for path in undisturbed.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        if name.endswith(".nc"):
            a, b = bayescore.load(folder / name), bayescore.load(undisturbed / name)
            assert all((a.draws[site] == b.draws[site]).all() for site in b.draws), name


def fitted(folder):
    """How often each contender was fitted, by the log."""
    lines = (folder / "log.txt").read_text().splitlines()
    done = [line.split(":")[0].removeprefix("== ") for line in lines if line.startswith("== ") and ": ok" in line]
    return {name: done.count(name) for name in done}


def test_workers_killed_at_every_phase_are_made_good(undisturbed, tmp_path):
    folder = tmp_path / "out"
    assert run(folder, f"worker {' '.join(PHASES)}") == 4
    rows = {row["backend"]: row for row in read_document(folder)["contenders"]}
    assert rows.pop("exact")["status"] == "ok"
    assert {row["error"] for row in rows.values()} == {"its process ended by signal SIGKILL and left no result"}
    assert len(rows) == len(PHASES)
    assert run(folder, "nobody", "--resume") == 0
    assert_same(folder, undisturbed)
    assert set(fitted(folder).values()) == {1}


def test_a_comparison_killed_at_every_phase_goes_on_from_there(undisturbed, tmp_path):
    folder = tmp_path / "out"
    for phase in PHASES:
        assert run(folder, f"parent {phase}", "--resume", "--jobs", "1") == -9, phase
        assert not (folder / "comparison.json").exists()
    assert run(folder, "verdict", "--resume", "--jobs", "1") == -9
    before = fitted(folder)
    assert set(before.values()) == {1}  # what the log tells of was kept, and is never made again
    assert run(folder, "nobody", "--resume", "--jobs", "1") == 0
    assert fitted(folder) == before
    assert_same(folder, undisturbed)


def test_killed_before_any_call_of_the_system_while_it_writes_it_leaves_whole_files(tmp_path):
    """In a process of its own: it forks, which one that has been used for other tests had better not."""
    environment = {**os.environ, loading.RESTRICT: "", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def killed_while_it_writes(tmp_path, monkeypatch):
    """In a forked process, once for every call; what is there afterwards is taken up, or made again."""
    result = compare(toy(), ["exact:exact(draws=10)"], Settings(reference="none"))
    (outcome,) = result.outcomes
    exact = loading.load()["exact"]
    content = encode(stored.to_tree(outcome, provenance.of_fit(outcome.contender, exact, "the toy")), Path("fit.nc"))
    monkeypatch.setattr(archive_module, "encode", lambda tree, path: content)
    monkeypatch.setattr(provenance, "of_problem", lambda problem, settings: "the toy")

    def write(folder):
        with Archive(folder, toy(), Settings(), resume=True) as archive:
            archive.begin("seed = 0\n")
            there = archive.stored(outcome.contender, exact)
            archive.keep(outcome, "its log")
            archive.finish(result.document)
            assert archive.unkept == []
            return there

    ended, at, taken = -signal.SIGKILL, 0, 0
    while ended != 0:
        at += 1
        folder = tmp_path / str(at)
        child = os.fork()
        if child == 0:
            try:
                Before(monkeypatch, at, lambda: os.kill(os.getpid(), signal.SIGKILL))
                write(folder)
                os._exit(0)
            finally:
                os._exit(1)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert ended in {0, -signal.SIGKILL}
        there = write(folder)
        if there is not None:
            taken += 1
            assert all((there.posterior.draws[site] == v).all() for site, v in outcome.posterior.draws.items())
        assert {path.name for path in folder.iterdir()} == {
            ".bayescore",
            "log.txt",
            "problem.toml",
            "comparison.json",
            archive_name(outcome),
        }
        assert read_document(folder)["pairs"] == result.document["pairs"]
    assert at > 20
    assert 0 < taken < at


def archive_name(outcome):
    return "exact-exact-draws-10-" + f"{crc32(outcome.contender.name.encode()):08x}.nc"


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        killed_while_it_writes(Path(sys.argv[1]), patch)
