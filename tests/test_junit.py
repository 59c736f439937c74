"""JUnit XML: as its readers want it, and never green where the exit code is not 0."""

import copy
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import yaml
from conftest import ROOT, USABLE
from hypothesis import given, settings
from hypothesis import strategies as st
from keep_documents import CASES, stored

from bayescore.agreement.verdict import EXIT_CODES
from bayescore.cli import main
from bayescore.report.junit import junit

STORED = {name: stored(name) for name in CASES}
ATTRIBUTES = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"name", "tests"}),
    "properties": (set(), set()),
    "property": ({"name", "value"}, {"name", "value"}),
    "testcase": ({"name", "classname", "time"}, {"name", "classname"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"message"}, set()),
}
"""Those that an element of Jenkins' junit-10.xsd may have and we write, and those that it must have."""
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["failure", "error", "skipped"],
}


def valid(text):
    """The root of an XML, once it is found to be as the schema has it."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        may, must = ATTRIBUTES[element.tag]
        assert must <= set(element.attrib) <= may
        tags = [child.tag for child in element]
        order = CHILDREN.get(element.tag, [])
        assert set(tags) <= set(order)
        assert tags == sorted(tags, key=order.index)
    (suite,) = root
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
    assert all(len(case) <= 1 and float(case.get("time")) >= 0 for case in cases)
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    return suite


def ended(suite):
    """By class and name how each case ended, and by which code."""
    return {
        (case.get("classname").removeprefix("bayescore."), case.get("name")): (case[0].tag, case[0].get("type"))
        if len(case)
        else ("passed", None)
        for case in suite.findall("testcase")
    }


@pytest.mark.parametrize("name", CASES)
def test_it_is_green_only_where_the_exit_code_is_0(name):
    document = STORED[name]
    suite = valid(junit(document))
    found = ended(suite)
    wrong = [case for case, (how, _) in found.items() if how in {"failure", "error"}]
    assert bool(wrong) == bool(EXIT_CODES[document["verdict"]])
    assert (found["verdict", "verdict"][0] == "passed") == (document["verdict"] == "agree")
    assert {name for kind, name in found if kind == "contender"} == {c["name"] for c in document["contenders"]}
    assert len([1 for kind, _ in found if kind == "pair"]) == len(document["pairs"])
    text = "".join(suite.itertext())
    assert all(reason["text"] in text for reason in document["reasons"] if document["verdict"] != "agree")


def test_what_became_of_each_is_told():
    assert ended(valid(junit(STORED["another model"]))) == {
        ("contender", "exact"): ("passed", None),
        ("contender", "other_prior:nuts"): ("failure", "different-model"),
        ("contender", "numeric:nuts"): ("passed", None),
        ("pair", "exact and other_prior:nuts"): ("failure", "disagree"),
        ("pair", "exact and numeric:nuts"): ("passed", None),
        ("pair", "other_prior:nuts and numeric:nuts"): ("failure", "disagree"),
        ("verdict", "verdict"): ("failure", "disagree"),
    }
    lost = ended(valid(junit(STORED["not run"])))
    assert lost["contender", "lost:nuts"] == ("error", "failed")
    assert lost["contender", "absent:nuts"] == ("error", "missing")
    assert lost["verdict", "verdict"] == ("error", "incomplete")
    points = ended(valid(junit(STORED["points"])))
    assert points["pair", "exact and exact:map"] == ("skipped", None)
    assert {how for how, _ in points.values()} == {"passed", "skipped"}
    ailing = ended(valid(junit(STORED["hierarchy"])))
    assert ailing["contender", "walker:metropolis(warmup=200, draws=300)"] == ("failure", "unconverged")


def test_times_are_those_of_contenders():
    document = copy.deepcopy(STORED["guides"])
    document["contenders"][1]["seconds"] = {"import": 1.0, "fit": 2.25, "predict": None}
    suite = valid(junit(document))
    assert [case.get("time") for case in suite.findall("testcase")][:3] == ["0.000", "3.250", "0.000"]
    assert suite.get("time") == "3.250"


@settings(max_examples=50, deadline=None)
@given(text=st.text(min_size=1))
def test_any_text_gives_an_xml_that_can_be_read(text):
    document = copy.deepcopy(STORED["not run"])
    document["problem"]["formula"] = document["contenders"][1]["error"] = document["reasons"][0]["text"] = text
    document["contenders"][1]["name"] = f"<&\"']]>{text}"
    suite = valid(junit(document))
    kept = "".join(
        c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    assert any(case.get("name") == f"<&\"']]>{kept}" for case in suite.findall("testcase"))
    document["verdict"] = "agree"  # whatever an older or a stranger's document says
    assert not any(how in {"failure", "error"} for how, _ in ended(valid(junit(document))).values())


@pytest.fixture
def alone(only_core, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ["compare", "--backends", "exact", "exact:exact(draws=2000)", "--quiet"]


def test_it_is_written_by_compare_and_by_show(alone, tmp_path):
    assert main([*alone, "--junit", "a.xml", "--json", "a.json", "--out", "kept"]) == 0
    assert main(["show", "kept", "--junit", "b.xml"]) == 0
    text = (tmp_path / "a.xml").read_text()
    assert text == (tmp_path / "b.xml").read_text() == junit(json.loads((tmp_path / "a.json").read_text()))
    valid(text)
    kept = (tmp_path / "kept" / "comparison.json").read_bytes()
    assert main(["show", "kept", "--junit", "kept/comparison.json"]) == 2
    assert (tmp_path / "kept" / "comparison.json").read_bytes() == kept


@pytest.mark.parametrize(
    "given, said",
    [
        (["--junit", "there/is/none.xml"], "can't write 'there/is/none.xml': name a file in a folder that is there"),
        (["--junit", "."], "can't write '.'"),
        (["--junit", "one", "--json", "./one"], "--json and --junit name the same file: name two"),
        (["--junit", "-"], "only --json can be -"),
    ],
)
def test_a_file_that_cant_be_written_is_found_before_any_fit(alone, capsys, monkeypatch, given, said):
    monkeypatch.setattr("bayescore.comparison.run.compare", lambda *_, **__: pytest.fail("it was fitted"))
    assert main([*alone, *given]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"bayescore: {said}")
    assert err.count("\n") == 1


def test_one_that_can_be_written_no_more_is_told_by_the_exit_code(alone, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bayescore.system.writing.check", lambda path: None)
    assert main([*alone, "--junit", "gone/a.xml"]) == 73
    assert "gone/a.xml" in capsys.readouterr().err


PAGE = ROOT / "docs" / "ci.md"


def block(kind, number=0):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), flags=re.S)[number]


def test_the_workflow_of_the_page_runs_and_keeps_what_it_writes(tmp_path):
    """Its commands are run but for the installation; the steps after them take what they write, whatever they find."""
    workflow = yaml.safe_load(block("yaml"))
    assert set(workflow) == {"name", True, "jobs"}  # YAML takes on for true
    (job,) = workflow["jobs"].values()
    assert job["runs-on"] == "ubuntu-latest"
    runs = [step["run"] for step in job["steps"] if "run" in step]
    uploads = [step for step in job["steps"] if {"path", "files"} & set(step.get("with", {}))]
    assert all(step["if"] == "${{ !cancelled() }}" for step in uploads)
    commands = [line for run in runs for line in run.strip().splitlines() if line.startswith("bayescore ")]
    assert [command.split()[1] for command in commands] == ["programs", "compare"]
    if not {"pyro", "numpyro"} <= set(USABLE):
        pytest.skip("needs pyro and numpyro")
    folder = tmp_path / "repository"
    (folder / "models").mkdir(parents=True)
    names = re.findall(r"`(models/[\w.]+)`", PAGE.read_text())
    kinds = [("python", 0), ("python", 1), ("json", 0), ("toml", 0)]
    assert len(names) == len(kinds)
    for name, (kind, number) in zip(names, kinds, strict=True):
        (folder / name).write_text(block(kind, number))
    written = []
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command.split()], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        name = command.split("--junit ")[1].split()[0]
        assert {how for how, _ in ended(valid((folder / name).read_text())).values()} == {"passed"}
        written.append(name)
    assert len(uploads) == 2
    for step in uploads:
        taken = (step["with"].get("path") or step["with"]["files"]).split()
        assert all(any((folder / name).match(one) for one in taken) for name in written)
