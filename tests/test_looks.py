"""Pictures and the page from the command line: where they go, and what happens where they can't."""

import json
import shutil

import pytest
from conftest import ROOT

from bayescore.cli import looks, main

pytest.importorskip("matplotlib", reason="matplotlib is not installed: no picture is drawn")
RUN = ["compare", "--backends", "exact", "exact:map", "--reference", "none"]
DRAWN = {"forest.png", "densities.png", "predictions.png", "cost.png"}

pytestmark = pytest.mark.usefixtures("only_core")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "out"
    assert main([*RUN, "--quiet", "--out", str(folder)]) == 3
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_comparison_is_drawn_and_written_as_a_page(tmp_path, capsys):
    given = ["--plots", str(tmp_path / "deep" / "plots"), "--html", str(tmp_path / "page.html")]
    assert main([*RUN, *given, "--json", str(tmp_path / "c.json")]) == 3
    said = capsys.readouterr().err
    assert names(tmp_path / "deep" / "plots") == DRAWN
    assert "forest, densities, predictions, cost; nothing to draw for differences (no two contenders" in said
    text = (tmp_path / "page.html").read_text()
    assert text.count("<img") == len(DRAWN)
    assert "# bayescore compare THIS_FILE runs it again" in text and "exact:map" in text


def test_what_was_kept_is_drawn_again_as_it_was(kept, tmp_path, capsys):
    given = ["--plots", str(tmp_path / "plots"), "--html", str(tmp_path / "page.html"), "--quiet"]
    assert main(["show", str(kept), *given]) == 3
    assert capsys.readouterr() == ("", "")
    first = {path.name: path.read_bytes() for path in (tmp_path / "plots").iterdir()}
    assert set(first) == DRAWN
    assert main(["show", str(kept), "--plots", str(tmp_path / "plots")]) == 3  # in place of what is there
    assert {path.name: path.read_bytes() for path in (tmp_path / "plots").iterdir()} == first
    assert not [name for name in names(tmp_path) if "unfinished" in name]


def test_a_fit_that_is_damaged_is_left_out_and_said(kept, tmp_path, capsys):
    folder = tmp_path / "out"
    shutil.copytree(kept, folder)
    (folder / "exact.nc").write_bytes(b"nothing")
    (folder / "problem.toml").write_text('data = "lost.csv"\nformula = "y ~ x"')
    assert main(["show", str(folder), "--plots", str(tmp_path / "plots")]) == 3
    said = capsys.readouterr().err
    assert "exact.nc' can't be read, and is in no picture" in said
    assert "the data are in no picture: " in said
    assert names(tmp_path / "plots") == {"forest.png", "predictions.png", "cost.png"}  # row by row, of the document
    assert main(["show", str(folder / "comparison.json"), "--html", str(tmp_path / "page.html"), "--quiet"]) == 3
    assert (tmp_path / "page.html").is_file()


def test_data_that_have_changed_are_not_drawn(kept, tmp_path, capsys):
    folder = tmp_path / "out"
    shutil.copytree(kept, folder)
    text = (folder / "problem.toml").read_text()
    (folder / "problem.toml").write_text(text.replace('data = "toy"', 'data = "toy(n=50)"'))
    assert main(["show", str(folder), "--plots", str(tmp_path / "plots")]) == 3
    assert "the data are in no picture: they are others than those that were compared" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--plots", "file"], "can't write pictures to 'file': name a folder that can be made or written"),
        (["--plots", "file/deep"], "can't write pictures to 'file/deep': name a folder that can be made or written"),
        (["--html", "nowhere/page.html"], "can't write 'nowhere/page.html': name a file in a folder that is there"),
        (["--html", "."], "can't write '.': name a file that can be written"),
        (["--html", "a", "--json", "a"], "--json and --html name the same file: name two"),
        (["--html", "problem.toml"], "'problem.toml' is read by this command: name another file with --html"),
    ],
)
def test_what_can_not_be_written_is_told_before_any_fit(given, said, tmp_path, monkeypatch, capsys):
    from bayescore.comparison import run

    monkeypatch.setattr(run, "fit_and_conclude", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "problem.toml").write_text('backends = ["exact"]')
    before = names(tmp_path)
    assert main(["compare", "problem.toml", *given]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"bayescore: {said}") and err.count("\n") == 1
    assert names(tmp_path) == before


def test_without_matplotlib_pictures_are_refused_and_the_page_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("bayescore.pictures.library.installed", lambda: False)
    assert main([*RUN, "--plots", str(tmp_path / "plots")]) == 2
    assert capsys.readouterr().err == 'bayescore: --plots needs matplotlib: pip install "bayescore[plots]"\n'
    assert main([*RUN, "--html", str(tmp_path / "page.html"), "--quiet"]) == 3
    assert "This page has no pictures" in (tmp_path / "page.html").read_text()


def test_whoever_draws_may_fail_and_the_comparison_stands(tmp_path, monkeypatch, capsys):
    from bayescore.pictures import forest
    from bayescore.report import page

    monkeypatch.setattr(forest, "draw", lambda material: next(iter(())))
    monkeypatch.setattr(page, "_view", lambda document: {}["verdict"])
    given = [
        "--plots",
        str(tmp_path / "plots"),
        "--html",
        str(tmp_path / "page.html"),
        "--json",
        str(tmp_path / "c.json"),
    ]
    assert main([*RUN, *given, "--quiet"]) == 73
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "bayescore: the picture forest can't be drawn: StopIteration: no message",
        "bayescore: the page can't be made: KeyError: 'verdict'",
    ]
    assert json.loads((tmp_path / "c.json").read_text())["verdict"] == "inconclusive"
    assert names(tmp_path / "plots") == DRAWN - {"forest.png"}


def test_a_folder_that_is_lost_on_the_way_is_told_at_the_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(looks, "check_folder", lambda folder: None)
    (tmp_path / "plots").touch()
    assert main([*RUN, "--plots", str(tmp_path / "plots")]) == 73
    out, err = capsys.readouterr()
    assert "INCONCLUSIVE" in out
    assert "can't write pictures to" in err


def test_the_documentation_names_every_picture():
    from bayescore.pictures.listed import PICTURES

    page = (ROOT / "docs" / "pictures.md").read_text()
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == list(PICTURES)
