"""New rows: stored transforms, levels seen and not seen, what is there and what is not."""

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError
from bayescore.model.data import NEW_LEVEL
from bayescore.tables.formula import apply
from bayescore.tables.problem import from_table

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "z": [2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
        "g": ["a", "b", "c", "a", "b", "c"],
        "h": [1, 2, 1, 2, 1, 2],
    }
)


def test_new_rows_take_the_stored_transforms_and_categories():
    design = apply("y ~ scale(x) + g", TABLE)
    new = design.new(pd.DataFrame({"x": [3.0, 10.0], "g": ["c", "a"]}))
    mean, sd = TABLE["x"].mean(), TABLE["x"].std(ddof=0)
    np.testing.assert_allclose(new.x[:, 0], (np.array([3.0, 10.0]) - mean) / sd)
    np.testing.assert_array_equal(new.x[:, 1:], [[0, 1], [0, 0]])
    assert new.y is None
    assert new.columns == design.data.columns


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ center(x) + scale(z)",
        "y ~ poly(x, 3)",
        "y ~ bs(x, df=4)",
        "y ~ C(g, Sum):scale(x)",
        "y ~ C(h, Treatment(2)) * g",
        "y ~ I(g == 'b') + log(z)",
        "y ~ C(size) + x:size",
        "y ~ I(size > 'a')",
        "y ~ (poly(x, 2) | g) + (0 + size | h)",
        "y ~ x + offset(scale(z)) + (1 | g:h)",
        "scale(y) ~ x",
        "g['b'] ~ x",
        "p(h, z) ~ x",
    ],
)
def test_a_row_is_the_same_new_or_old_alone_or_among_others(formula):
    table = TABLE.assign(size=pd.Categorical(TABLE["g"], ["c", "a", "q", "b"], ordered=True))
    design = apply(formula, table)
    for rows in ([4], [2, 0], range(6)):
        new, old = design.new(table.iloc[list(rows)]), design.data.take(list(rows))
        np.testing.assert_allclose(new.x, old.x, atol=1e-12)
        np.testing.assert_allclose(new.y, old.y)
        for found, wanted in ((new.offset, old.offset), (new.trials, old.trials)):
            assert (found is None) == (wanted is None)
            if wanted is not None:
                np.testing.assert_allclose(found, wanted)
        for key, member in old.groups.items():
            np.testing.assert_array_equal(new.groups[key].index, member.index)
            np.testing.assert_allclose(new.groups[key].value, member.value, atol=1e-12)


def test_new_rows_keep_their_response_where_they_have_one():
    new = apply("log(y) ~ x", TABLE).new(pd.DataFrame({"x": [1.0], "y": [np.e]}))
    np.testing.assert_allclose(new.y, [1.0])


def test_trials_and_weights_are_taken_where_they_are():
    design = apply("p(h, z) ~ x", TABLE, weights="x")
    new = design.new(pd.DataFrame({"x": [1.0], "z": [4]}))
    assert (new.y, new.trials.tolist(), new.weights.tolist()) == (None, [4.0], [1.0])
    without = apply("p(h, z) ~ y", TABLE, weights="x").new(pd.DataFrame({"y": [1.0]}))
    assert (without.y, without.trials, without.weights) == (None, None, None)
    assert apply("p(h, 9) ~ x", TABLE).new(pd.DataFrame({"x": [1.0]})).trials.tolist() == [9.0]


def test_an_offset_is_needed_for_new_rows():
    design = apply("y ~ x + offset(log(z)) + offset(-1)", TABLE)
    np.testing.assert_allclose(design.new(pd.DataFrame({"x": [1.0], "z": [3.0]})).offset, [np.log(3) - 1])
    with pytest.raises(DataError, match="the new rows have no column 'z'"):
        design.new(pd.DataFrame({"x": [1.0]}))


def test_categories_of_the_response_are_those_of_the_data():
    design = apply("g ~ x", TABLE, categorical_response=True)
    new = design.new(pd.DataFrame({"x": [1.0, 2.0], "g": ["c", "b"]}))
    assert new.y.tolist() == [2.0, 1.0]
    assert new.categories == ("a", "b", "c")
    with pytest.raises(DataError, match=r"'g' has the category 'q' in row 2, which the data don't have"):
        design.new(pd.DataFrame({"x": [1.0, 2.0], "g": ["c", "q"]}))


