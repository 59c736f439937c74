"""What lies in a folder may be damaged, mixed up, stale or made up: no draw of it is taken on trust."""

import json
import pickle
import shutil
from dataclasses import replace
from hashlib import sha256

import h5py
import numpy as np
import pytest
from conftest import put_on_path

from bayescore.cli import main
from bayescore.comparison import provenance
from bayescore.comparison.archive import Archive, read_document
from bayescore.comparison.contender import parse
from bayescore.comparison.run import compare
from bayescore.plugins import loading
from bayescore.settings import Settings
from bayescore.tables.problem import toy

SECOND = "exact:exact(draws=5000)"
SETTINGS = Settings()
TWO = ["compare", "--backends", "exact", SECOND, "--quiet"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(loading.RESTRICT, "")
        assert main([*TWO, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def copy(kept, tmp_path, only_core):
    return shutil.copytree(kept, tmp_path / "copy")


def believed(folder, name):
    """Put a changed file on the list, as if it had been written so."""
    with (folder / ".bayescore").open("a") as marker:
        marker.write(f"\n{name} {sha256((folder / name).read_bytes()).hexdigest()}")


def refused(folder, settings=SETTINGS, problem=None):
    """The contenders whose stored fits would be made again, by why."""
    registry = loading.load()
    with Archive(folder, problem or toy(), settings, resume=True) as archive:
        names = [name for name in ("exact", SECOND) if archive.stored(parse(name, registry), registry["exact"]) is None]
        again = dict(remark.split(": fitted again: ") for remark in archive.remarks)
    assert list(again) == names
    assert all(why in (folder / "log.txt").read_text() for why in again.values())
    return again


def test_what_is_whole_is_taken_up_without_a_word_and_nothing_is_unpickled(copy, kept, capsys, monkeypatch):
    def refuse(*given, **named):
        raise AssertionError("something was unpickled")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr("bayescore.comparison.handover.read", refuse)
    assert main([*TWO[:-1], "--out", str(copy), "--resume"]) == 0
    assert capsys.readouterr().err == ""
    assert read_document(copy)["parameters"] == read_document(kept)["parameters"]


def test_what_is_damaged_is_fitted_again_and_that_is_said(copy, kept, capsys):
    path = copy / "exact.nc"
    path.write_bytes(path.read_bytes()[:5000])
    assert main([*TWO[:-1], "--out", str(copy), "--resume"]) == 0
    assert capsys.readouterr().err == "bayescore: exact: fitted again: exact.nc is not as it was written\n"
    assert refused(copy) == {}
    assert read_document(copy)["parameters"] == read_document(kept)["parameters"]


DAMAGES = {
    "cut": lambda content: content[:5000],
    "empty": lambda content: b"",
    "a flipped bit in the draws": lambda content: content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:],
    "text": lambda content: b"not a netCDF file",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_fitted_again(copy, damage):
    path = copy / "exact.nc"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert refused(copy) == {"exact": "exact.nc is not as it was written"}


def drop(path, *names):
    with h5py.File(path, "a") as file:
        for name in names:
            del file[name]


def attribute(path, name, value):
    with h5py.File(path, "a") as file:
        file["bayescore"].attrs[name] = value


def fill(path, name, value, at=(0, 0)):
    with h5py.File(path, "a") as file:
        file[name][at] = value


def without(path, key):
    with h5py.File(path, "a") as file:
        record = json.loads(file["bayescore"].attrs["record"])
        del record[key]
        file["bayescore"].attrs["record"] = json.dumps(record)


def entry(path, key, value):
    with h5py.File(path, "a") as file:
        record = json.loads(file["bayescore"].attrs["record"])
        file["bayescore"].attrs["record"] = json.dumps(record | {key: value})


WRONG = {
    "no draws of a site": lambda p: drop(p, "posterior/beta"),
    "no posterior": lambda p: drop(p, "posterior"),
    "no record": lambda p: drop(p, "bayescore"),
    "no predictions": lambda p: drop(p, "bayescore/predictions_sd"),
    "no moments": lambda p: drop(p, "moments/sd"),
    "a record without seconds": lambda p: without(p, "seconds"),
    "a record without a model": lambda p: without(p, "model"),
    "a record without attempts": lambda p: without(p, "attempts"),
    "attempts of no fit": lambda p: entry(p, "attempts", [{"target_accept": 0.8, "divergences": 3, "seconds": 1.0}]),
    "attempts of other fields": lambda p: entry(p, "attempts", [{"target": 0.8}]),
    "attempts in words": lambda p: entry(p, "attempts", [{"target_accept": "0.8", "divergences": 3, "seconds": 1.0}]),
    "attempts that are a number": lambda p: entry(p, "attempts", 3),
    "a record that is a list": lambda p: attribute(p, "record", "[]"),
    "a record that is no JSON": lambda p: attribute(p, "record", "{"),
    "a model of other fields": lambda p: attribute(p, "record", '{"seconds": {}, "peak_memory_bytes": 1, "score": {}, '
                                                   '"model": {"a": 1}}'),
    "dependencies that are a list": lambda p: attribute(p, "depends", "[]"),
    "NaN draws": lambda p: fill(p, "posterior/intercept", np.nan),
    "infinite draws": lambda p: fill(p, "posterior/beta", np.inf, (0, 0, 0)),
    "NaN predictions": lambda p: fill(p, "bayescore/predictions_mean", np.nan, 0),
    "NaN moments": lambda p: fill(p, "moments/mean", np.nan, 0),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_is_not_what_a_fit_hands_over_is_fitted_again(copy, wrong):
    WRONG[wrong](copy / "exact.nc")
    believed(copy, "exact.nc")
    assert list(refused(copy)) == ["exact"]


def test_a_contenders_file_is_not_another_contenders(copy):
    second = next(path for path in copy.glob("*.nc") if path.name != "exact.nc")
    shutil.copy(copy / "exact.nc", second)
    assert refused(copy) == {SECOND: f"{second.name} is not as it was written"}
    shutil.copy(copy / "exact.nc", second)
    believed(copy, second.name)
    assert refused(copy) == {SECOND: "the contender is another one"}


OTHERS = {
    "reduce": (Settings(reduce=False), toy()),
    "seed": (Settings(seed=1), toy()),
    "precision": (Settings(precision="float32"), toy()),
    "data": (SETTINGS, toy(seed=1)),
    "rows to predict": (SETTINGS, replace(toy(), new_data=toy(n=99).data)),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_problem_is_another_fit(copy, other):
    assert refused(copy, *OTHERS[other]) == dict.fromkeys(("exact", SECOND), "the problem is another one")


def test_what_changes_no_fit_is_no_other_problem(copy):
    assert refused(copy, Settings(margin=0.2, alpha=0.02, jobs=1, cores=1, timeout=100.0, reference="none")) == {}


@pytest.mark.parametrize("library", ["numpy", "scipy", "bayescore", "autograd"])
def test_another_version_of_a_library_is_another_fit(copy, monkeypatch, library):
    known = provenance.release
    monkeypatch.setattr(provenance, "release", lambda name: "99.1" if name == library else known(name))
    why = f"{library} was {known(library)} and is 99.1"
    assert refused(copy) == {"exact": why, SECOND: why}


def test_another_python_is_another_fit(copy, monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.99")
    assert "Python was 3.1" in refused(copy)["exact"]


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A copy of the tiny plugin that may be changed, and what it depends on."""
    put_on_path(monkeypatch, "tiny")
    folder = shutil.copytree(plugins_folder("tiny"), tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def plugins_folder(name):
    from conftest import ROOT

    return ROOT / "tests" / "plugins" / name


def depends():
    registry = loading.load()
    return provenance.of_fit(parse("tiny", registry), registry["tiny"], "a problem")


def other_code(folder):
    with (folder / "bayescore_tiny.py").open("a") as file:
        file.write("# changed\n")
    return "the plugin is another one"


def other_version(folder):
    (folder / "bayescore_tiny-0.1.dist-info").rename(folder / "bayescore_tiny-0.2.dist-info")
    metadata = folder / "bayescore_tiny-0.2.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("0.1", "0.2"))
    return "bayescore-tiny was 0.1 and is 0.2, the plugin is another one"


def other_requirement(folder):
    with (folder / "bayescore_tiny-0.1.dist-info" / "METADATA").open("a") as file:
        file.write("Requires-Dist: rich>=1\nRequires-Dist: pytest; extra == 'dev'\n")
    return "markdown-it-py was absent"


def another_file(folder):
    """One that the plugin is installed with, beside its module."""
    (folder / "helper.py").write_text("STEP = 2.38\n")
    (folder / "bayescore_tiny-0.1.dist-info" / "RECORD").write_text("bayescore_tiny.py,,\nhelper.py,,\n")
    return "the plugin is another one"


@pytest.mark.parametrize("change", [other_code, other_version, other_requirement, another_file])
def test_a_plugin_that_has_changed_makes_another_fit(stranger, change):
    before = depends()
    assert provenance.difference(before, depends()) is None
    said = change(stranger)
    assert said in provenance.difference(before, depends())


def test_a_stranger_is_taken_up_until_its_file_changes(stranger, tmp_path):
    settings, few = Settings(reference="none"), "tiny:metropolis(warmup=20, draws=50)"

    def run():
        with Archive(tmp_path / "out", toy(), settings, resume=True) as archive:
            compare(toy(), [few], settings, archive=archive)
            return archive.remarks

    assert run() == run() == []
    text = (stranger / "bayescore_tiny.py").read_text()
    (stranger / "bayescore_tiny.py").write_text(text.replace("2.38", "2.40"))
    (remark,) = run()
    assert remark.endswith("fitted again: the plugin is another one")


def test_what_the_contract_refuses_of_a_fit_it_refuses_of_a_stored_one(tmp_path, only_core):
    """A posterior is stored as it comes; it is looked at again when it is taken up."""
    registered = loading.load()["exact"]
    (outcome,) = compare(toy(), ["exact:exact(draws=50)"], Settings(reference="none")).outcomes
    with Archive(tmp_path / "out", toy(), Settings(), resume=True) as archive:
        assert archive.stored(outcome.contender, registered) is None
        for site, values in (("beta", np.full((1, 50, 1), np.nan)), ("intercept", np.zeros((1, 49)))):
            draws = {**outcome.posterior.draws, site: values}
            archive.keep(replace(outcome, posterior=replace(outcome.posterior, draws=draws)), "")
            assert archive.stored(outcome.contender, registered) is None, site
        archive.keep(outcome, "")
        assert archive.stored(outcome.contender, registered) is not None
        assert len(archive.remarks) == 2
