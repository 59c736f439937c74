"""What Monte Carlo error alone leaves open is settled by more draws: once, told, and kept."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import put_on_path

from bayescore.agreement.rule import Row, judge
from bayescore.cli import main
from bayescore.comparison.archive import Archive
from bayescore.comparison.asked import Asked
from bayescore.comparison.run import compare
from bayescore.methods import NUTS
from bayescore.settings import Settings
from bayescore.tables import problem

TOY = problem.toy()
FEW = Settings(NUTS(draws=400), seed=2)
"""Sixteen hundred draws leave errors of 0.025 sds: the interval of one mean or another reaches beyond 0.1."""


@pytest.fixture(autouse=True)
def enduring(monkeypatch):
    put_on_path(monkeypatch, "enduring")


def row(result, name):
    (found,) = (row for row in result.document["contenders"] if row["name"].startswith(name))
    return found


def test_more_draws_settle_it():
    open_still = compare(TOY, ["enduring"], replace(FEW, settle=False))
    assert open_still.verdict == "inconclusive" and "drawn_on" not in row(open_still, "enduring")
    assert "too-few-draws" in {reason["code"] for reason in open_still.document["reasons"]}
    result = compare(TOY, ["enduring"], FEW)
    found = row(result, "enduring")
    assert result.verdict == "agree"
    assert found["name"] == "enduring:nuts(draws=400)" and found["method"] == "nuts(draws=1600)"
    assert found["drawn_on"].startswith("400 draws a chain left the verdict open (exact and enduring:nuts(draws=400): ")
    assert found["drawn_on"].endswith("; 1600 are judged")
    assert f"drawn again: {found['drawn_on']}"[:60] in str(result).replace("\n", " ")
    assert found["seconds"]["compile"] == 1.0  # of both fits
    assert result.outcomes[-1].posterior.shape == (4, 1600)
    assert result.outcomes[0].contender.name == "exact" and not result.outcomes[0].drawn_on


def test_the_chains_begin_with_the_same_seeds():
    first, second = (compare(TOY, ["enduring"], s).outcomes[-1] for s in (replace(FEW, settle=False), FEW))
    assert first.contender.seeds(2) == second.contender.seeds(2)


def test_it_is_done_once():
    """A difference that lies at the margin stays open."""
    result = compare(TOY, ["shifted"], FEW)
    assert result.verdict == "inconclusive"
    assert row(result, "shifted")["drawn_on"].endswith("are judged")


def test_what_is_open_still_is_not_drawn_on_when_it_is_taken_up(tmp_path):
    for _ in range(2):
        with Archive(tmp_path / "out", TOY, FEW, resume=True) as archive:
            found = row(compare(TOY, ["shifted"], FEW, archive=archive), "shifted")
            assert found["drawn_on"].startswith("400 draws") and found["method"] == "nuts(draws=1600)"


def test_where_longer_chains_can_t_be_had_the_first_ones_stand():
    result = compare(TOY, ["tiring"], replace(FEW, seed=5))
    assert result.verdict == "inconclusive"
    assert (row(result, "tiring")["status"], row(result, "tiring")["method"]) == ("ok", "nuts(draws=400)")


def test_a_smoke_run_is_not_drawn_on():
    assert "drawn_on" not in row(compare(TOY, ["enduring"], replace(FEW, smoke=True)), "enduring")


def test_what_was_drawn_on_is_kept_and_taken_up(tmp_path):
    def run():
        with Archive(tmp_path / "out", TOY, FEW, resume=True) as archive:
            result = compare(TOY, ["enduring"], FEW, archive=archive)
            assert not archive.remarks
        return result

    first, again = run(), run()
    np.testing.assert_array_equal(
        again.outcomes[-1].posterior.draws["beta"], first.outcomes[-1].posterior.draws["beta"]
    )
    assert again.document["contenders"] == first.document["contenders"]
    assert again.verdict == "agree"


def test_the_command_has_a_flag_for_it(capsys):
    asked = ["compare", "--backends", "enduring", "--method", "nuts(draws=400)", "--seed", "2", "--quiet"]
    assert main(asked) == 0
    assert main([*asked, "--no-settle"]) == 3


def test_the_rates_of_both_looks_together():
    """docs/agreement.md has them: of 4000 each, for one quantity and errors of 0.04 at the first look."""
    rng = np.random.default_rng(0)
    found = {true: {"agree": 0, "disagree": 0, "inconclusive": 0} for true in (0.0, 0.1)}
    for true, counts in found.items():
        for one, more in rng.normal(0.0, 0.04, (4000, 2)):
            verdict = judge([Row("x", "mean", true + one, 0.04)]).verdict
            if verdict == "inconclusive":  # twice the draws, the first among them
                verdict = judge([Row("x", "mean", true + (one + more) / 2, 0.04 / 2**0.5)]).verdict
            counts[verdict] += 1
    assert found[0.0]["agree"] > 0.95 * 4000 and found[0.0]["disagree"] == 0
    assert found[0.1]["agree"] < 0.1 * 4000 and found[0.1]["disagree"] < 0.02 * 4000


def test_it_is_a_keyword_too_and_no_setting_is_forgotten_there():
    assert set(Asked.__annotations__) >= set(Settings.declared)
    assert compare(TOY, ["enduring"], FEW, settle=False).verdict == "inconclusive"
