"""Which backends there are: discovery, guarded loading, restriction, and what a listing costs."""

import subprocess
import sys
import textwrap
import tomllib
import types
from dataclasses import replace
from importlib.metadata import distributions as on_disk
from importlib.metadata import version

import pytest
from conftest import ABSENT, EXPECTED, ROOT, USABLE
from declared import problems

from bayescore.backend import BackendInfo, everything
from bayescore.errors import MissingLibraryError, PluginError, RequestError
from bayescore.methods import METHODS, SVI
from bayescore.plugins import distributions, hook, loading
from bayescore.plugins.registry import Origin

MODULE = """
from bayescore.backend import BackendInfo, hookimpl

@hookimpl
def bayescore_backends():
    yield BackendInfo({declared})
"""
GOOD = "'{name}', lambda precision: None, frozenset({{'method:nuts'}})"


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Write a distribution as an installer does, and return the entry points of all that were written."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(loading.RESTRICT, raising=False)

    def write(name, declared=None, *, module=None, version="1.0", source=None, metadata=()):
        module = module or name.replace("-", "_")
        code = MODULE.format(declared=declared or GOOD.format(name=module)) if source is None else source
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "entry_points.txt").write_text(f"[bayescore]\n{module} = {module}\n")
        (info / "INSTALLER").write_text("conda\n")
        found = on_disk(path=[str(tmp_path)])
        return [entry for one in found for entry in one.entry_points if entry.group == distributions.GROUP]

    return write


def test_a_distribution_on_disk_is_found(distribution):
    registry = loading.load(distribution("fake-alpha", version="2.5"))
    registered = registry["fake_alpha"]
    assert (registered.origin.distribution, registered.origin.version) == ("fake-alpha", "2.5")
    assert registry.broken == ()


def test_it_is_found_through_the_environment_too(distribution, monkeypatch):
    distribution("fake-beta")
    monkeypatch.delenv(loading.RESTRICT, raising=False)
    registry = loading.load()
    assert {"exact", "fake_beta"} <= set(registry.backends)
    assert next(iter(registry.backends)) == "exact"


def test_two_distributions_with_one_backend_are_both_named(distribution):
    distribution("fake-one", GOOD.format(name="same"))
    registry = loading.load(distribution("fake-two", GOOD.format(name="same")))
    assert registry.backends == {}
    one, two = registry.broken
    assert (one.origin.distribution, two.origin.distribution) == ("fake-one", "fake-two")
    assert "'same' is declared by fake-two 1.0" in one.reason
    assert "'same' is declared by fake-one 1.0" in two.reason
    with pytest.raises(PluginError, match=r"fake-one is broken: .* of fake-two is broken: .* uninstall all but one"):
        registry["same"]


@pytest.mark.parametrize("name", ["exact", "pyro", "numpyro"])
def test_nobody_can_take_a_name_of_ours(distribution, name):
    entries = distribution("a-fake", GOOD.format(name=name))
    ours = [entry for entry in distributions.plugins() if entry.name == name]
    registry = loading.load([*entries, *ours])
    assert {n: r.origin.distribution for n, r in registry.backends.items()} == {e.name: e.dist.name for e in ours}
    (broken,) = registry.broken
    assert broken.origin.distribution == "a-fake"
    assert f"the name {name!r} belongs to bayescore" in broken.reason


