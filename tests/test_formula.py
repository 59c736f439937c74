"""Formulas: their columns, offsets and weights, what is told, and what is refused."""

from decimal import Decimal

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
        ("y ~ (x + z) ** 2", ("x", "z", "x:z"), True),
        ("y ~ scale(log(x)) + scale(z) + scale(x + 1)", ("scale(log(x))", "scale(z)", "scale(x + 1)"), True),
        ("y ~ log(x) + log(x) + I(x / 2) + I(x / 3)", ("log(x)", "I(x / 2)", "I(x / 3)"), True),
        (
            "y ~ (x + I(z / 2)) * (passed + I(z / 3))",
            ("x", "I(z / 2)", "passed", "I(z / 3)", "x:passed", "x:I(z / 3)", "I(z / 2):passed", "I(z / 2):I(z / 3)"),
            True,
        ),
        ("y ~ g:x", ("g[a]:x", "g[b]:x", "g[c]:x"), True),
        ("y ~ C(passed, Sum)", ("C(passed, Sum)[0]",), True),
        ("y ~ I(x == 0.5)", ("I(x == 0.5)",), True),
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
        ("y ~ 0 + offset(x)", RequestError, "neither intercept nor columns"),
        ("y ~ x z", RequestError, "can't read.*'z' is out of place"),
        ("y ~ x == z", RequestError, "can't read.*'==' is out of place"),
        ("(y ~ x)", RequestError, "without parentheses"),
        ("y = x", RequestError, "no response"),
        ("y ~ x ** 2", RequestError, r"write.*I\(x \*\* 2\)|written I\(x \*\* 2\)"),
        ("y ~ (x) ** 2", RequestError, r"written I\(x \*\* 2\)"),
        ("y ~ x + 2", RequestError, "the number 2 is no term"),
        ("y ~ x + True", RequestError, "True is no term; a column of this name is written `True`"),
        ("y ~ x + False", RequestError, "False is no term"),
        ("y ~ x:True", RequestError, "True is no term"),
        ("True ~ x", RequestError, "the response True uses no column"),
        ("y ~ g['a']", RequestError, r"write I\(g == 'a'\)"),
        ("y ~ binary(g)", RequestError, r"write I\(x == 'level'\)"),
        ("y ~ proportion(passed, z)", RequestError, "is for a response"),
        ("y ~ (x)(z)", RequestError, "only a function's name can be called"),
        ("y ~ I(3)", RequestError, r"I\(3\) uses no column"),
        ("y ~ C(g, Treatment('q'))", RequestError, "fails on this table.*reference not in levels"),
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


def test_rows_keep_their_numbers_when_others_are_left_out():
    table = with_value("x", 0, np.nan)
    with pytest.raises(DataError, match=r"'log\(z - 1\)' is NaN or infinite in row 2:"):
        apply("y ~ x + log(z - 1)", table, drop_missing=True)


@pytest.mark.parametrize("where", ["y ~ x + (1 | g)", "y ~ x + offset(z)", "y ~ x + C(passed)"])
@pytest.mark.parametrize("column", ["g", "z", "passed", "w"])
def test_missing_values_are_found_in_every_column_that_is_used(where, column):
    table = TABLE.assign(w=1.0).astype({"passed": float})
    table.loc[4, column] = None
    if column != "w" and column not in where:
        assert apply(where, table, weights="w").data.rows == 6
        return
    with pytest.raises(DataError, match=f"column '{column}' is missing or infinite in row 5"):
        apply(where, table, weights="w")
    design = apply(where, table, weights="w", drop_missing=True)
    assert design.dropped == (5,)
    np.testing.assert_array_equal(design.data.y, [1, 2, 4, 3, 7])


def test_a_column_of_whole_numbers_neither_wraps_around_nor_overflows():
    table = pd.DataFrame({"y": [1.0, 2.0], "x": np.array([3, 200], dtype=np.uint8), "year": [2000, 2001]})
    data = apply("y ~ I(x - 5) + I(x + x) + I(year ** 6)", table).data
    np.testing.assert_allclose(data.x, [[-2, 6, 2000.0**6], [195, 400, 2001.0**6]])


