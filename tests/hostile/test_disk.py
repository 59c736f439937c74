"""A full disk, a quota, a folder that vanishes, a mount that is read-only half way: the verdict comes all the same."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from system_calls import Before

import bayescore
from bayescore.cli import main
from bayescore.comparison import archive as archive_module
from bayescore.comparison import stored
from bayescore.comparison.archive import Archive
from bayescore.comparison.contender import Contender
from bayescore.comparison.folder import Folder
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.run import compare
from bayescore.errors import KeepingError
from bayescore.model.posterior import Posterior
from bayescore.settings import Settings
from bayescore.system import writing
from bayescore.tables.problem import toy

pytestmark = pytest.mark.usefixtures("only_core")
AGREEING = ["compare", "--backends", "exact:exact(draws=5000)", "exact:exact(draws=6000)", "--reference", "none"]
NETCDF = b"stands for draws" * 1000
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from bayescore.cli import main
sys.exit(main(sys.argv[2:]))
"""


def failing(code):
    raise OSError(code, os.strerror(code))


@pytest.fixture(scope="module")
def result():
    return compare(toy(), ["exact:exact(draws=10)"], Settings(reference="none"))


def whole(folder: Path) -> bool:
    """Whether nothing in a folder is half a file."""
    for path in folder.iterdir():
        if path.suffix == ".nc":
            assert path.read_bytes() == NETCDF
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.name not in {".bayescore", "log.txt", "problem.toml"}:
            return False
    return True


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOENT])
def test_whatever_call_fails_the_rest_is_kept_and_the_loss_is_said(tmp_path, monkeypatch, result, code):
    monkeypatch.setattr(archive_module, "encode", lambda tree, path: NETCDF)
    monkeypatch.setattr(stored, "to_tree", lambda outcome, depends: None)
    (outcome,) = result.outcomes
    told = 0
    for at in range(1, 100):
        folder = tmp_path / str(at)
        with Archive(folder, toy(), Settings()) as archive, pytest.MonkeyPatch.context() as patch:
            before = Before(patch, at, lambda: failing(code))
            archive.begin("seed = 0\n")
            archive.keep(outcome, "its log")
            archive.finish(result.document)
        assert whole(folder)
        if before.left > 0:
            break
        if archive.unkept:
            told += 1
            (sentence,) = archive.unkept
            assert sentence.startswith(f"can't keep in '{folder}': ")
            assert sentence.count("\n") == 0
    assert archive.unkept == []
    assert told >= 15
    assert {path.name for path in folder.iterdir()} >= {"comparison.json", "problem.toml", "log.txt"}


def test_files_that_can_not_grow_cost_themselves_alone(tmp_path):
    """The limit is on what a process writes: HDF5 itself ended the process on it, as on a full disk."""
    folder = tmp_path / "out"
    command = [sys.executable, "-c", LIMITED, "120_000", *AGREEING, "--out", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 73
    assert "AGREE" in ended.stdout
    assert (folder / "comparison.json").is_file()
    assert ended.stderr.endswith(".nc (File too large)\n")
    assert ended.stderr.count("\n") == 1
    assert whole(folder)


@pytest.mark.parametrize("gone", ["removed", "replaced", "moved"])
def test_a_folder_that_vanishes_costs_the_files_alone(tmp_path, monkeypatch, capsys, gone):
    folder, other = tmp_path / "out", tmp_path / "other"
    keep = Archive.keep

    def vanishing(self: Archive, outcome: Outcome, log: str) -> None:
        if folder.exists() and not other.exists():
            shutil.move(folder, other)
            if gone == "removed":
                shutil.rmtree(other)
            elif gone == "replaced":
                folder.mkdir()
                (folder / "thesis").write_text("mine")
        keep(self, outcome, log)

    monkeypatch.setattr(Archive, "keep", vanishing)
    assert main([*AGREEING, "--jobs", "1", "--out", str(folder)]) == 73
    out, err = capsys.readouterr()
    assert "AGREE" in out
    assert err.startswith(f"bayescore: can't keep in '{folder}': ") and ".nc, log.txt, " in err
    assert err.count("\n") == 1
    if gone == "replaced":
        assert [path.name for path in folder.iterdir()] == ["thesis"]
    else:
        assert not folder.exists()


def test_disagreement_is_told_by_the_exit_code_even_where_nothing_could_be_kept(tmp_path, install, monkeypatch, capsys):
    install("faulty")
    monkeypatch.setattr(writing, "_write", lambda *given: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    path = tmp_path / "result.json"
    assert main(["compare", "--backends", "lies", "--quiet", "--json", str(path)]) == 1
    assert capsys.readouterr().err == f"bayescore: can't write '{path}': full\n"
    assert main(["compare", "--backends", "raises_in_fit", "--quiet", "--json", str(path)]) == 73


def test_a_document_on_another_disk_is_written_where_the_folder_is_full(tmp_path, monkeypatch, capsys):
    def full(self, name, content):
        raise KeepingError(self.path / name, "full")

    monkeypatch.setattr(Folder, "write", full)
    path = tmp_path / "result.json"
    assert main([*AGREEING, "--quiet", "--out", str(tmp_path / "out"), "--json", str(path)]) == 73
    assert json.loads(path.read_text())["verdict"] == "agree"
    assert "problem.toml, exact-" in capsys.readouterr().err


def test_what_netcdf_can_not_hold_costs_its_file_alone(tmp_path, result):
    draws = {"beta": result.outcomes[0].posterior.draws["beta"]}
    odd = Posterior(draws, {"beta": ("a\0b",)})
    contender = Contender("exact", result.outcomes[0].contender.method)
    with Archive(tmp_path / "out", toy(), Settings()) as archive:
        archive.keep(Outcome(contender, "ok", posterior=odd), "")
        assert "not as netCDF" in archive.unkept[0]
    with pytest.raises(KeepingError, match="not as netCDF"):
        bayescore.save(odd, tmp_path / "odd.nc")
    assert whole(tmp_path / "out")


def test_a_posterior_that_can_not_be_saved_is_an_error_of_ours_and_leaves_nothing(tmp_path, result):
    code = "import sys, resource; import bayescore, bayescore.errors\n"
    code += "posterior = bayescore.load(sys.argv[1])\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))\n"
    code += "try: bayescore.save(posterior, sys.argv[2])\n"
    code += "except bayescore.errors.KeepingError as error: print(error)\n"
    bayescore.save(result.outcomes[0].posterior, tmp_path / "a.nc")
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.nc"), str(tmp_path / "b.nc")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"can't write '{tmp_path / 'b.nc'}': File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


def test_tables_of_the_other_commands_are_printed_and_the_code_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(writing, "_write", lambda *given: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    monkeypatch.setattr("bayescore.study.measure.in_parallel", lambda *given: [])
    monkeypatch.setattr("bayescore.study.tables.density", lambda found: "a table")
    assert main(["study", "--engine", "exact", "--parts", "density", "--out", str(tmp_path / "a.md")]) == 73
    out, err = capsys.readouterr()
    assert "a table" in out
    assert err == f"bayescore: can't write '{tmp_path / 'a.md'}': full\n"


def test_a_full_temporary_folder_costs_the_rows_and_is_said_in_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    found = compare(toy(), ["exact"], Settings(reference="none"))
    assert (found.verdict, found.outcomes[0].status) == ("incomplete", "failed")
    assert str(found.outcomes[0].error).startswith("it can't be run here: [Errno 2] No such file or directory")
