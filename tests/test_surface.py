"""What plugins may import stays: a name that is gone, or has another signature, breaks those of others."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import surface

PUBLIC = {"backend", "density", "errors", "methods", "model", "program", "system.cores", "system.processes"}
"""The rooms whose names plugins may import, if one of ours does."""
HOW = "meant to be another? Say so in the changelog, and write it down by 'python tests/surface.py'"


def gone() -> list[str]:
    """Lines that were written down and are no more."""
    return sorted(set(surface.KEPT.read_text().splitlines()) - set(surface.surface()))


def test_no_name_is_gone_and_no_signature_is_another():
    assert not gone(), HOW


def test_all_names_are_written_down():
    """Those of classes' members may be more."""
    kept = set(surface.KEPT.read_text().splitlines())
    for module, names in surface.imported().items():
        for name in names:
            assert next(iter(surface.described(module, name))) in kept, HOW


def test_the_page_has_the_names():
    assert surface.BEGIN + surface.table() + surface.END in surface.PAGE.read_text(), "python tests/surface.py"


@pytest.fixture
def other_core(tmp_path, monkeypatch):
    """A copy of the sources, to be changed: it has the same surface."""
    for folder in ("bayescore", "backends", "tests/plugins"):
        shutil.copytree(surface.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(surface, "ROOT", tmp_path)
    assert gone() == []

    def change(file: str, before: str, after: str) -> list[str]:
        path = tmp_path / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))
        surface._parsed.cache_clear()
        return gone()

    yield change
    surface._parsed.cache_clear()


BREAKS = {
    "backend.entry_of(": ("backend.py", "def entry_of(table:", "def entry_of(entries:"),
    "backend.Fit.native: Any": ("backend.py", "    native: Any\n", ""),
    "backend.Fit(regression, method, native)": ("backend.py", "    native: Any\n", "    native: Any\n    novel: int\n"),
    "density.coordinates": ("density/coordinates.py", "def for_method(", "def coordinates_for("),
    "model.sites.Independent.labels": ("model/variables.py", "    labels: tuple[str, ...]\n", ""),
    "methods.MAP.rates": ("methods/optimizers.py", "    def rates(self)", "    def all_rates(self)"),
}
"""By what is said to be gone: the file, and a change to it."""


@pytest.mark.parametrize("line", BREAKS)
def test_a_change_that_would_break_a_plugin_is_found(other_core, line):
    file, before, after = BREAKS[line]
    try:
        found = other_core(f"bayescore/{file}", before, after)
    except LookupError as error:  # our own plugins import it
        found = [str(error)]
    assert any(f"bayescore.{line}" in one for one in found), found


def test_a_new_member_is_no_change(other_core):
    assert other_core("bayescore/backend.py", "    native: Any\n", "    native: Any\n    new: int = 0\n") == []


def test_a_stranger_needs_nothing_else(tmp_path):
    """The example of a backend in the documentation is written with these names."""
    page = (surface.ROOT / "docs" / "backends.md").read_text()
    (example,) = re.findall(r"<!-- backend -->\n```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    taken, ours = surface.imported([str(tmp_path)]), surface.imported()
    assert taken
    assert all(names <= ours[module] for module, names in taken.items()), taken


def test_import_linter_forbids_all_other_rooms():
    contracts = tomllib.loads((surface.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["name"] == "A backend imports what a third party may")
    forbidden = {module.removeprefix("bayescore.") for module in contract["forbidden_modules"]}
    rooms = {_room(path) for path in (surface.ROOT / "bayescore").glob("[a-z]*")} - {"system", "exact", None}
    rooms |= {f"system.{path.stem}" for path in (surface.ROOT / "bayescore" / "system").glob("[a-z]*.py")}
    assert forbidden == rooms - PUBLIC
    assert all(any(f"{m}.".startswith(f"bayescore.{room}.") for room in PUBLIC) for m in surface.imported())


def _room(path: Path) -> str | None:
    return path.stem if path.suffix == ".py" or (path / "__init__.py").is_file() else None
