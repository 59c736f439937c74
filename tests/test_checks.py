"""Delicate data give warnings that name the columns; a posterior that does not exist is an error."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems

from bayescore.errors import DataError
from bayescore.model.data import Data, from_arrays
from bayescore.tables.default_priors import state
from bayescore.tables.remarks import check

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=30), RNG.normal(size=30)
NORMAL = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}
FLAT = {"intercept": "Flat()", "beta": "Flat()"}


def warnings_of(columns, priors=NORMAL, family="Gaussian(sigma=1)", y=None, intercept=True):
    x = np.column_stack(list(columns.values()))
    y = A + RNG.normal(size=len(x)) if y is None else y
    priors = {name: prior for name, prior in priors.items() if intercept or name != "intercept"}
    data = from_arrays(x, y, columns=tuple(columns))
    return check(state(family, data, priors, intercept=intercept), data)


def test_ordinary_columns_give_no_warning():
    assert warnings_of({"a": A, "b": B}) == []
    far = {"a": 1e6 + A, "b": B - 1e6}
    assert warnings_of(far, NORMAL | {"intercept": "AtMeans(Normal(0, 10))"}) == []


def test_constant_columns_are_named():
    (text,) = warnings_of({"a": A, "same": np.full(30, 7.3), "zero": np.zeros(30)})
    assert text.startswith("constant columns: same, zero;")


def test_a_constant_column_without_an_intercept_is_none():
    assert warnings_of({"a": A, "one": np.ones(30)}, intercept=False) == []


@pytest.mark.parametrize("intercept", [True, False])
def test_dependent_columns_are_named_with_those_they_depend_on(intercept):
    (text,) = warnings_of({"a": A, "b": B, "other": RNG.random(30), "sum": A + B}, intercept=intercept)
    assert text == "collinear columns: sum is a linear combination of a, b"


def test_a_dummy_for_every_category_depends_on_the_intercept():
    groups = np.arange(30) % 3
    dummies = {f"g{k}": (groups == k).astype(float) for k in range(3)}
    (text,) = warnings_of(dummies)
    assert text == "collinear columns: g2 is a linear combination of g0, g1"


def test_nearly_dependent_columns_are_named():
    (text,) = warnings_of({"a": A, "b": B, "near": A + 0.01 * RNG.normal(size=30)})
    assert text == "collinear columns: near is nearly a linear combination of a"


def test_very_different_scales_are_named():
    (text,) = warnings_of({"a": A, "huge": 1e8 * B})
    assert text.startswith("columns on very different scales: a (sd ")
    assert "huge (sd " in text


def test_more_columns_than_rows_are_fine_with_normal_priors():
    columns = {f"x{j}": RNG.normal(size=5) for j in range(8)}
    found = warnings_of(columns, y=np.arange(5.0))
    assert all(text.startswith("collinear columns: x") for text in found)


@pytest.mark.parametrize(
    "columns, priors, message",
    [
        ({f"x{j}": RNG.normal(size=5) for j in range(8)}, FLAT, r"9 coefficients with Flat\(\) priors and only 5 rows"),
        ({"a": A, "twice": 2 * A}, FLAT, "the columns a, twice have Flat"),
        ({"a": A, "same": np.ones(30)}, FLAT, "same is constant like the intercept"),
        ({"a": A, "b": B, "sum": A + B}, NORMAL | {"beta": "Flat()"}, "the columns a, b, sum have Flat"),
    ],
)
def test_an_improper_posterior_is_refused(columns, priors, message):
    rows = len(next(iter(columns.values())))
    with pytest.raises(DataError, match=f"the posterior is improper: .*{message}"):
        warnings_of(columns, priors, y=np.arange(float(rows)))


def test_one_normal_prior_among_dependent_columns_is_enough():
    assert warnings_of({"a": A, "twice": 2 * A}, FLAT | {"beta[twice]": "Normal(0, 1)"}) != []


def test_a_zero_column_with_a_flat_prior_is_improper():
    with pytest.raises(DataError, match="improper"):
        warnings_of({"a": A, "zero": np.zeros(30)}, {"intercept": "Normal(0, 1)", "beta": "Flat()"})


@pytest.mark.parametrize("other", [A + 5.0, np.full(30, 2.0)], ids=["shifted", "constant"])
def test_what_an_intercept_with_a_normal_prior_tells_apart_is_proper(other):
    warnings = warnings_of({"a": A, "other": other}, {"intercept": "Normal(0, 1)", "beta": "Flat()"})
    assert len(warnings) == 1
    assert "other" in warnings[0]


def test_a_response_outside_the_support_is_refused():
    with pytest.raises(DataError, match="must be 0 or 1"):
        warnings_of({"a": A}, family="bernoulli", y=np.arange(30.0))


CATEGORIES = ("low", "mid", "high")


def warnings_of_categories(family, columns, priors):
    x = np.column_stack(list(columns.values()))
    data = Data(x, np.random.default_rng(1).permutation(np.arange(30) % 3.0), tuple(columns), categories=CATEGORIES)
    return check(state(family, data, priors), data)


@pytest.mark.parametrize("family", ["ordinal", "categorical"])
def test_a_constant_column_of_a_response_with_categories_is_named(family):
    """Thresholds take the intercept's place."""
    (text,) = warnings_of_categories(family, {"a": A, "same": np.full(30, 7.3)}, {})
    assert text.startswith("constant columns: same;")


