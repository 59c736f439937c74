"""What a report says, apart from how it looks; and that it looks as it did."""

import copy
import re
import subprocess
import sys
from contextlib import suppress

import msgspec
import pytest
from conftest import of_its_types
from keep_documents import CASES, path, places, stored

from bayescore.report.content import content
from bayescore.report.terminal import render

SHOWN = ("guides of raw columns", "chains", "points", "not run", "categories", "another model")
"""Documents whose report in a terminal is kept beside them."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_report_looks_as_it_did(name):
    """Meant to look otherwise? ``python tests/test_report.py`` keeps it."""
    assert render(stored(name), width=100) == path(name).with_suffix(".txt").read_text()


def texts(said):
    """Every text of a report's content, in its order."""
    yield said.statement.data
    yield from said.statement.model
    yield from said.statement.notes
    yield from said.statement.warnings
    for short_and_whole in said.legend:
        yield from short_and_whole
    for section in said.sections:
        yield from section.texts
        for word_and_meaning in section.words:
            yield from word_and_meaning
    yield said.conclusion.sentence
    yield from said.conclusion.remarks


@pytest.mark.parametrize("name", CASES)
def test_a_terminal_says_what_the_content_says_in_its_order(name):
    shown = render(stored(name), width=10_000, full=True)
    at = 0
    for text in texts(content(stored(name))):
        found = shown.find(text, at)
        assert found >= 0, text
        at = found + len(text)
    assert stored(name)["verdict"].upper() in shown


def short(document):
    """The same with two entries of what there are many of."""
    lists = ("parameters", "predictions")
    pairs = [pair | {"rows": pair["rows"][:2]} for pair in document["pairs"]]
    return document | {key: document[key][:2] for key in lists} | {"pairs": pairs}


@pytest.mark.parametrize("name", CASES)
def test_whatever_may_be_null_can_be_shown(name):
    """A figure that is NaN is null in a document: one of each key, wherever the schema allows it."""
    kept, seen = short(stored(name)), set()
    for place, value in places(kept):
        key = re.sub(r"\d+", "", str(place))
        if key in seen or value is None:
            continue
        seen.add(key)
        changed = copy.deepcopy(kept)
        at = changed
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = None
        with suppress(msgspec.ValidationError):  # null is not of its types
            of_its_types(changed)
            assert not any("None" in text for text in texts(content(changed))), place


def test_the_content_needs_no_terminal():
    code = "import sys, bayescore.report.content; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


if __name__ == "__main__":
    for shown in SHOWN:
        path(shown).with_suffix(".txt").write_text(render(stored(shown), width=100))
