"""What a contender does in its own process: it costs its own row, and nothing of it is left."""

import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT, alive, put_on_path

from bayescore.comparison import run as comparison
from bayescore.settings import Settings
from bayescore.tables import problem

REASONS = {
    "forks": "it got this far",
    "escapes": "it got this far",
    "spawns": "it got this far",
    "babbles": "it got this far",
    "asks": "EOFError",
    "removes_its_folder": "and left no result",
    "leaves_garbage": "its result can't be read: UnpicklingError",
    "leaves_another_thing": "its result can't be read: UnpicklingError: a dict is no outcome",
    "leaves_a_trap": "its result can't be read: UnpicklingError: posix._exit is no part of a result",
}


@pytest.fixture
def sign(tmp_path, monkeypatch):
    put_on_path(monkeypatch, "hostile")
    monkeypatch.setenv("HOSTILE_SIGN", str(tmp_path / "sign"))
    return tmp_path / "sign"


def compare(*contenders, **settings):
    result = comparison.compare(problem.toy(), contenders, Settings(reference="none", **settings))
    return {row["backend"]: row for row in result.document["contenders"]}


@pytest.mark.parametrize("deed", REASONS)
def test_a_deed_costs_its_own_row_and_no_time(sign, deed):
    start = time.monotonic()
    rows = compare(deed, "exact", timeout=60)
    assert time.monotonic() - start < 45
    assert rows[deed]["status"] == "failed"
    assert REASONS[deed] in rows[deed]["error"]
    assert rows["exact"]["status"] == "ok"
    started = sign.read_text().split() if sign.exists() else []
    assert len(started) == (deed in {"forks", "escapes", "spawns"})
    assert not any(alive(pid) for pid in started)


def test_a_child_that_holds_the_pipe_does_not_outlive_the_timeout(sign):
    start = time.monotonic()
    rows = compare("forks_and_hangs", timeout=4)
    assert time.monotonic() - start < 12
    assert rows["forks_and_hangs"]["status"] == "timeout"
    assert not any(alive(pid) for pid in sign.read_text().split())


def test_no_folder_is_left_behind(sign, tmp_path, monkeypatch):
    import tempfile

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    compare("removes_its_folder", "leaves_garbage")
    assert list(scratch.iterdir()) == []


def test_nothing_is_left_of_a_comparison_that_is_killed(sign, tmp_path):
    """Its worker notices, ends what it started, and removes the folder that the two shared."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [
        sys.executable,
        "-m",
        "bayescore",
        "compare",
        "--backends",
        "forks_and_hangs",
        "--reference",
        "none",
        "--quiet",
    ]
    parent = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)})
    deadline = time.monotonic() + 60
    while not (sign.exists() and sign.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    started = sign.read_text().split()
    while (any(map(alive, started)) or any(scratch.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert started
    assert not any(map(alive, started))
    assert list(scratch.iterdir()) == []
