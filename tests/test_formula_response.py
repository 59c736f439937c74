"""The response of a formula: numbers, one level, proportions, categories."""

import re

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.tables.formula import apply

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "z": [2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
        "g": ["a", "b", "c", "a", "b", "c"],
        "passed": [0, 1, 0, 1, 1, 0],
    }
)


def test_a_level_stands_against_the_rest():
    np.testing.assert_array_equal(apply("g['b'] ~ x", TABLE).data.y, [0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(apply("passed['0'] ~ x", TABLE).data.y, [1, 0, 1, 0, 0, 1])
    yes = TABLE.assign(yes=TABLE["passed"] == 1)
    np.testing.assert_array_equal(apply("yes['True'] ~ x", yes).data.y, TABLE["passed"])
    np.testing.assert_array_equal(apply("yes ~ x", yes).data.y, TABLE["passed"])


@pytest.mark.parametrize(
    "formula, message",
    [
        ("g['q'] ~ x", r"the response 'g' has no level 'q' \(levels: a, b, c\)"),
        ("g ~ x", r"'g' has 3 categories \(a, b, c\); a number is needed"),
        ("C(passed) ~ x", r"write passed\['1'\] ~"),
        ("poly(y, 2) ~ x", "one number a row"),
        ("log(g['a']) ~ x", "stand by themselves"),
        ("offset(y) ~ x", "right side"),
        ("y:z ~ x", "no meaning in a response"),
        ("y + g ~ x", "g is not made of numbers"),
        ("2 ~ x", "uses no column"),
    ],
)
def test_a_response_that_is_no_number_is_refused(formula, message):
    with pytest.raises(RequestError, match=message) as caught:
        apply(formula, TABLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["proportion", "prop", "p"])
def test_a_proportion_is_successes_of_trials(name):
    data = apply(f"{name}(passed, z) ~ x", TABLE).data
    np.testing.assert_array_equal(data.y, TABLE["passed"])
    np.testing.assert_array_equal(data.trials, TABLE["z"])
    assert data.response == f"{name}(passed, z)"
    np.testing.assert_array_equal(apply(f"{name}(passed, 9) ~ x", TABLE).data.trials, [9] * 6)


@pytest.mark.parametrize("response", ["p(passed)", "p(log(y), z)", "p(passed, z, x)", "p(passed, trials=z)"])
def test_a_proportion_is_of_two_columns(response):
    with pytest.raises(RequestError, match=r"write proportion\(y, n\)"):
        apply(f"{response} ~ x", TABLE)


PRE, POST = np.array([1, 2, 2.5, 1.5, 4]), np.array([2.5, 4, 7, 8, 5])


@pytest.mark.parametrize(
    "response, name, wanted",
    [
        ("(post - pre)", "post - pre", POST - PRE),
        ("I(post - pre)", "I(post - pre)", POST - PRE),
        ("log(post) - log(pre)", "log(post) - log(pre)", np.log(POST / PRE)),
        ("post**2", "post ** 2", POST**2),
        ("-post", "-post", -POST),
        ("-post ** 2 / (pre + 1)", "-post ** 2 / (pre + 1)", -(POST**2) / (PRE + 1)),
        ("post - pre - 1", "post - pre - 1", POST - PRE - 1),
        ("post - (pre - 1)", "post - (pre - 1)", POST - PRE + 1),
        ("post + pre", "post + pre", POST + PRE),
        ("post > 4.5", "post > 4.5", POST > 4.5),
        ("2 ** pre ** 2", "2 ** pre ** 2", 2 ** (PRE**2)),
        ("post // 2 + post % 2", "post // 2 + post % 2", POST // 2 + POST % 2),
        ("1e-2 * post", "0.01 * post", POST / 100),
    ],
)
def test_arithmetic_of_the_response_is_computed(response, name, wanted):
    data = apply(f"{response} ~ 1", pd.DataFrame({"pre": PRE, "post": POST})).data
    assert data.response == name
    np.testing.assert_allclose(data.y, wanted)


@pytest.mark.parametrize("column", ["my y", "y", "True", "2y", "class"])
@pytest.mark.parametrize("levels", [["no", "yes"], ["it's", "so"], ['"', "'"], ["a", "tab\t\\n"], ["n", "ü"]])
def test_the_advice_for_a_text_can_be_typed(column, levels):
    table = pd.DataFrame({column: levels * 3, "x": np.arange(6.0)})
    with pytest.raises(DataError) as caught:
        apply(f"`{column}` ~ x", table)
    advised = re.search(r"write (.*) ~ \.\.\.$", str(caught.value))[1]
    np.testing.assert_array_equal(apply(f"{advised} ~ x", table).data.y, [0, 1] * 3)


SIZES = ["mid", "low", "high", "low", "mid", "mid"]


@pytest.mark.parametrize(
    "values, categories, coded",
    [
        (SIZES, ("high", "low", "mid"), [2, 1, 0, 1, 2, 2]),
        (pd.Categorical(SIZES), ("high", "low", "mid"), [2, 1, 0, 1, 2, 2]),
        (pd.Categorical(SIZES, ["low", "mid", "high"], ordered=True), ("low", "mid", "high"), [1, 0, 2, 0, 1, 1]),
        (pd.Categorical(SIZES, ["low", "no", "mid", "high"], ordered=True), ("low", "no", "mid", "high"),
         [2, 0, 3, 0, 2, 2]),
        ([5, 10, 1, 10, 5, 1], ("1", "5", "10"), [1, 2, 0, 2, 1, 0]),
        ([5.0, 10.0, 1.0, 10.0, 5.0, 1.0], ("1", "5", "10"), [1, 2, 0, 2, 1, 0]),
        ([True, False, False, True, True, True], ("False", "True"), [1, 0, 0, 1, 1, 1]),
    ],
    ids=["text", "category", "ordered", "empty level", "whole", "floats", "boolean"],
)  # fmt: skip
@pytest.mark.parametrize("response", ["r", "C(r)"])
def test_categories_are_numbered_in_order(response, values, categories, coded):
    design = apply(f"{response} ~ x", TABLE.assign(r=values), categorical_response=True)
    assert design.data.categories == categories
    assert design.data.y.dtype == np.float64
    np.testing.assert_array_equal(design.data.y, coded)
    assert f"in this order: {', '.join(categories)}" in design.notes[-1]


@pytest.mark.parametrize(
    "formula, message",
    [
        ("x ~ z", "'x' can't be categories: it holds numbers that are not whole"),
        ("one ~ z", r"'one' has one category only \(1\)"),
        ("g['a'] ~ z", "write the column's name alone"),
        ("p(passed, z) ~ x", "write the column's name alone"),
    ],
)
def test_a_response_that_is_no_category_is_refused(formula, message):
    with pytest.raises(RequestError, match=message):
        apply(formula, TABLE.assign(one=1), categorical_response=True)