def test_an_intercept_alone_predicts_any_rows():
    new = apply("y ~ 1", TABLE).new(pd.DataFrame({"anything": [1, 2, 3]}))
    assert new.x.shape == (3, 0)


def test_new_rows_go_through_a_formula_with_numbers_in_it() -> None:
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [100.0, 200.0, 300.0]})
    new = apply("y ~ I(x / 100)", table).new(pd.DataFrame({"x": [500.0]}))
    assert new.x.tolist() == [[5.0]]
    assert new.y is None


def test_the_index_of_new_rows_does_not_matter():
    design = apply("y ~ x + g + (1 | g)", TABLE)
    rows = TABLE.set_index(pd.Index([7, 7, 3, 9, 9, 0]))
    np.testing.assert_array_equal(design.new(rows).x, design.data.x)


def test_categories_that_are_computed_are_computed_of_new_rows():
    design = apply("y ~ C(x > 10)", pd.DataFrame({"y": [1, 2, 2.5, 3, 4.2], "x": [8, 9, 11, 12, 13]}))
    assert design.data.columns == ("C(x > 10)[True]",)
    assert design.new(pd.DataFrame({"x": [14, 3]})).x.tolist() == [[1.0], [0.0]]
    assert design.new(pd.DataFrame({"x": ["14"]}).astype(int)).x.tolist() == [[1.0]]


@pytest.mark.parametrize(
    "term, wanted",
    [
        ("scale(year)", (2004 - 2001.5) / np.sqrt(1.25)),
        ("I(year / 10)", 200.4),
        ("C(year > 2001)", 1.0),
        ("poly(year, 2)", [5 / np.sqrt(40), 5 / np.sqrt(8)]),
        ("year", 2004),
    ],
)
@pytest.mark.parametrize("new", [[2004], [2004.0], ["2004"]], ids=["whole", "float", "text"])
def test_a_call_works_on_numbers_where_the_column_is_a_factor_too(term, wanted, new):
    """Levels are matched afterwards: a year that no row has is new as a level, and a number to a call."""
    table = pd.DataFrame({"y": np.arange(8.0), "year": np.repeat([2000, 2001, 2002, 2003], 2)})
    design = apply(f"y ~ {term} + (1 | year)", table)
    found = design.new(pd.DataFrame({"year": new}))
    np.testing.assert_allclose(found.x[0], wanted)
    assert found.groups["1|year"].index.tolist() == [NEW_LEVEL]
    assert design.new(pd.DataFrame({"year": [2002]})).groups["1|year"].index.tolist() == [2]


def test_splines_outside_their_knots_warn():
    design = apply("y ~ bs(x, df=3) + (bs(z, knots=[3.5], degree=1) | g)", TABLE)
    assert design.warnings(TABLE) == ()
    rows = pd.DataFrame({"x": [1.0, 9.0, 0.0], "z": [2.0, 3.0, 9.0], "g": ["a", "b", "c"]})
    told = design.warnings(rows)
    assert told[0].startswith("bs(x, df=3) is continued outside its knots, from 0.5 to 5.5, in rows 2, 3")
    assert told[1].startswith("bs(z, knots=[3.5], degree=1) is continued outside its knots, from 1 to 6, in row 3")
    cubic = np.polynomial.Polynomial.fit(TABLE["x"], TABLE["x"] ** 3, 3)
    weights = np.linalg.lstsq(np.column_stack([np.ones(6), design.data.x]), cubic(TABLE["x"]), rcond=None)[0]
    np.testing.assert_allclose(np.column_stack([np.ones(3), design.new(rows).x]) @ weights, cubic(rows["x"]), atol=1e-8)
    assert from_table("y ~ bs(x, df=3)", TABLE, new_table=rows).warnings[-1].startswith("bs(x, df=3) is continued")


@pytest.mark.parametrize(
    "rows, message",
    [
        ({"z": [1.0]}, "the new rows have no column 'x'"),
        ({"x": [np.nan]}, "column 'x' is missing or infinite in row 1"),
        ({"x": [1.0], "g": [None]}, "column 'g' is missing or infinite in row 1"),
        ({"x": [1.0], "g": ["q"]}, r"column 'g' of the new rows has the level 'q' in row 1.*\(levels: a, b, c\)"),
        ({"x": ["much"], "g": ["a"]}, "column 'x' of the new rows is not numeric"),
        ({"x": [0.0], "g": ["a"]}, r"column 'log\(x\)' is NaN or infinite in row 1"),
        ({"x": [], "g": []}, "no new rows"),
    ],
)
def test_wrong_new_rows_are_refused(rows, message):
    with pytest.raises(DataError, match=message) as caught:
        apply("y ~ log(x) + g", TABLE).new(pd.DataFrame({"g": ["a"]} | rows))
    assert "\n" not in str(caught.value)


