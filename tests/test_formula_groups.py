"""Group terms: what varies with what, together or apart, and the rows' memberships."""

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.model.groups import Grouping
from bayescore.tables.formula import apply

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        "z": [2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
        "g": ["b", "a", "c", "a", "b", "c"],
        "h": [1, 2, 1, 2, 1, 1],
        "c": ["u", "v", "u", "v", "v", "u"],
    }
)
G = [1, 0, 2, 0, 1, 2]
LEVELS = ("a", "b", "c")


@pytest.mark.parametrize(
    "term, groupings",
    [
        ("(1 | g)", [("g", ("1",))]),
        ("(x | g)", [("g", ("1", "x"))]),
        ("(1 + x | g)", [("g", ("1", "x"))]),
        ("(0 + x | g)", [("g", ("x",))]),
        ("(1 | g) + (0 + x | g)", [("g", ("1",)), ("g", ("x",))]),
        ("(0 + x | g) + (1 | g)", [("g", ("x",)), ("g", ("1",))]),
        ("(x + z | g)", [("g", ("1", "x", "z"))]),
        ("(x * z | g)", [("g", ("1", "x", "z", "x:z"))]),
        ("(x | g) + (0 + z | g)", [("g", ("1", "x")), ("g", ("z",))]),
        ("(c | g)", [("g", ("1", "c[v]"))]),
        ("(0 + c | g)", [("g", ("c[u]", "c[v]"))]),
        ("(scale(x) | g)", [("g", ("1", "scale(x)"))]),
        ("(poly(x, 2) | g)", [("g", ("1", "poly(x, 2)[0]", "poly(x, 2)[1]"))]),
        ("((1 | g))", [("g", ("1",))]),
        ("(x + 0 | g)", [("g", ("x",))]),
        ("(x - 1 | g)", [("g", ("x",))]),
        ("(x || g)", [("g", ("1",)), ("g", ("x",))]),
        ("(x * c || g)", [("g", ("1",)), ("g", ("x",)), ("g", ("c[u]", "c[v]")), ("g", ("x:c[u]", "x:c[v]"))]),
        ("(0 + x + z || g)", [("g", ("x",)), ("g", ("z",))]),
    ],
)
def test_effects_of_one_term_vary_together(term, groupings):
    design = apply(f"y ~ z + {term}", TABLE)
    assert design.groupings == tuple(Grouping(factor, effects, LEVELS) for factor, effects in groupings)
    assert list(design.data.groups) == [key for grouping in design.groupings for key in grouping.keys]
    assert design.data.columns == ("z",)


def test_a_membership_is_a_level_and_a_value():
    groups = apply("y ~ (x | g) + (0 + c | h)", TABLE).data.groups
    assert list(groups) == ["1|g", "x|g", "c[u]|h", "c[v]|h"]
    np.testing.assert_array_equal(groups["1|g"].index, G)
    np.testing.assert_array_equal(groups["1|g"].value, np.ones(6))
    np.testing.assert_array_equal(groups["x|g"].index, G)
    np.testing.assert_array_equal(groups["x|g"].value, TABLE["x"])
    np.testing.assert_array_equal(groups["c[v]|h"].index, [0, 1, 0, 1, 0, 0])
    np.testing.assert_array_equal(groups["c[v]|h"].value, TABLE["c"] == "v")
    assert groups["1|g"].index.dtype == np.intp
    assert groups["c[v]|h"].value.dtype == np.float64


def test_nested_factors_have_the_levels_that_occur():
    design = apply("y ~ (x | g/h)", TABLE)
    assert design.groupings == (
        Grouping("g", ("1", "x"), LEVELS),
        Grouping("g:h", ("1", "x"), ("a:2", "b:1", "c:1")),
    )
    np.testing.assert_array_equal(design.data.groups["1|g:h"].index, [1, 0, 2, 0, 1, 2])
    assert apply("y ~ (1 | g:h)", TABLE).groupings == (Grouping("g:h", ("1",), ("a:2", "b:1", "c:1")),)
    factors = [grouping.factor for grouping in apply("y ~ (1 | g/h/c)", TABLE).groupings]
    assert factors == ["g", "g:h", "g:h:c"]


def test_crossed_factors_are_groupings_of_their_own():
    assert [grouping.factor for grouping in apply("y ~ (1 | g + c)", TABLE).groupings] == ["g", "c"]
    assert [grouping.factor for grouping in apply("y ~ (1 | g) + (1 | c)", TABLE).groupings] == ["g", "c"]


def test_many_levels_of_two_factors_are_no_matrix_of_all_pairs():
    """2000 x 2000 pairs of levels, of which 2000 occur: a matrix of all pairs would fill the memory."""
    n = 2000
    table = pd.DataFrame({"y": np.arange(float(n)), "g": np.arange(n), "h": np.arange(n)[::-1]})
    design = apply("y ~ (1 | g/h)", table)
    assert [len(grouping.levels) for grouping in design.groupings] == [n, n]
    np.testing.assert_array_equal(design.data.groups["1|g:h"].index, np.arange(n))


def test_levels_are_sorted_as_what_they_are():
    table = TABLE.assign(n=[10, 9, 100, 9, 10, 100])
    assert apply("y ~ (1 | n)", table).groupings[0].levels == ("9", "10", "100")
    ordered = TABLE.assign(g=pd.Categorical(TABLE["g"], ["c", "z", "a", "b"], ordered=True))
    design = apply("y ~ (1 | g)", ordered)
    assert design.groupings[0].levels == ("c", "a", "b")
    np.testing.assert_array_equal(design.data.groups["1|g"].index, [2, 1, 0, 1, 2, 0])