def test_names_of_ours_are_what_the_core_installs_and_offers():
    """By its metadata, which an environment has from when it was made: if this fails, ``make setup``."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = dict.fromkeys(stated["entry-points"]["bayescore"], "bayescore")
    for extra, brought in stated["optional-dependencies"].items():
        names |= {extra: brought[0]} if brought[0].startswith("bayescore-") else {}
    assert distributions.reserved() == names
    assert set(EXPECTED) == set(names)


def test_a_name_of_ours_is_not_to_be_had_where_ours_is_absent(distribution, monkeypatch):
    monkeypatch.setattr(distributions, "required", lambda name, **which: ["pyarrow", "bayescore-new-engine"])
    entries = distribution("a-fake", GOOD.format(name="new_engine"))
    registry = loading.load(entries)
    assert registry.backends == {}
    assert registry.broken[0].reason == "the name 'new_engine' belongs to bayescore-new-engine"
    with pytest.raises(RequestError, match="'new_engine' is not installed: pip install bayescore-new-engine"):
        registry["new_engine"]


def test_a_strangers_extras_reserve_nothing(distribution):
    requires = ["Requires-Dist: bayescore-mine; extra == 'mine'"]
    distribution("bayescore-other", GOOD.format(name="other"), metadata=requires)
    registry = loading.load(distribution("a-fake", GOOD.format(name="mine")))
    assert set(registry.backends) == {"other", "mine"}


def test_a_distribution_without_a_name_is_one_of_unknown_name(distribution, tmp_path):
    entries = distribution("fake-anonymous")
    next(tmp_path.glob("*.dist-info/METADATA")).write_text("Metadata-Version: 2.1\n")
    assert str(loading.load(entries)["fake_anonymous"].origin) == "unknown distribution unknown version"
    assert all("unknown" not in name for name in distributions.versions())


def test_versions_are_of_the_plugins_that_are_there_and_of_what_they_require(distribution):
    ours = distributions.versions()
    requires = ["Requires-Dist: pluggy (>=1)", "Requires-Dist: not_there>1", "Requires-Dist: rich; extra == 'x'"]
    distribution("fake-versed", metadata=requires, version="7.5")
    found = distributions.versions()
    assert found == {**ours, "fake-versed": "7.5", "pluggy": version("pluggy"), "not-there": None}


def test_versions_are_told_of_all_that_ours_compute_with():
    libraries = {"pyro": {"bayescore-pyro", "torch", "pyro-ppl"}, "numpyro": {"bayescore-numpyro", "jax", "numpyro"}}
    known = {"bayescore", "numpy", "scipy", "autograd"}.union(*(libraries.get(name, set()) for name in USABLE))
    assert set(distributions.versions()) >= known
    assert all(distributions.versions()[name] for name in known)


@pytest.mark.parametrize(
    "declared, reason",
    [
        ("'x', lambda p: None, frozenset(), api_version=99", "written for interface version 99, this core has 1"),
        ("'Capital', lambda p: None, frozenset()", "'Capital' is not made of"),
        ("'with:colon', lambda p: None, frozenset()", "'with:colon' is not made of"),
        ("'x'", "TypeError"),
        ("'x', lambda p: None, 'method:nuts'", "supports"),
        ("'x', lambda p: None, {'method:nuts'}, default_method='nonsense'", "unknown method 'nonsense'"),
    ],
)
def test_a_wrong_declaration_is_a_broken_row(distribution, declared, reason):
    registry = loading.load(distribution("fake-wrong", declared))
    (broken,) = registry.broken
    assert broken.origin == Origin("fake_wrong", "fake_wrong", "fake-wrong", "1.0")
    assert reason in broken.reason
    with pytest.raises(PluginError, match="of fake-wrong is broken"):
        registry["fake_wrong"]


@pytest.mark.parametrize(
    "source, reason",
    [
        ("import a_library_that_is_not_there", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "declares no backend"),
        ("from bayescore.backend import hookimpl\n@hookimpl\ndef bayescore_backends(): return [1]", "no BackendInfo"),
        ("from bayescore.backend import hookimpl\n@hookimpl\ndef bayescore_backend(): return []", "bayescore_backend"),
    ],
)
def test_a_broken_module_never_hurts_the_others(distribution, source, reason):
    distribution("fake-good")
    registry = loading.load(distribution("fake-broken", source=source))
    assert list(registry.backends) == ["fake_good"]
    (broken,) = registry.broken
    assert reason in broken.reason
    assert "\n" not in broken.reason


@pytest.mark.parametrize(
    "chosen, names", [("fake_a", {"fake_a"}), (" fake_b , fake_a", {"fake_a", "fake_b"}), ("", set())]
)
def test_plugins_can_be_restricted_but_for_the_core(distribution, monkeypatch, chosen, names):
    distribution("fake-a")
    distribution("fake-b")
    monkeypatch.setenv(loading.RESTRICT, chosen)
    assert set(loading.load().backends) == {"exact"} | names


def test_a_plugin_that_is_left_out_is_not_even_imported(distribution, monkeypatch):
    distribution("fake-bomb", source="raise RuntimeError('imported')")
    monkeypatch.setenv(loading.RESTRICT, "")
    assert loading.load().broken == ()


def test_a_missing_library_is_told_with_what_to_install(distribution):
    declared = GOOD.format(name="heavy") + ", requires=('a_library_that_is_not_there',)"
    registered = loading.load(distribution("fake-heavy", declared))["heavy"]
    assert registered.missing == ("a_library_that_is_not_there",)
    with pytest.raises(
        MissingLibraryError,
        match="not installed here: install what holds a_library_that_is_not_there, as by pip install a_library",
    ):
        registered.make()


def test_a_folder_that_has_a_librarys_name_is_not_the_library(distribution, tmp_path):
    (tmp_path / "a_library_that_is_not_there").mkdir()
    declared = GOOD.format(name="heavy") + ", requires=('a_library_that_is_not_there',)"
    registered = loading.load(distribution("fake-heavy", declared))["heavy"]
    assert registered.missing == ("a_library_that_is_not_there",)


def test_a_misspelt_backend_gets_a_suggestion():
    with pytest.raises(RequestError, match=r"unknown backend 'exakt'; did you mean 'exact'\? \(installed: exact"):
        loading.load()["exakt"]


def test_refusals_are_the_plugins_own_sentences(distribution):
    declared = GOOD.format(name="x") + ", {'method:svi': 'upstream: no guides'}"
    info = loading.load(distribution("fake-gaps", declared))["x"].info
    assert info.refusal({"method:nuts"}) is None
    assert info.refusal({"method:svi"}) == "upstream: no guides"
    assert info.refusal({"method:svi", "family:Poisson"}) == "upstream: no guides; x does not declare 'family:Poisson'"


@pytest.mark.parametrize(("flags", "light"), [([], {"numpy", "autograd"}), (["--all"], set())])
def test_listing_the_backends_imports_no_tensor_library(flags, light):
    heavy = {"torch", "jax", "pyro", "numpyro", "pandas", "scipy.stats", "arviz_stats"} | light
    code = f"""
        import sys
        from bayescore.cli import main
        assert main(["backends", *{flags}]) == 0
        sys.exit(", ".join({heavy} & set(sys.modules)) or 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in USABLE:
        assert f"\n{name} " in done.stdout


def test_what_a_backend_can_not_is_told_by_its_gaps(backends):
    info = loading.load()[backends].info
    assert info.supports is None
    assert info.declared() == everything() - info.gaps.keys()
    assert set(info.gaps) <= everything()
    assert all(sentence.startswith(("not yet: ", "upstream: ", "never: ")) for sentence in info.gaps.values())
    assert f"method:{info.default_method}" in info.declared("method")


def test_everything_is_what_the_core_asks_for():
    """By the registries, and by all that problems and methods of the tests require."""
    asked = set().union(*(p.regression.requirements | p.data.requirements for p in problems().values()))
    chosen = (SVI(guide=print, batch_size=5), SVI(guide="full_rank"), *(method() for method in METHODS.values()))
    asked |= set().union(*(method.requirements for method in chosen))
    beside = {"precision:float64", "precision:float32", "feature:log_density", "feature:reduction", "feature:lift"}
    programs = {"feature:programs", "program:nuts", "program:svi", "program:own_guide"}
    assert asked | beside | programs == everything()


def test_a_broken_plugin_is_a_row_of_the_listing(install, capsys):
    from bayescore.cli import main

    install("broken")
    assert main(["backends"]) == 0
    out = capsys.readouterr().out
    assert "broken: RuntimeError: the licence server does not answer" in out
    assert "bayescore-broken" in out
    assert out.splitlines()[1].startswith("exact ")


def test_what_is_left_out_is_known():
    assert "exact" in USABLE
    assert not set(USABLE) & set(ABSENT)


def test_a_search_that_raises_finds_nothing(monkeypatch):
    """As `find_spec` does for a module that has no spec, and as others' finders may."""
    monkeypatch.setitem(sys.modules, "a_module_without_spec", types.ModuleType("a_module_without_spec"))
    assert hook._absent("a_module_without_spec")
    assert not hook._absent("json")


def test_what_is_declared_says_what_it_is():
    info = BackendInfo("mine", lambda precision: None, {"Gaussian", "method:nuts"})
    with pytest.raises(PluginError, match=r"declares 'Gaussian' without saying what it is .*'family:Gaussian'"):
        hook.check(info)
    hook.check(replace(info, supports={"family:Gaussian"}))
    near = replace(info, supports={"family:gaussian"})
    assert near.refusal({"family:Gaussian"}).endswith("(it declares 'family:gaussian': write 'family:Gaussian')")