def test_a_new_level_of_a_call_is_named_by_its_column():
    with pytest.raises(DataError, match="column 'h' of the new rows has the level '3' in row 2"):
        apply("y ~ C(h)", TABLE).new(pd.DataFrame({"h": [1, 3]}))


def test_a_new_level_of_a_group_is_predicted_from_the_population():
    design = apply("y ~ x + (x | g) + (1 | h)", TABLE)
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0], "g": ["c", "c99", "a"], "h": [2, 1, 2]})
    new = design.new(rows)
    np.testing.assert_array_equal(new.groups["x|g"].index, [2, NEW_LEVEL, 0])
    np.testing.assert_array_equal(new.groups["x|g"].value, [1, 2, 3])
    np.testing.assert_array_equal(new.groups["1|h"].index, [1, 0, 1])
    assert design.new_levels(rows) == ("g: new level(s) c99 predicted from the population",)
    assert design.new_levels(TABLE) == ()


def test_a_new_pair_of_levels_is_new_where_they_are_crossed_only():
    design = apply("y ~ (1 | g/h)", TABLE.assign(h=[1, 2, 1, 1, 2, 1]))
    rows = pd.DataFrame({"g": ["a", "a"], "h": [2, 1]})
    new = design.new(rows)
    np.testing.assert_array_equal(new.groups["1|g"].index, [0, 0])
    np.testing.assert_array_equal(new.groups["1|g:h"].index, [NEW_LEVEL, 0])
    assert design.new_levels(rows) == ("g:h: new level(s) a:2 predicted from the population",)


@pytest.mark.parametrize(
    "old, new", [([1, 2, 3], ["2", "c99"]), ([1.0, 2.0, 3.0], [2, 99]), (["1", "2", "3c"], [2, 1])]
)
def test_levels_are_known_again_however_a_file_wrote_them(old, new):
    """One odd value in a column turns all of its numbers into text."""
    table = pd.DataFrame({"y": np.arange(6.0), "k": old * 2})
    index = apply("y ~ (1 | k)", table).new(pd.DataFrame({"k": new})).groups["1|k"].index
    assert index[0] == 1
    fixed = apply("y ~ C(k)", table).new(pd.DataFrame({"k": new[:1]})).x
    assert fixed.tolist() == [[1.0, 0.0]]


def test_days_are_known_again():
    table = pd.DataFrame({"y": [1.0, 2.0, 3.0], "day": pd.date_range("2020-01-01", periods=3)})
    design = apply("y ~ (1 | day)", table)
    assert design.groupings[0].levels == ("2020-01-01", "2020-01-02", "2020-01-03")
    later = pd.DataFrame({"day": [pd.Timestamp("2020-01-02"), pd.Timestamp("2021-01-01 12:00")]})
    assert design.new(later).groups["1|day"].index.tolist() == [1, NEW_LEVEL]


@pytest.mark.parametrize("empty", [[np.nan, 3.0], [np.nan, np.nan], [None, None], [np.inf, 1.0]], ids=str)
@pytest.mark.parametrize("left, weights", [("y", None), ("p(y, n)", None), ("y", "w"), ("log(y)", None)])
def test_an_empty_response_or_weight_of_new_rows_is_no_matter(empty, left, weights):
    table = TABLE.assign(n=9, w=1.0)
    design = apply(f"{left} ~ x", table, weights=weights)
    new = table.iloc[:2].assign(y=empty, w=empty)
    found = design.new(new)
    assert found.y is None
    assert found.weights is None
    np.testing.assert_array_equal(found.x, design.data.x[:2])
    assert (found.trials is None) == (left != "p(y, n)")
    with pytest.raises(DataError, match="column 'x' is missing or infinite in row 1"):
        design.new(new.assign(x=[np.nan, 1.0]))


def test_trials_that_are_missing_in_new_rows_are_refused():
    table = TABLE.assign(n=9)
    with pytest.raises(DataError, match="column 'n' is missing or infinite in row 2"):
        apply("p(y, n) ~ x", table).new(table.iloc[:2].assign(n=[9, np.nan]))
