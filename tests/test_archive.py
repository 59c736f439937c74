"""A comparison kept in a folder: whole files, taken up again, shown again."""

import json

import numpy as np
import pytest

import bayescore
from bayescore.cli import main
from bayescore.comparison import run as comparison
from bayescore.comparison.archive import Archive, read_document
from bayescore.comparison.contender import Contender
from bayescore.comparison.outcome import Outcome
from bayescore.errors import RequestError
from bayescore.methods import Exact
from bayescore.plugins import loading
from bayescore.settings import Settings
from bayescore.tables import problem

pytestmark = pytest.mark.usefixtures("only_core")
SECOND = "exact:exact(draws=5000)"
TWO = ["--backends", "exact", SECOND, "--quiet"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with two fits that agree; not to be changed."""
    folder = tmp_path_factory.mktemp("kept") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAYESCORE_PLUGINS", "")
        assert main(["compare", *TWO, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def copy(kept, tmp_path):
    import shutil

    return shutil.copytree(kept, tmp_path / "copy")


@pytest.fixture
def exact():
    return loading.load()["exact"]


def fits(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.nc")}


def test_everything_is_kept_and_nothing_half_written(kept):
    names = {path.name for path in kept.iterdir()}
    assert {"comparison.json", "problem.toml", "log.txt", "exact.nc"} <= names
    assert len(fits(kept)) == 2
    assert len(names) == 6
    document = json.loads((kept / "comparison.json").read_text())
    assert document["verdict"] == "agree"
    assert document == read_document(kept) == read_document(kept / "comparison.json")


def test_the_posterior_is_a_file_that_arviz_reads(kept):
    posterior = bayescore.load(kept / "exact.nc")
    assert list(posterior.parameters()) == ["intercept", "beta[x]"]
    assert posterior.shape == (1, 10_000)


def test_show_prints_the_report_again_and_returns_the_same_code(kept, capsys):
    assert main(["show", str(kept)]) == 0
    out = capsys.readouterr().out
    assert "AGREE" in out
    assert "beta[x]" in out


def test_the_problem_file_runs_it_again(kept, capsys):
    assert main(["compare", str(kept / "problem.toml"), "--json", "-"]) == 0
    again, before = json.loads(capsys.readouterr().out), read_document(kept)
    assert again["parameters"] == before["parameters"]
    assert again["pairs"] == before["pairs"]


def test_an_existing_folder_is_left_alone_without_force_or_resume(copy, capsys):
    before = {path: path.read_bytes() for path in copy.iterdir()}
    assert main(["compare", *TWO, "--out", str(copy)]) == 2
    assert "--force replaces it, --resume goes on with it" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in copy.iterdir()} == before


def test_an_empty_folder_is_used(tmp_path):
    with Archive(tmp_path, problem.toy(), Settings()):
        assert [path.name for path in tmp_path.iterdir()] == [".bayescore"]


def test_resume_fits_only_what_is_not_there(copy):
    before = fits(copy)
    (copy / "exact.nc").unlink()
    assert main(["compare", *TWO, "--out", str(copy), "--resume"]) == 0
    after = fits(copy)
    assert set(after) == set(before)
    assert {name for name in before if after[name] == before[name]} == set(before) - {"exact.nc"}
    log = (copy / "log.txt").read_text()
    assert log.count("== exact: ok") == 2
    assert log.count(f"== {SECOND}: ok") == 1


def test_a_resumed_comparison_says_the_same(copy, kept):
    assert main(["compare", *TWO, "--out", str(copy), "--resume"]) == 0
    again, before = read_document(copy), read_document(kept)
    for key in ("verdict", "reasons", "problem", "contenders", "parameters", "pairs", "predictions"):
        assert again[key] == before[key], key


@pytest.mark.parametrize("other", [["--seed", "1"], ["--prior", "beta ~ Normal(0, 1)"]])
def test_fits_of_another_problem_are_not_taken_up(copy, other):
    before = fits(copy)
    assert main(["compare", *TWO, *other, "--out", str(copy), "--resume"]) == 0
    after = fits(copy)
    assert all(after[name] != before[name] for name in before)


def test_another_margin_takes_up_all_fits(copy):
    before = fits(copy)
    assert main(["compare", *TWO, "--margin", "0.2", "--out", str(copy), "--resume"]) == 0
    assert fits(copy) == before
    assert read_document(copy)["settings"]["margin"] == 0.2


def test_a_damaged_fit_is_fitted_again(copy, kept):
    path = copy / "exact.nc"
    path.write_bytes(path.read_bytes()[:5000])
    assert main(["compare", *TWO, "--out", str(copy), "--resume"]) == 0
    assert read_document(copy)["parameters"] == read_document(kept)["parameters"]


def test_force_replaces_a_comparison(copy):
    (copy / "comparison.json").write_text("old")
    before = fits(copy)
    assert main(["compare", *TWO, "--seed", "1", "--out", str(copy), "--force"]) == 0
    assert all(fits(copy)[name] != before[name] for name in before)
    assert read_document(copy)["settings"]["seed"] == 1


def test_a_crash_keeps_the_others_fits(install, tmp_path):
    install("faulty")
    folder = tmp_path / "out"
    backends = ["--backends", "exact", "kills_its_process", "--quiet"]
    assert main(["compare", *backends, "--out", str(folder)]) == 4
    assert list(fits(folder)) == ["exact.nc"]
    assert "kills_its_process:nuts: failed its process ended by signal SIGKILL" in (folder / "log.txt").read_text()
    assert main(["show", str(folder)]) == 4


def test_a_chatty_backend_fills_the_log_and_not_the_report(install, tmp_path, capfd):
    install("faulty")
    folder = tmp_path / "out"
    main(["compare", "--backends", "chatters", "--reference", "none", "--out", str(folder), "--json", "-"])
    out, err = capfd.readouterr()
    assert json.loads(out)["contenders"][0]["status"] == "ok"
    assert err == ""
    log = (folder / "log.txt").read_text()
    assert log.count("straight to the descriptor") == 20_000
    assert log.count("not a number") == 20_000


def test_a_fit_is_put_in_place_by_a_rename(tmp_path, monkeypatch, exact):
    toy = problem.toy()
    (outcome,) = comparison.compare(toy, ["exact"]).outcomes
    with Archive(tmp_path / "out", toy, Settings(), resume=True) as archive:
        monkeypatch.setattr("pathlib.Path.replace", lambda self, target: None)
        archive.keep(outcome, "")
        assert fits(tmp_path / "out") == {}
        assert archive.stored(outcome.contender, exact) is None


def test_what_is_stored_is_the_outcome(tmp_path, exact):
    toy = problem.toy()
    (outcome,) = comparison.compare(toy, ["exact"]).outcomes
    with Archive(tmp_path / "out", toy, Settings(), resume=True) as archive:
        assert archive.stored(outcome.contender, exact) is None
        archive.keep(outcome, "")
        stored = archive.stored(outcome.contender, exact)
        assert (archive.remarks, archive.unkept) == ([], [])
    np.testing.assert_array_equal(stored.posterior.draws["beta"], outcome.posterior.draws["beta"])
    np.testing.assert_array_equal(
        stored.posterior.moments.unconstrained_cov, outcome.posterior.moments.unconstrained_cov
    )
    assert stored.posterior.moments.log_evidence == outcome.posterior.moments.log_evidence
    np.testing.assert_array_equal(stored.predictions.mean, outcome.predictions.mean)
    assert stored.seconds == outcome.seconds
    assert stored.peak_memory_bytes == outcome.peak_memory_bytes


def test_different_contenders_have_different_files(tmp_path):
    contenders = [Contender("exact", Exact()), Contender("exact", Exact(500)), Contender("exact", Exact(5))]
    contenders += [Contender("other", Exact()), Contender("other", Exact(500))]
    with Archive(tmp_path / "out", problem.toy(), Settings()) as archive:
        assert len({archive.path(c) for c in contenders}) == len(contenders)
        archive.keep(Outcome(contenders[0], "failed", "for a reason"), "its log")
    assert fits(tmp_path / "out") == {}
    assert "== exact: failed for a reason\nits log" in (tmp_path / "out" / "log.txt").read_text()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"schema": "bayescore.comparison/99"}'])
def test_a_document_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(RequestError, match=r"comparison\.json"):
        read_document(tmp_path)