def test_numbers_with_a_decimal_point_name_levels_without_it():
    assert apply("y ~ (1 | h)", TABLE.astype({"h": float})).groupings[0].levels == ("1", "2")


def test_identifiers_that_are_mostly_numbers_are_levels_all_the_same():
    table = TABLE.assign(school=["101", "102", "10A", "101", "102", "101"])
    assert apply("y ~ (1 | school)", table).groupings[0].levels == ("101", "102", "10A")


def test_a_factor_may_be_computed():
    design = apply("y ~ (1 | I(x > 2)) + (1 | C(h))", TABLE)
    assert [(g.factor, g.levels) for g in design.groupings] == [("I(x > 2)", ("False", "True")), ("C(h)", ("1", "2"))]
    np.testing.assert_array_equal(design.data.groups["1|I(x > 2)"].index, [0, 0, 1, 1, 1, 1])


def test_group_effects_alone_are_a_model():
    design = apply("y ~ 0 + (1 | g)", TABLE)
    assert design.intercept is False
    assert design.data.x.shape == (6, 0)


@pytest.mark.parametrize(
    "formula, message",
    [
        ("y ~ x | g", "group terms are written in parentheses"),
        ("y ~ (1 | g) + (x | g)", r"1\|g is in 2 group terms"),
        ("y ~ (1 | g) + (1 | g/h)", r"1\|g is in 2 group terms"),
        ("y ~ (1 + x - 1 | g)", "write a group term as"),
        ("y ~ (1 + 0 + x | g)", "write a group term as"),
        ("y ~ (0 | g)", "write a group term as"),
        ("y ~ (1 | 1)", "write a group term as"),
        ("y ~ (2 | g)", "the number 2 is no term"),
        ("y ~ z:(x | g)", "by themselves"),
        ("y ~ x - (1 | g)", "by themselves"),
        ("y ~ (1 | g | h)", "by themselves"),
        ("y ~ (1 | cuonty)", "no column 'cuonty'.*did you mean 'county'"),
        ("y ~ (lgo(x) | g)", "unknown function 'lgo'"),
        ("y ~ (1 | open('f'))", "unknown function 'open'"),
        ("y ~ (log(x - 0.5) | g)", r"column 'log\(x - 0.5\)\|g' is NaN or infinite in row 1"),
        ("y ~ (log(c) | g)", "fails on this table"),
    ],
)
def test_a_group_term_that_cant_be_meant_is_refused(formula, message):
    with pytest.raises(RequestError, match=message) as caught:
        apply(formula, TABLE.assign(county="a"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "term, effects",
    [
        ("(x:a | g)", ["1", "x:a[p]", "x:a[q]"]),
        ("(1 | g) + (0 + x:a | g)", ["1", "x:a[p]", "x:a[q]"]),
        ("(a:b | g)", ["1", "b[v]", "a[q]:b[u]", "a[q]:b[v]"]),
        ("(0 + a + b | g)", ["a[p]", "a[q]", "b[v]"]),
        ("(0 + x*a | g)", ["x", "a[p]", "a[q]", "x:a[q]"]),
        ("(t + x:t | g)", ["1", "t[k]", "t[l]", "x:t[j]", "x:t[k]", "x:t[l]"]),
        ("(0 + x + x:t | g)", ["x", "x:t[k]", "x:t[l]"]),
        ("(0 + t*a | g)", ["t[j]", "t[k]", "t[l]", "a[q]", "t[k]:a[q]", "t[l]:a[q]"]),
    ],
)
def test_each_group_term_has_all_of_its_cells_once(term, effects):
    grid = pd.DataFrame([(a, b, t) for a in "pq" for b in "uv" for t in "jkl"] * 4, columns=[*"abt"])
    table = grid.assign(y=0.0, x=np.random.default_rng(0).normal(size=48), g=list("AB") * 24)
    groups = apply(f"y ~ {term}", table).data.groups
    assert list(groups) == [f"{effect}|g" for effect in effects]
    values = np.column_stack([member.value for member in groups.values()])
    assert np.linalg.matrix_rank(values) == len(effects)


def test_an_effect_that_is_in_two_group_terms_by_its_coding_is_refused():
    with pytest.raises(RequestError, match=r"d\[n\]\|g is in its group terms twice"):
        apply("y ~ (c:d | g) + (0 + d | g)", TABLE.assign(d=list("mnmnmn")))


def test_levels_that_would_share_a_name_are_refused():
    table = TABLE.assign(g=["a", "a:b"] * 3, h=["b:c", "c"] * 3)
    with pytest.raises(DataError, match="two levels of g:h are both named 'a:b:c'"):
        apply("y ~ (1 | g:h)", table)


def test_a_factor_of_one_level_is_told():
    design = apply("y ~ x + (1 | one)", TABLE.assign(one="same"))
    assert design.groupings[0].levels == ("same",)
    assert "one has one level only (same): only the priors tell how its effects vary" in design.notes


def test_counties_of_the_reference_data(reference):
    design = apply("log_radon ~ floor + (1 | county)", pd.read_csv(reference / "radon_mn.csv"))
    assert len(design.groupings[0].levels) == 85
    assert design.notes[0].endswith("as categories: county (85 levels)")
    assert np.bincount(design.data.groups["1|county"].index).min() > 0
