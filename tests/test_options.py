"""An option is declared in one place, and everything else follows from there."""

import argparse
import json
import re
import tomllib
from dataclasses import dataclass
from typing import Annotated, TypedDict, get_type_hints

import conftest
import msgspec
import pytest
from conftest import ROOT
from msgspec import Meta

from bayescore.cli import flags, main, request
from bayescore.cli.output import Output
from bayescore.cli.request import PARTS
from bayescore.cli.study import Measurement
from bayescore.comparison.provenance import of_problem
from bayescore.errors import RequestError
from bayescore.options import Option, Options, in_json
from bayescore.report.document import Document
from bayescore.settings import Settings
from bayescore.tables.problem import toy

CLASSES = [*PARTS.values(), Output, Measurement]
PAGE = ROOT / "docs" / "options.md"


@dataclass(frozen=True)
class More(Settings):
    """Settings with some that nothing else knows of."""

    thinning: Annotated[
        int, Meta(ge=1, le=50, description="a whole number from 1 to 50"), Option("draws a kept one", "N")
    ] = 1
    steps: Annotated[tuple[int, ...], Option("of the test")] = ()
    careful: Annotated[bool, Option("look 100 % twice")] = True
    note: Annotated[str | None, Option("of whoever asks", fits_stay=True)] = None


def with_more(written):
    """A document, held against its types where these settings are declared."""
    keys = {**get_type_hints(Document, include_extras=True), "settings": in_json("SettingsEntry", More)}
    msgspec.json.decode(json.dumps(written), type=TypedDict("Wider", keys))
    return written


@pytest.fixture
def more(monkeypatch, tmp_path):
    monkeypatch.setitem(PARTS, "settings", More)
    monkeypatch.setattr(request, "Settings", More)
    monkeypatch.setattr(conftest, "of_its_types", with_more)
    monkeypatch.chdir(tmp_path)
    return tmp_path


RUN = ["compare", "--backends", "exact", "--reference", "none", "--quiet"]


@pytest.mark.usefixtures("only_core")
def test_an_option_that_is_declared_is_a_flag_a_key_and_in_what_is_kept(more):
    given = ["--thinning", "3", "--steps", "4", "5", "--no-careful", "--note", "50 % of it"]
    assert main([*RUN, *given, "--out", "kept"]) == 3
    document = json.loads((more / "kept" / "comparison.json").read_text())
    wanted = {"thinning": 3, "steps": [4, 5], "careful": False, "note": "50 % of it"}
    assert wanted.items() <= document["settings"].items()
    kept = tomllib.loads((more / "kept" / "problem.toml").read_text())
    assert {"thinning": 3, "steps": [4, 5], "no_careful": True, "note": "50 % of it"}.items() <= kept.items()
    assert main(["compare", "kept/problem.toml", "--thinning", "7", "--quiet", "--json", "again.json"]) == 3
    again = json.loads((more / "again.json").read_text())
    assert again["settings"] == document["settings"] | {"thinning": 7}


@pytest.mark.usefixtures("only_core")
def test_its_wrong_values_are_refused_wherever_they_come_from(more, capsys):
    said = "thinning must be a whole number from 1 to 50, not 51"
    with pytest.raises(RequestError, match=f"^{said}$"):
        More(thinning=51)
    assert main([*RUN, "--thinning", "51"]) == 2
    assert capsys.readouterr().err == f"bayescore: {said}\n"
    (more / "problem.toml").write_text("thinning = 51")
    assert main(["compare", "problem.toml"]) == 2
    assert capsys.readouterr().err == f"bayescore: 'problem.toml': {said}\n"
    (more / "problem.toml").write_text("careful = false")
    assert main(["compare", "problem.toml"]) == 2
    assert "unknown key 'careful'; did you mean 'no_careful'?" in capsys.readouterr().err


def test_its_help_and_its_rows_are_made_from_it(more, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--thinning N draws a kept one (default: 1)" in told
    assert "--no-careful look 100 % twice" in told
    assert "| `--thinning` | `thinning` | a whole number from 1 to 50 | 1 | draws a kept one |" in flags.markdown(More)
    assert "| `--no-careful` | `no_careful` |  |  | look 100 % twice |" in flags.markdown(More)
    assert "thinning\n        draws a kept one." in More.__doc__


def test_fits_depend_on_it_unless_it_says_otherwise():
    problem = toy(5)
    known = of_problem(problem, More())
    assert of_problem(problem, More(thinning=2)) != known
    assert of_problem(problem, More(note="x")) == known


def test_fits_depend_on_what_they_always_did():
    assert {name for name, option in Settings.declared.items() if not option.said.fits_stay} == {
        "seed",
        "precision",
        "reduce",
    }


def bounds(kind):
    """The bounds within a type, however deep."""
    parts = [*getattr(kind, "__metadata__", ()), *getattr(kind, "__args__", ()), getattr(kind, "__origin__", None)]
    return {found for part in parts for found in ({part} if isinstance(part, Meta) else bounds(part) if part else ())}


NUMBERS = [option for cls in CLASSES for option in cls.declared.values() if option.plain in {int, float}]


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.name)
def test_numbers_are_held_to_the_bounds_that_are_said(option):
    (meta,) = bounds(option.kind)
    said = option.wanted.replace("positive", "0").replace("2**63", str(2**63))
    numbers = [float(text) for text in re.findall(r"[\d.e+]*\d", said)]
    for bound, at, beyond in ((meta.ge, 0, -1), (meta.gt, 1, 0), (meta.le, 0, 1), (meta.lt, -1, 0)):
        if bound is not None:
            step = 1 if option.plain is int else max(1e-9, abs(bound) * 1e-9)
            assert option.check(bound + at * step) == bound + at * step
            with pytest.raises(RequestError, match=f"^{option.name} must be "):
                option.check(bound + beyond * step)
            assert min(abs(number - bound) for number in numbers) <= 1e-5 * abs(bound), said


@pytest.mark.parametrize("cls", CLASSES)
def test_every_option_has_words_and_its_default_is_taken(cls):
    cls()
    for option in cls.declared.values():
        assert option.wanted
        assert option.check(option.default) == option.default
        assert not option.said.help.endswith(".")


@pytest.mark.parametrize("cls", CLASSES)
def test_no_flag_is_given_without_being_asked_for(cls):
    parser = argparse.ArgumentParser()
    flags.add(parser, cls)
    assert flags.given(parser.parse_args([]), cls) == {}


def test_no_name_stands_for_two_options():
    names = [name for cls in (*PARTS.values(), Output) for name in cls.declared]
    assert len(names) == len(set(names))


def test_a_field_without_an_option_is_none():
    @dataclass(frozen=True)
    class Plain(Options):
        """With one of each."""

        given: Annotated[int, Option("as it is")] = 3
        other: object = None

    assert set(Plain.declared) == {"given"}
    assert "other" not in Plain.__doc__


@pytest.mark.parametrize("title, cls", [*PARTS.items(), ("result", Output)])
def test_the_page_of_options_is_the_declared_one(title, cls):
    found = re.search(rf"<!-- {title} -->\n(.*?)\n<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert found
    assert found[1] == flags.markdown(cls), "run 'python tests/test_options.py'"


if __name__ == "__main__":
    page = PAGE.read_text()
    for title, cls in {**PARTS, "result": Output}.items():
        before, rest = page.split(f"<!-- {title} -->\n")
        page = f"{before}<!-- {title} -->\n{flags.markdown(cls)}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    PAGE.write_text(page)
