"""The rule: three verdicts, its corrections, and how many more draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bayescore.agreement.rule import Row, judge


def rows(*pairs):
    return [Row(f"q{j}", "mean", difference, se) for j, (difference, se) in enumerate(pairs)]


@pytest.mark.parametrize(
    "pairs, verdict",
    [
        ([(0.0, 0.0)], "agree"),
        ([(0.1, 0.0)], "agree"),
        ([(0.1001, 0.0)], "disagree"),
        ([(0.05, 0.03)], "agree"),  # 0.05 + 1.645 * 0.03 = 0.09935
        ([(0.05, 0.031)], "inconclusive"),
        ([(-0.05, 0.03)], "agree"),
        ([(0.2, 0.05)], "inconclusive"),  # 0.2 - 2.576 * 0.05 = 0.071
        ([(0.2, 0.03)], "disagree"),  # 0.2 - 2.576 * 0.03 = 0.123, with 2.576 the normal quantile at 0.995
        ([(-0.2, 0.03)], "disagree"),
        ([(0.0, 0.01), (0.05, 0.031)], "inconclusive"),
        ([(0.0, 0.01), (0.2, 0.03)], "disagree"),
        ([(np.nan, 0.01)], "inconclusive"),
        ([(0.0, np.nan)], "inconclusive"),
        ([(0.0, np.inf)], "inconclusive"),
        ([(0.5, 0.01), (np.nan, np.nan)], "disagree"),
        ([], "inconclusive"),
    ],
)
def test_verdicts(pairs, verdict):
    assert judge(rows(*pairs)).verdict == verdict


def test_the_correction_grows_with_the_number_of_quantities():
    se = 0.03
    alone = 0.1 + norm.ppf(1 - 0.01 / 2) * se
    many = 0.1 + norm.ppf(1 - 0.01 / 40) * se
    assert judge(rows((alone + 1e-6, se))).verdict == "disagree"
    crowd = [(0.0, 0.01)] * 19
    assert judge(rows((alone + 1e-6, se), *crowd)).verdict == "inconclusive"
    assert judge(rows((many - 1e-6, se), *crowd)).verdict == "inconclusive"
    assert judge(rows((many + 1e-6, se), *crowd)).verdict == "disagree"


def test_holm_flags_the_second_row_where_bonferroni_would_not():
    se = 0.02
    first, second = 0.5, 0.1 + se * norm.ppf(1 - 0.0055 / 2)  # p = 0.0055: under alpha / 1 and over alpha / 2
    verdicts = [row.verdict for row in judge(rows((first, se), (second, se))).rows]
    assert verdicts == ["disagree", "disagree"]
    assert [row.verdict for row in judge(rows((0.0, se), (second, se))).rows] == ["agree", "inconclusive"]


@given(
    pairs=st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(0, 0.2)), min_size=1, max_size=8),
    margin=st.floats(0.01, 0.3),
)
@settings(deadline=None, max_examples=100)
def test_the_rule_is_symmetric_and_whole(pairs, margin):
    there, back = judge(rows(*pairs), margin=margin), judge(rows(*((-d, s) for d, s in pairs)), margin=margin)
    assert there.verdict == back.verdict
    assert there.more_draws == back.more_draws
    single = {row.verdict for row in there.rows}
    assert (there.verdict == "agree") == (single == {"agree"})
    if there.verdict == "disagree":
        assert "disagree" in single
    for row in there.rows:
        assert row.lower <= row.difference <= row.upper


@given(pairs=st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0, 0.1)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_a_wider_margin_never_turns_agreement_into_anything_else(pairs):
    if judge(rows(*pairs), margin=0.1).verdict == "agree":
        assert judge(rows(*pairs), margin=0.2).verdict == "agree"


def test_how_many_more_draws():
    judgement = judge(rows((0.05, 0.04), (0.0, 0.01)))
    assert judgement.verdict == "inconclusive"
    assert np.isclose(judgement.more_draws, ((1.645 + 1.28) * 0.04 / 0.05) ** 2)
    assert judgement.worst.quantity == "q0"


@pytest.mark.parametrize("pair", [(0.095, 0.02), (0.11, 0.05), (np.nan, 0.01), (0.0, np.inf)])
def test_no_number_of_draws_settles_what_lies_at_the_margin(pair):
    judgement = judge(rows(pair))
    assert judgement.verdict == "inconclusive"
    assert judgement.more_draws is None


def test_expected_rows_are_shown_and_do_not_count():
    expected = Row("beta", "sd", -0.7, 0.01, "expected", 0.5)
    judgement = judge([Row("beta", "mean", 0.0, 0.01), expected])
    assert judgement.verdict == "agree"
    assert judgement.rows[1] == expected


def test_false_alarms_keep_to_alpha_at_the_margin_itself():
    rng = np.random.default_rng(0)
    se, m, repetitions = 0.02, 5, 1500
    differences = 0.1 + se * rng.standard_normal((repetitions, m))  # truly at the margin: the worst case
    alarms = sum(judge(rows(*((d, se) for d in line)), alpha=0.05).verdict == "disagree" for line in differences)
    assert alarms / repetitions < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repetitions)
    agreed = sum(judge(rows(*((d, se) for d in line))).verdict == "agree" for line in differences)
    assert agreed / repetitions < 0.05


@pytest.mark.parametrize("alpha", [1e-10, 1e-300, 5e-324])
def test_no_alpha_is_too_small_for_a_difference_of_many_sds(alpha):
    judgement = judge(rows((9.8, 0.014)), alpha=alpha)
    assert (judgement.verdict, judgement.rows[0].verdict) == ("disagree", "disagree")


def test_what_lies_beyond_the_margin_is_settled_by_more_draws_too():
    judgement = judge(rows((0.9, 0.2)), alpha=1e-6)
    critical = norm.isf(0.5e-6)
    assert judgement.verdict == "inconclusive"
    assert np.isclose(judgement.more_draws, ((critical + 1.28) * 0.2 / 0.8) ** 2)


def test_a_row_has_a_margin_of_its_own_and_counts_for_all_that_it_stands_for():
    row = Row("q", "shape", 0.12, 0.01, tolerance=1.5)
    assert judge([row]).verdict == "agree"
    assert judge([replace(row, tolerance=1.0)]).verdict == "inconclusive"
    wide = replace(row, difference=0.15 + 0.01 * norm.isf(0.005) + 1e-6)
    assert judge([wide]).verdict == "disagree"
    assert judge([replace(wide, among=5)]).verdict == "inconclusive"
