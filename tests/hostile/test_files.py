"""Files of others: what is no regular file, what a link points to, and a folder that is not ours."""

import json
import os
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from bayescore.cli import main
from bayescore.comparison.archive import Archive
from bayescore.errors import KeepingError, RequestError
from bayescore.settings import Settings
from bayescore.system import writing
from bayescore.tables.problem import toy

pytestmark = pytest.mark.usefixtures("only_core")
COMPARE = ["compare", "--backends", "exact", "--reference", "none", "--quiet"]
TEXT = "a result\n"


def reading(path: Path) -> tuple[threading.Thread, list[str]]:
    """Somebody who reads a pipe to its end."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
    thread.start()
    return thread, found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_pipe_stays_one_and_its_reader_gets_the_document(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread, found = reading(pipe)
    assert main([*COMPARE, "--json", str(pipe)]) == 3
    thread.join(10)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert json.loads(found[0])["verdict"] == "inconclusive"


def test_a_reader_that_goes_is_said_in_one_line(tmp_path, capfd):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def glance() -> None:
        with pipe.open("rb") as stream:
            stream.read(1)

    threading.Thread(target=glance, daemon=True).start()
    with pytest.raises(KeepingError, match="Broken pipe"):
        writing.write(pipe, b"x" * 10_000_000)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_a_link_stays_one_and_its_target_gets_the_content(tmp_path):
    target, link, chain = tmp_path / "elsewhere" / "target.json", tmp_path / "link.json", tmp_path / "chain.json"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(Path("elsewhere") / "target.json")
    chain.symlink_to(link)
    writing.write(chain, TEXT)
    assert link.is_symlink()
    assert chain.is_symlink()
    assert target.read_text() == TEXT
    assert list(target.parent.iterdir()) == [target]


def test_a_link_to_what_is_not_there_yet_makes_it(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "new")
    writing.write(link, TEXT)
    assert link.is_symlink()
    assert (tmp_path / "new").read_text() == TEXT


def test_a_link_to_a_pipe_is_written_into_the_pipe(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    thread, found = reading(pipe)
    writing.write(link, TEXT)
    thread.join(10)
    assert found == [TEXT]
    assert link.is_symlink()


def test_a_file_of_two_names_keeps_both(tmp_path):
    (tmp_path / "a").write_text("a longer old content than the new one")
    os.link(tmp_path / "a", tmp_path / "b")
    writing.write(tmp_path / "a", TEXT)
    assert (tmp_path / "b").read_text() == TEXT


def test_what_is_replaced_keeps_its_mode_and_a_new_file_has_that_of_the_umask(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    writing.write(path, TEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        writing.write(tmp_path / "new", TEXT)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_neighbour_named_like_an_unfinished_file_is_left_alone(tmp_path):
    (tmp_path / "a.json.unfinished").write_text("mine")
    writing.write(tmp_path / "a.json", TEXT)
    assert contents(tmp_path) == {"a.json": TEXT.encode(), "a.json.unfinished": b"mine"}


def test_a_file_that_can_only_be_written_in_place_is(tmp_path, monkeypatch):
    """As one that is mounted on its own, in a container."""
    (tmp_path / "a").write_text("a longer old content than the new one")

    def busy(self, target):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    writing.write(tmp_path / "a", TEXT)
    assert contents(tmp_path) == {"a": TEXT.encode()}


@pytest.mark.parametrize("name", ["/dev/stdout", "same.txt"])
def test_the_file_that_standard_output_goes_to_gets_the_report_and_the_document(tmp_path, name):
    command = [sys.executable, "-m", "bayescore", *COMPARE[:-1], "--json", name]
    with (tmp_path / "same.txt").open("w") as stream:
        ended = subprocess.run(command, cwd=tmp_path, stdout=stream, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (3, "")
    report, brace, document = (tmp_path / "same.txt").read_text().partition("{\n")
    assert "INCONCLUSIVE" in report
    assert json.loads(brace + document)["verdict"] == "inconclusive"


def test_a_file_that_the_comparison_reads_is_not_written_over(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = "y,x\n" + "".join(f"{i % 7},{i}\n" for i in range(20))
    Path("table.csv").write_text(table)
    Path("problem.toml").write_text('data = "table.csv"\nformula = "y ~ x"\n')
    for name in ("table.csv", "problem.toml"):
        assert main([*COMPARE, "problem.toml", "--json", str(tmp_path / name)]) == 2
        assert "is read by this command" in capsys.readouterr().err
    assert Path("table.csv").read_text() == table


@pytest.mark.parametrize("bad", ["", "nowhere/a.json", "x" * 300, "loop", "table.csv/a", "socket"])
@pytest.mark.parametrize("option", ["compare --json", "reference --out", "study --out"])
def test_a_path_that_can_not_be_written_is_refused_before_any_work(tmp_path, monkeypatch, capsys, bad, option):
    import socket

    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("table.csv").write_text("")
    Path("references.json").write_text("[]")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        command, flag = option.split()
        more = {"compare": COMPARE[1:], "reference": ["."], "study": ["--engine", "exact"]}[command]
        assert main([command, *more, flag, bad]) == 2
    err = capsys.readouterr().err
    assert err.startswith("bayescore: can't write ")
    assert err.count("\n") == 1


def thesis(folder: Path) -> dict[str, bytes]:
    """A folder of somebody's, which looks a little like ours."""
    (folder / "chapters.nc").mkdir(parents=True)
    (folder / "chapters.nc" / "thesis.tex").write_text("three years of work")
    (folder / "data.nc").write_bytes(b"measured")
    return contents(folder)


