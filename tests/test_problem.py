"""Stating a problem: the toy, default priors, tables, and the regression itself."""

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.model.data import from_arrays, toy_data
from bayescore.model.distributions import Normal
from bayescore.model.families import Gaussian
from bayescore.tables import problem


def test_the_toy_is_the_tutorials():
    table = toy_data(200, 2, 0.05, 3)
    rng = np.random.default_rng(3)
    x = rng.random((200, 2))
    np.testing.assert_array_equal(table[:, :2], x)
    np.testing.assert_allclose(table[:, 2], 1 + 3 * x.sum(axis=1) + 0.05 * rng.standard_normal(200))
    toy = problem.toy()
    assert toy.data.rows == 100
    assert toy.regression.family == Gaussian(sigma=0.1)
    assert toy.regression.intercept == Normal(0, 10)
    assert toy.regression.beta == (Normal(0, 10),)
    assert (toy.new_data.x.min(), toy.new_data.x.max(), toy.new_data.rows) == (6.0, 7.0, 20)
    np.testing.assert_allclose(toy.new_data.y, 3 * toy.new_data.x[:, 0] + 1)
    assert problem.toy(p=3).data.columns == ("x1", "x2", "x3")


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"p": 0}, {"n": 2.5}, {"noise_sd": -1}, {"noise_sd": np.nan}, {"seed": -1}]
)
def test_a_wrong_toy_is_refused(wrong):
    with pytest.raises(RequestError, match=f"toy: {next(iter(wrong))} must be"):
        toy_data(**wrong)


@pytest.mark.parametrize(
    "text, n", [("toy", 100), ("toy()", 100), ("toy(n=7)", 7), (" toy(n=7, p=2)".strip(), 7), ("toy (8)", 8)]
)
def test_toy_settings_are_read(text, n):
    assert problem.toy_settings(text).n == n


@pytest.mark.parametrize("path", ["toy.csv", "toys", "data/toy", "mytoy(1)"])
def test_a_path_is_no_toy(path):
    assert problem.toy_settings(path) is None


def some_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2)) * [1.0, 4.0]
    return from_arrays(x, 10 + 3 * rng.normal(size=50), columns=("a", "b"))


def test_a_constant_column_counts_with_its_size():
    data = from_arrays(np.column_stack([np.full(4, 1e7), np.arange(4.0)]), np.arange(4.0), columns=("same", "x"))
    stated = problem.from_data(data)
    assert stated.regression.beta[0] == Normal(0, 2.5 * data.y.std() / 1e7)
    assert stated.warnings[0].startswith("constant columns: same")


def test_a_table_states_a_problem_and_says_what_it_left_out():
    table = pd.DataFrame({"y": [1.0, 2.0, np.nan, 4.0, 6.0], "x": [0.5, 1.0, 2.0, 3.0, 5.0]})
    stated = problem.from_table("y ~ x", table, drop_missing=True, source="a test")
    assert stated.notes == ("taken as numbers: x", "left out 1 of 5 rows with missing values: row 3")
    assert stated.data.rows == 4
    assert stated.formula == "y ~ x"
    assert stated.new_data.rows == 4


def test_at_most_200_rows_are_predicted_by_default():
    x = np.arange(500.0)
    assert problem.from_data(from_arrays(x, np.sin(x))).new_data.rows == 200


@pytest.mark.parametrize(
    "x, y, message",
    [
        ([[1.0], [np.nan]], [0, 1], "column 'x' is NaN or infinite in row 2"),
        ([1.0, 2.0], [0, np.inf], "column 'y' is NaN or infinite in row 2"),
        ([1.0, 2.0], [0, 1, 2], r"the response has shape \(3,\)"),
        (["a", "b"], [0, 1], "must be made of numbers"),
        ([], [], "no rows"),
        (np.zeros((2, 2, 2)), [0, 1], r"shape \(row, column\)"),
    ],
)
def test_arrays_that_cant_be_used_are_refused(x, y, message):
    with pytest.raises(DataError, match=message):
        from_arrays(x, y)


def test_column_names_must_differ():
    with pytest.raises(DataError, match="different names"):
        from_arrays(np.ones((2, 2)), [1, 2], columns=("a", "a"))