@pytest.mark.parametrize(
    "family, priors",
    [
        ("ordinal", {"beta": "Flat()", "threshold": "Flat()"}),
        ("categorical", {"beta": "Flat()", "intercept": "Flat()"}),
        ("categorical", {"beta[high,same]": "Flat()", "intercept[high]": "Flat()"}),
        ("ordinal", {"beta": "Flat()"}),
        ("ordinal", {"beta": "Flat()", "threshold[1]": "Flat()"}),
        ("categorical", {"beta": "Flat()", "intercept[mid]": "Normal(0, 5)"}),
    ],
)
def test_flat_priors_of_a_constant_column_are_improper_for_any_level(family, priors):
    with pytest.raises(DataError, match="improper: same is constant like the intercept"):
        warnings_of_categories(family, {"a": A, "same": np.ones(30)}, priors)


@pytest.mark.parametrize(
    "family, priors",
    [
        ("ordinal", {"beta": "Flat()", "threshold[1]": "Normal(0, 5)", "threshold[2]": "Flat()"}),
        ("ordinal", {"beta": "Flat()", "threshold[2]": "Normal(0, 5)"}),
        ("categorical", {"beta[high,same]": "Flat()", "intercept[high]": "Normal(0, 5)"}),
    ],
)
def test_one_proper_prior_is_enough_for_each_level(family, priors):
    assert len(warnings_of_categories(family, {"a": A, "same": np.ones(30)}, priors)) == 1


@pytest.mark.parametrize("family", ["ordinal", "categorical"])
def test_dependent_columns_with_flat_priors_are_improper_for_categories_too(family):
    with pytest.raises(DataError, match="the columns a, twice have Flat"):
        warnings_of_categories(family, {"a": A, "twice": 2 * A}, {"beta": "Flat()"})


def test_weights_are_taken_into_account():
    """Rows of weight 0 are not there: what varies in them alone is constant."""
    flag = np.where(np.arange(30) == 0, 1.0, 7.3)
    weights = np.where(np.arange(30) == 0, 0.0, 1.0)
    x = np.column_stack([A, flag])
    data = replace(from_arrays(x, B, columns=("a", "flag")), weights=weights)
    (text,) = check(state("Gaussian(sigma=1)", data, {}), data)
    assert text.startswith("constant columns: flag")
    with pytest.raises(DataError, match="improper: flag is constant like the intercept"):
        check(state("Gaussian(sigma=1)", data, {"beta": "Flat()", "intercept": "Flat()"}), data)


PROBLEMS = problems()


@pytest.mark.parametrize("name", PROBLEMS)
def test_ordinary_data_of_whatever_can_be_declared_give_no_warning(name):
    assert PROBLEMS[name].warnings == ()
