"""Documents are what they were, to the last digit but for another processor's rounding (`keep_documents`)."""

import copy
from typing import get_args

import pytest
from conftest import USABLE
from keep_documents import CASES, KEPT, ROUNDING, bench, differences, made, path, places, stored

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.agreement.verdict import EXIT_CODES
from bayescore.methods import Kind


@pytest.fixture(scope="module")
def _bench():
    with bench():
        yield


@pytest.mark.usefixtures("_bench")
@pytest.mark.parametrize("name", CASES)
def test_a_comparison_has_the_document_that_was_kept(name: str):
    """Meant to be another? ``python tests/keep_documents.py`` says what differs, and keeps it."""
    case = CASES[name]
    if not set(case.needs) <= set(USABLE):
        pytest.skip(f"it needs {' and '.join(case.needs)}")
    assert list(differences(stored(name), made(case), case.rounding)) == []


def test_every_reason_kind_status_and_verdict_is_among_them():
    documents = [stored(name) for name in CASES]
    pairs = [pair for document in documents for pair in document["pairs"]]
    contenders = [row for document in documents for row in document["contenders"]]
    of_programs = {"missing-site", "observed-on-one-side", "different-shape", "different-support", "reparametrized"}
    codes = {reason["code"] for at in (*documents, *pairs) for reason in at["reasons"]}
    assert codes == set(EXPLANATIONS) - of_programs  # which tests/test_programs.py makes
    assert {document["verdict"] for document in documents} == set(EXIT_CODES)
    assert {row["kind"] for row in contenders if row["kind"]} == set(get_args(Kind)) - {"independent"}
    assert {row["status"] for row in contenders} == {"ok", "unsupported", "missing", "failed"}
    assert {row["statistic"] for pair in pairs for row in pair["rows"]} >= {
        "mean", "sd", "sd_in_family", "shape", "shape_in_family", "rank"
    }  # fmt: skip


def test_no_document_is_kept_that_nobody_makes():
    assert {file.name for file in KEPT.glob("*.json")} == {path(name).name for name in CASES}


def _changed(value):
    """The smallest change of a figure that is no rounding's; another text, flag or null."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + 3 * ROUNDING * max(1.0, abs(value))
    return value + 1 if isinstance(value, int) else 0.0 if value is None else f"{value}."


def test_whatever_changes_is_found():
    kept = stored("points")
    every = list(places(kept))
    assert len(every) > 300
    for place, value in every:
        found = copy.deepcopy(kept)
        at = found
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = _changed(value)
        assert len(list(differences(kept, found, ROUNDING))) == 1, place
        if isinstance(at, dict):
            del at[place[-1]]
        else:
            at.pop()
        assert len(list(differences(kept, found, ROUNDING))) == 1, place


def test_the_last_digit_is_found_where_it_is_asked_for():
    kept = stored("chains")
    found = copy.deepcopy(kept)
    found["parameters"][0]["mean"] *= 1 + 2**-52
    assert list(differences(kept, found, ROUNDING)) == []
    (line,) = differences(kept, found, 0.0)
    assert line.startswith("parameters[0].mean: ")
