"""Ctrl-C ends the children, keeps what is finished, and says so."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, alive


def children(process: int) -> list[int]:
    """Processes whose parent is this one, by Linux's /proc; elsewhere none are found."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(status.parent.name))
    return found


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_children_and_keeps_what_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    command = [sys.executable, "-m", "bayescore", "compare", "--backends", "exact", "hangs", "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/plugins/faulty"), "BAYESCORE_PLUGINS": "faulty"}
    with subprocess.Popen(
        [*command, "--out", str(folder)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        deadline = time.monotonic() + 60
        while not (folder / "exact.nc").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running = children(process.pid)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not [child for child in running if alive(child)]
    rows = {row["backend"]: row["status"] for row in json.loads((folder / "comparison.json").read_text())["contenders"]}
    assert rows == {"exact": "ok", "hangs": "interrupted"}
    assert "interrupted: stopped before it was finished" in " ".join(out.split())