@pytest.mark.parametrize("how", [[], ["--force"], ["--resume"], ["--force", "--resume"]])
@pytest.mark.parametrize("marker", [None, "folder", "link", "pipe", "other", "empty"])
def test_a_folder_that_is_not_ours_is_left_as_it_is(tmp_path, capsys, how, marker):
    folder = tmp_path / "mine"
    thesis(folder)
    mark = folder / ".bayescore"
    if marker == "folder":
        mark.mkdir()
    elif marker == "link":
        (tmp_path / "victim").write_text("do not touch")
        mark.symlink_to(tmp_path / "victim")
    elif marker == "pipe":
        os.mkfifo(mark)
    elif marker is not None:
        mark.write_text({"other": "data.nc -\n", "empty": ""}[marker])
    before = contents(tmp_path)
    assert main([*COMPARE, "--out", str(folder), *how]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(folder) in err
    assert contents(tmp_path) == before


def test_force_removes_what_we_wrote_and_nothing_else(tmp_path, capsys):
    folder = tmp_path / "out"
    assert main([*COMPARE, "--out", str(folder)]) == 3
    mine = thesis(folder / "notes") | {"x": b"1"}
    (folder / "extra.nc").write_bytes(b"mine")
    (folder / "notes" / "x").write_bytes(b"1")
    assert main(["compare", "--backends", "exact:exact(draws=500)", "--quiet", "--out", str(folder), "--force"]) == 3
    assert contents(folder / "notes") == mine
    assert (folder / "extra.nc").read_bytes() == b"mine"
    assert not (folder / "exact.nc").exists()


@pytest.mark.parametrize("planted", ["link", "folder", "pipe"])
@pytest.mark.parametrize("how", ["--force", "--resume"])
def test_what_took_the_place_of_a_file_of_ours_is_left_alone(tmp_path, capsys, planted, how):
    folder, victim = tmp_path / "out", tmp_path / "victim"
    assert main([*COMPARE, "--out", str(folder)]) == 3
    victim.write_text("mine")
    place = folder / "exact.nc"
    place.unlink()
    {"link": lambda: place.symlink_to(victim), "folder": place.mkdir, "pipe": lambda: os.mkfifo(place)}[planted]()
    before = place.lstat()
    assert main([*COMPARE, "--out", str(folder), how]) == 2
    assert "is there and is not bayescore's" in capsys.readouterr().err
    assert place.lstat().st_ino == before.st_ino
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("how", ["--force", "--resume"])
def test_another_file_of_a_contenders_name_is_found_before_anything_is_removed_or_fitted(tmp_path, capsys, how):
    folder = tmp_path / "out"
    other = ["compare", "--backends", "exact:exact(draws=500)", "--reference", "none", "--quiet", "--out", str(folder)]
    assert main(other) == 3
    (folder / "exact.nc").write_bytes(b"mine")
    before = contents(folder)
    assert main([*COMPARE, "--out", str(folder), how]) == 2
    assert "exact.nc' is there and is not bayescore's" in capsys.readouterr().err
    assert contents(folder) == before


def test_a_forged_list_removes_nothing_outside_and_no_folder(tmp_path):
    folder = tmp_path / "out"
    assert main([*COMPARE, "--out", str(folder)]) == 3
    (tmp_path / "victim").write_text("mine")
    thesis(folder / "notes")
    before = contents(folder / "notes")
    with (folder / ".bayescore").open("a") as marker:
        marker.writelines(f"\n{name} -" for name in ("../victim", tmp_path / "victim", "x/../../victim", "notes", "."))
    assert main([*COMPARE, "--out", str(folder), "--force"]) == 3
    assert (tmp_path / "victim").read_text() == "mine"
    assert contents(folder / "notes") == before


def test_two_comparisons_do_not_write_into_one_folder(tmp_path, capsys):
    folder = tmp_path / "out"
    with Archive(folder, toy(), Settings()):
        for how in ("--force", "--resume"):
            assert main([*COMPARE, "--out", str(folder), how]) == 2
            assert "another comparison is writing into" in capsys.readouterr().err
    assert main([*COMPARE, "--out", str(folder)]) == 3


def test_a_lock_ends_with_its_process(tmp_path):
    folder = tmp_path / "out"
    code = (
        "import os, sys; from pathlib import Path; from bayescore.comparison.folder import Folder;"
        "folder = Folder(Path(sys.argv[1]), force=False, resume=False); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert ended.returncode == -9
    assert (folder / ".bayescore").is_file()
    assert main([*COMPARE, "--out", str(folder)]) == 3


def test_unfinished_files_of_a_killed_process_go(tmp_path):
    folder = tmp_path / "out"
    assert main([*COMPARE, "--out", str(folder)]) == 3
    ours, other = folder / ".bayescore-0123456789abcdef.unfinished", folder / "mine.unfinished"
    ours.write_bytes(b"half")
    other.write_bytes(b"mine")
    assert main([*COMPARE, "--out", str(folder), "--resume"]) == 3
    assert not ours.exists()
    assert other.read_bytes() == b"mine"


def test_the_problem_is_kept_before_the_fits(tmp_path, monkeypatch):
    """So that an edited copy in the folder, run with --force, survives whatever comes then."""
    monkeypatch.setattr("bayescore.comparison.running.Runner.run", lambda *given: 1 / 0)
    assert main([*COMPARE, "--out", str(tmp_path / "out")]) == 70
    assert tomllib.loads((tmp_path / "out" / "problem.toml").read_text())["backends"] == ["exact"]


def test_a_folder_in_a_file_and_a_name_that_is_too_long_are_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for bad in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / ("x" * 300)):
        with pytest.raises(RequestError):
            Archive(bad, toy(), Settings(), force=True)
    assert contents(tmp_path) == {"file": b"mine"}