@pytest.mark.parametrize(
    "values",
    [
        pd.array([3, 1, 2], dtype="Int64"),
        pd.array([3.0, 1.0, 2.0], dtype="Float64"),
        np.array([3, 1, 2], dtype=object),
        [Decimal(3), Decimal(1), Decimal(2)],
    ],
    ids=["Int64", "Float64", "object", "Decimal"],
)
def test_numbers_are_numbers_whatever_holds_them(values):
    data = apply("y ~ log(x)", pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": values})).data
    np.testing.assert_allclose(data.x[:, 0], np.log([3, 1, 2]))


@pytest.mark.parametrize(
    "values, message",
    [
        (pd.date_range("2020-01-01", periods=3), r"neither numbers nor text but datetime.*write C\(x\)"),
        ([b"a", b"b", b"c"], "neither numbers nor text"),
        ([1j, 2j, 3j], "complex"),
    ],
)
def test_what_is_neither_number_nor_text_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        apply("y ~ x", pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": values}))


@pytest.mark.parametrize(
    "name", ["Intercept", "Treatment", "Sum", "C", "True", "0", "a:b", "2 (x)", "log(x)", "class", "self"]
)
def test_a_column_may_have_any_name(name):
    table = TABLE.rename(columns={"x": name, "g": "Sum" if name == "Treatment" else "Treatment"})
    other = "Sum" if name == "Treatment" else "Treatment"
    data = apply(f"y ~ log(`{name}`) + `{name}` + C({other}, Treatment('b')) + C({other}, Sum):z", table).data
    columns = dict(zip(data.columns, data.x.T, strict=True))
    np.testing.assert_array_equal(columns[name], TABLE["x"])
    np.testing.assert_array_equal(columns[f"C({other}, Treatment('b'))[c]"], TABLE["g"] == "c")
    assert apply(f"`{name}` ~ 1", table).data.response == name
    assert apply(f"y ~ (1 | `{name}`)", table).groupings[0].factor == name


def test_a_column_of_text_may_have_the_name_of_a_coding():
    table = pd.DataFrame({"growth": [1.2, 2.3, 1.1, 2.9], "Treatment": ["ctl", "drug"] * 2})
    assert apply("growth ~ Treatment", table).data.columns == ("Treatment[drug]",)
    assert apply("growth ~ C(Treatment, Treatment('drug'))", table).data.x[:, 0].tolist() == [1, 0, 1, 0]


def test_names_with_spaces_are_quoted():
    data = apply("y ~ `the x` + log(`the x`)", TABLE.rename(columns={"x": "the x"})).data
    assert data.columns == ("the x", "log(the x)")
    np.testing.assert_array_equal(data.x[:, 0], TABLE["x"])


def test_the_table_stays_as_it_is():
    table = TABLE.assign(size=pd.Categorical(TABLE["g"], categories=["c", "b", "a", "z"], ordered=True))
    before = table.copy(deep=True)
    design = apply("passed ~ scale(x) + C(size) + (z | g)", table, weights="z", categorical_response=True)
    design.new(table)
    pd.testing.assert_frame_equal(table, before)


def test_nothing_is_printed(capsys):
    with pytest.raises(RequestError):
        apply("y ~ T(g, 'q')", TABLE)
    assert capsys.readouterr().out == ""


def test_an_offset_is_no_column():
    data = apply("y ~ x + offset(log(z))", TABLE).data
    assert data.columns == ("x",)
    np.testing.assert_allclose(data.offset, np.log(TABLE["z"]))
    assert apply("y ~ x", TABLE).data.offset is None


def test_offsets_are_added_up():
    data = apply("y ~ offset(z) + x + offset(-2)", TABLE).data
    np.testing.assert_array_equal(data.offset, TABLE["z"] - 2)


@pytest.mark.parametrize("formula", ["y ~ x + offset(exp(1000 * z))", "y ~ x + offset(log(z - 1))"])
def test_an_offset_that_overflows_is_refused(formula):
    with pytest.raises(DataError, match=r"offset\(.*\) overflows, or is no number, in row"):
        apply(formula, TABLE)


@pytest.mark.parametrize(
    "formula", ["y ~ x:offset(z)", "y ~ log(offset(z))", "y ~ x - offset(z)", "y ~ (offset(z) | g)"]
)
def test_an_offset_stands_by_itself(formula):
    with pytest.raises(RequestError, match="by themselves"):
        apply(formula, TABLE)


def test_weights_are_a_column():
    design = apply("y ~ x", TABLE, weights="z")
    np.testing.assert_array_equal(design.data.weights, TABLE["z"])
    assert apply("y ~ x", TABLE).data.weights is None
    assert design.notes == ("taken as numbers: x; as weights: z",)


@pytest.mark.parametrize(
    "weights, message",
    [
        ("w", "no column 'w' in the table"),
        ("g", r"column 'g' can't be weights: it is not numeric"),
        ("below", r"column 'below' can't be weights: it is negative in rows 2, 3"),
        ("zero", "all weights in column 'zero' are 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    table = TABLE.assign(below=[1, -1, -2, 0, 1, 1], zero=0.0)
    with pytest.raises(DataError, match=message):
        apply("y ~ x", table, weights=weights)


def test_what_columns_are_taken_for_is_told():
    table = TABLE.assign(age=[1, 2, 3, 4, 5, 1], many=np.arange(6.0) / 2, county=list("uvwuvw"))
    told = apply("y ~ x + age + scale(z) + many + C(passed) + g + (1 | county)", table).notes
    assert told == (
        "taken as numbers: x, age (5 different whole numbers: write C(age) for categories), z, many; "
        "as categories: passed (2 levels), g (3), county (3)",
        "reference levels: 0 of C(passed), a of g",
    )
    assert apply("y ~ 1", table).notes == ()


@pytest.mark.parametrize("values, hint", [([0, 1] * 10, False), ([0, 1, 2, 3] * 5, True), (range(20), False)])
def test_few_different_whole_numbers_may_be_categories(values, hint):
    table = pd.DataFrame({"y": np.arange(20.0), "n": values})
    assert ("write C(n)" in apply("y ~ n", table).notes[0]) is hint


def test_a_category_of_one_level_is_told_and_adds_no_column():
    design = apply("y ~ x + one", TABLE.assign(one="same"))
    assert design.data.columns == ("x",)
    assert "one has one level only (same)" in design.notes
    with pytest.raises(DataError, match=r"column 'one' has one level only \(same\): take it out of 'x:one'"):
        apply("y ~ x + x:one", TABLE.assign(one="same"))
