"""Formulas: the design matrix, what is refused, and new rows."""

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.formula import apply

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "z": [2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
        "g": ["a", "b", "c", "a", "b", "c"],
        "passed": [0, 1, 0, 1, 1, 0],
    }
)


def with_value(column, row, value):
    table = TABLE.copy()
    table[column] = table[column].astype(object if isinstance(value, str) else float)
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    "formula, columns, intercept",
    [
        ("y ~ x", ("x",), True),
        ("y ~ x + z", ("x", "z"), True),
        ("y ~ 0 + x", ("x",), False),
        ("y ~ x:z", ("x:z",), True),
        ("y ~ x * z", ("x", "z", "x:z"), True),
        ("y ~ 1", (), True),
        ("y ~ g", ("g[b]", "g[c]"), True),
        ("y ~ C(passed)", ("C(passed)[1]",), True),
        ("y ~ log(x) + I(z ** 2)", ("log(x)", "I(z ** 2)"), True),
        ("y ~ scale(x)", ("scale(x)",), True),
    ],
)
def test_columns_are_named_and_the_intercept_is_apart(formula, columns, intercept):
    design = apply(formula, TABLE)
    assert design.data.columns == columns
    assert design.intercept is intercept
    assert design.data.x.shape == (6, len(columns))
    np.testing.assert_array_equal(design.data.y, TABLE["y"])
    assert design.data.response == "y"


def test_values_are_those_of_the_table():
    data = apply("y ~ log(x) + x:z + g", TABLE).data
    columns = dict(zip(data.columns, data.x.T, strict=True))
    np.testing.assert_allclose(columns["log(x)"], np.log(TABLE["x"]))
    np.testing.assert_allclose(columns["x:z"], TABLE["x"] * TABLE["z"])
    np.testing.assert_array_equal(columns["g[b]"], TABLE["g"] == "b")


def test_the_response_may_be_transformed():
    data = apply("log(y) ~ x", TABLE).data
    assert data.response == "log(y)"
    np.testing.assert_allclose(data.y, np.log(TABLE["y"]))


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ pd.read_csv('other.csv')",
        "y ~ np.log(x)",
        "y ~ open('f')",
        "y ~ __import__('os')",
        "y ~ eval('1')",
        "y ~ x.to_csv('stolen.csv')",
        "y ~ I(x.to_csv('stolen.csv'))",
        "y ~ {x.to_csv('stolen.csv')}",
        "y ~ I(pd.read_csv('other.csv'))",
        "y ~ log(open('f'))",
        "secret(y) ~ x",
    ],
)
def test_a_formula_sees_no_function_but_the_listed_ones(formula, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError) as caught:
        apply(formula, TABLE)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_formula_never_sees_the_callers_variables():
    secret = np.arange(6.0)
    with pytest.raises(DataError, match="no column 'secret'"):
        apply("y ~ secret", TABLE)
    assert secret.size == 6


@pytest.mark.parametrize(
    "formula, error, message",
    [
        ("y ~ w", DataError, r"no column 'w' in the table.*columns: y, x, z, g, passed"),
        ("y ~ passd", DataError, "did you mean 'passed'"),
        ("w ~ x", DataError, "no column 'w'"),
        ("y ~ lgo(x)", RequestError, "unknown function 'lgo'.*did you mean 'log'"),
        ("y ~ ", RequestError, "can't read the formula"),
        ("y ~ x +", RequestError, "can't read the formula"),
        ("y ~ (x", RequestError, "can't read the formula"),
        ("", RequestError, "formula"),
        ("x", RequestError, "no response"),
        ("y ~ 0", RequestError, "neither intercept nor columns"),
        ("y ~ x + (1 | g)", RequestError, "not yet offered"),
        ("y ~ offset(x)", RequestError, "not yet offered"),
        ("g ~ x", DataError, "'g'"),
        ("y ~ log(z - 1)", DataError, r"'log\(z - 1\)' is NaN or infinite in row 2"),
        ("log(y - 1) ~ x", DataError, "NaN or infinite in row 1"),
        ("y ~ log(g)", RequestError, "fails on this table"),
    ],
)
def test_a_wrong_formula_is_refused_with_a_reason(formula, error, message):
    with pytest.raises(error, match=message) as caught:
        apply(formula, TABLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["x", "y"])
