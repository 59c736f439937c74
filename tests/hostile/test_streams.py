"""Standard output that closes, fills up or was never there: the verdict's code stands."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from bayescore import cli

COMPARE = ["compare", "--backends", "exact", "--reference", "none"]
CODE = 3  # nothing to compare


def shell(line, **more):
    """Run a line of bash in which $RUN is the comparison."""
    run = " ".join([sys.executable, "-m", "bayescore", *COMPARE])
    return subprocess.run(
        ["bash", "-c", line], env={**os.environ, "RUN": run}, cwd=ROOT, capture_output=True, text=True, check=False,
        **more,
    )  # fmt: skip


@pytest.mark.parametrize("more", ["", " --json -"])
def test_a_reader_that_goes_changes_no_code(more):
    done = shell(f"$RUN{more} | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == CODE
    assert "Traceback" not in done.stderr
    assert "lost" not in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_descriptor_changes_no_code(redirection):
    done = shell(f"$RUN {redirection}")
    assert done.returncode == CODE
    assert "Traceback" not in done.stderr


def test_an_output_that_takes_nothing_changes_no_code_and_is_said(tmp_path):
    (tmp_path / "read-only").touch()
    done = shell(f"$RUN 1< {tmp_path / 'read-only'}")
    assert done.returncode == CODE
    assert done.stderr.count("\n") == 1
    assert "standard output can't be written" in done.stderr


def test_a_listing_that_nobody_reads_to_its_end_is_no_failure():
    done = shell(f"{sys.executable} -m bayescore backends --all | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("fault", [ZeroDivisionError("a fault"), type("Panic", (BaseException,), {})("a fault")])
def test_a_fault_of_our_own_has_a_code_of_its_own(monkeypatch, capsys, tmp_path, fault):
    import tempfile

    from bayescore.cli import explain

    def run(options):
        raise fault

    monkeypatch.setattr(explain, "run", run)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cli.main(["explain", "smoke"]) == 70
    (line,) = capsys.readouterr().err.splitlines()
    (kept,) = tmp_path.iterdir()
    assert "no verdict" in line
    assert str(kept) in line
    assert "a fault" in kept.read_text()
    assert "Traceback" in kept.read_text()