def test_missing_and_infinite_values_are_refused_by_row(column, value):
    table = with_value(column, 3, value)
    with pytest.raises(DataError, match=f"column '{column}' is missing or infinite in row 4: .*--drop-missing"):
        apply("y ~ x", table)
    design = apply("y ~ x", table, drop_missing=True)
    assert design.dropped == (4,)
    assert design.data.rows == 5
    assert 3.5 not in design.data.x


def test_missing_values_in_columns_that_are_not_used_do_not_matter():
    assert apply("y ~ x", with_value("z", 3, np.nan)).data.rows == 6


def test_a_missing_category_is_refused_too():
    table = TABLE.copy()
    table.loc[1, "g"] = None
    with pytest.raises(DataError, match="column 'g' is missing or infinite in row 2"):
        apply("y ~ g", table)


def test_nothing_left_is_said():
    table = TABLE.assign(x=np.nan)
    with pytest.raises(DataError, match="no rows are left"):
        apply("y ~ x", table, drop_missing=True)
    with pytest.raises(DataError, match="no rows"):
        apply("y ~ x", TABLE.iloc[:0])


def test_text_in_a_numeric_column_is_refused_by_row():
    with pytest.raises(DataError, match=r"column 'x' is numeric but for text in row 3 \('two'\)"):
        apply("y ~ x", with_value("x", 2, "two"))


def test_only_five_rows_are_named():
    table = pd.DataFrame({"y": np.arange(20.0), "x": [np.nan] * 8 + [1.0] * 12})
    with pytest.raises(DataError, match="rows 1, 2, 3, 4, 5 and 3 more"):
        apply("y ~ x", table)


def test_a_column_named_twice_is_refused():
    table = TABLE.set_axis(["y", "x", "x", "g", "passed"], axis=1)
    with pytest.raises(RequestError, match="'x'"):
        apply("y ~ x", table)


def test_new_rows_take_the_stored_transforms_and_categories():
    design = apply("y ~ scale(x) + g", TABLE)
    new = design.new(pd.DataFrame({"x": [3.0, 10.0], "g": ["c", "a"]}))
    mean, sd = TABLE["x"].mean(), TABLE["x"].std(ddof=0)
    np.testing.assert_allclose(new.x[:, 0], (np.array([3.0, 10.0]) - mean) / sd)
    np.testing.assert_array_equal(new.x[:, 1:], [[0, 1], [0, 0]])
    assert new.y is None
    assert new.columns == design.data.columns


def test_new_rows_keep_their_response_where_they_have_one():
    new = apply("log(y) ~ x", TABLE).new(pd.DataFrame({"x": [1.0], "y": [np.e]}))
    np.testing.assert_allclose(new.y, [1.0])


def test_an_intercept_alone_predicts_any_rows():
    new = apply("y ~ 1", TABLE).new(pd.DataFrame({"anything": [1, 2, 3]}))
    assert new.x.shape == (3, 0)


@pytest.mark.parametrize(
    "rows, message",
    [
        ({"z": [1.0]}, "the new rows have no column 'x'"),
        ({"x": [np.nan], "g": ["a"]}, "column 'x' is missing or infinite in row 1"),
        ({"x": [1.0], "g": ["new"]}, "don't fit the formula"),
    ],
)
def test_wrong_new_rows_are_refused(rows, message):
    with pytest.raises(DataError, match=message):
        apply("y ~ x + g", TABLE).new(pd.DataFrame({"g": ["a"]} | rows))


def test_new_rows_go_through_a_formula_with_numbers_in_it() -> None:
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [100.0, 200.0, 300.0]})
    new = apply("y ~ I(x / 100)", table).new(pd.DataFrame({"x": [500.0]}))
    assert new.x.tolist() == [[5.0]]
    assert new.y is None
