"""Terms of a formula: the design matrix against values computed by hand."""

import numpy as np
import pandas as pd
import pytest

from bayescore.errors import RequestError
from bayescore.tables.formula import apply

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [1.0, 2.0, 3.0, 3.0, 2.0, 1.0],
        "g": ["a", "b", "c", "a", "b", "c"],
        "h": ["u", "u", "u", "v", "v", "v"],
    }
)
A, B, C = (np.array(TABLE["g"] == level, dtype=float) for level in "abc")
U, V = (np.array(TABLE["h"] == level, dtype=float) for level in "uv")
X = TABLE["x"].to_numpy()


def columns(formula, table=TABLE):
    data = apply(formula, table).data
    return dict(zip(data.columns, data.x.T, strict=True))


@pytest.mark.parametrize(
    "formula, wanted",
    [
        ("y ~ x:g", {"x:g[a]": X * A, "x:g[b]": X * B, "x:g[c]": X * C}),
        ("y ~ x * h", {"x": X, "h[v]": V, "x:h[v]": X * V}),
        ("y ~ g * h", {"g[b]": B, "g[c]": C, "h[v]": V, "g[b]:h[v]": B * V, "g[c]:h[v]": C * V}),
        ("y ~ g / x", {"g[b]": B, "g[c]": C, "g[a]:x": A * X, "g[b]:x": B * X, "g[c]:x": C * X}),
        ("y ~ 0 + g", {"g[a]": A, "g[b]": B, "g[c]": C}),
        ("y ~ g - 1", {"g[a]": A, "g[b]": B, "g[c]": C}),
        ("y ~ C(x)", {"C(x)[2]": X == 2, "C(x)[3]": X == 3}),
        ("y ~ T(g, 'b')", {"T(g, 'b')[a]": A, "T(g, 'b')[c]": C}),
        ("y ~ C(g, Treatment('c'))", {"C(g, Treatment('c'))[a]": A, "C(g, Treatment('c'))[b]": B}),
        ("y ~ C(g, Sum)", {"C(g, Sum)[a]": A - C, "C(g, Sum)[b]": B - C}),
        ("y ~ S(g, 'a')", {"S(g, 'a')[b]": B - A, "S(g, 'a')[c]": C - A}),
        ("y ~ center(x)", {"center(x)": X - 2}),
        ("y ~ scale(x)", {"scale(x)": (X - 2) / np.sqrt(2 / 3)}),
        ("y ~ I(x ** 2) + {x / 2}", {"I(x ** 2)": X**2, "I(x / 2)": X / 2}),
        ("y ~ I(g == 'b')", {"I(g == 'b')": B}),
        ("y ~ poly(x, 2, raw=True)", {"poly(x, 2, raw=True)[0]": X, "poly(x, 2, raw=True)[1]": X**2}),
    ],
)
def test_columns_are_those_computed_by_hand(formula, wanted):
    found = columns(formula)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, atol=1e-15, err_msg=name)


def test_poly_is_orthonormal():
    table = pd.DataFrame({"y": [1.0, 5.0, 2.0], "x": [10.0, 20.0, 30.0]})
    found = columns("y ~ poly(x, 2)", table)
    np.testing.assert_allclose(found["poly(x, 2)[0]"], np.array([-1, 0, 1]) / np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(found["poly(x, 2)[1]"], np.array([1, -2, 1]) / np.sqrt(6), atol=1e-12)


def test_bs_without_inner_knots_is_bernsteins_polynomials():
    x = np.linspace(0, 1, 9)
    found = apply("y ~ bs(x, df=3)", pd.DataFrame({"y": x, "x": x})).data
    assert found.columns == ("bs(x, df=3)[0]", "bs(x, df=3)[1]", "bs(x, df=3)[2]")
    wanted = np.column_stack([3 * x * (1 - x) ** 2, 3 * x**2 * (1 - x), x**3])
    np.testing.assert_allclose(found.x, wanted, atol=1e-12)


def test_bs_has_its_knots_at_quantiles():
    x = np.array([0.0, 1.0, 2.0, 6.0, 10.0])
    found = apply("y ~ bs(x, df=2, degree=1)", pd.DataFrame({"y": x, "x": x})).data
    np.testing.assert_allclose(found.x, [[0, 0], [0.5, 0], [1, 0], [0.5, 0.5], [0, 1]], atol=1e-12)


def test_an_ordered_category_keeps_its_order_and_loses_levels_without_rows():
    table = TABLE.assign(g=pd.Categorical(TABLE["g"], ["c", "z", "b", "a"], ordered=True))
    for formula, name in (("y ~ g", "g"), ("y ~ C(g)", "C(g)")):
        found = columns(formula, table)
        assert list(found) == [f"{name}[b]", f"{name}[a]"]
        np.testing.assert_array_equal(found[f"{name}[a]"], A)
    np.testing.assert_array_equal(columns("y ~ I(g > 'b')", table)["I(g > 'b')"], A)


def test_a_category_keeps_the_order_in_which_its_levels_are_declared():
    table = TABLE.assign(n=pd.Categorical([2, 10, 1, 2, 10, 1], [10, 2, 1]))
    found = columns("y ~ n", table)
    assert list(found) == ["n[2]", "n[1]"]
    np.testing.assert_array_equal(found["n[1]"], [0, 0, 1, 0, 0, 1])
    assert apply("y ~ n", table).notes[-1] == "reference level: 10 of n"


@pytest.mark.parametrize("formula", ["y ~ 0 + (g + h) * k", "y ~ 0 + (g + h + k) ** 2"])
def test_terms_that_share_a_category_keep_their_codings(formula):
    """The first term spans the intercept, later ones don't: names and values go together, in new rows too."""
    table = pd.DataFrame({"y": np.arange(12.0), "g": list("ab") * 6, "h": list("uuvv") * 3, "k": list("rrrrssssrsrs")})
    design = apply(formula, table)
    found = dict(zip(design.data.columns, design.data.x.T, strict=True))
    np.testing.assert_array_equal(found["g[a]"], table["g"] == "a")
    np.testing.assert_array_equal(found["g[b]"], table["g"] == "b")
    np.testing.assert_array_equal(found["g[b]:k[s]"], (table["g"] == "b") & (table["k"] == "s"))
    np.testing.assert_array_equal(design.new(table).x, design.data.x)


@pytest.mark.parametrize(
    "name, formula, columns",
    [
        ("kilpisjarvi.csv", "y ~ x", ("x",)),
        ("glm_poisson.csv", "count ~ year + I(year ** 2) + I(year ** 3)", ("year", "I(year ** 2)", "I(year ** 3)")),
        ("nes1980.csv", "partyid7 ~ C(age_discrete)", tuple(f"C(age_discrete)[{age}]" for age in (2, 3, 4))),
        ("wells.csv", "switched ~ I(dist / 100) + I(educ / 4)", ("I(dist / 100)", "I(educ / 4)")),
    ],
)
def test_columns_of_the_reference_data_have_the_names_that_the_reference_posteriors_have(
    reference, name, formula, columns
):
    assert apply(formula, pd.read_csv(reference / name)).data.columns == columns


CELLS = pd.DataFrame(
    [
        (*abc, y)
        for abc, y in zip([a + b + c for a in "pq" for b in "uv" for c in "mn"], [0, 0, 8, 0, 0, 0, 0, 0], strict=True)
    ],
    columns=[*"abc", "y"],
)


@pytest.mark.parametrize("formula", ["a:b:c", "0 + a:b:c", "a + a:b:c", "a*b*c", "a:b:c - a:b", "c:a:b", "a:b + a:b:c"])
def test_a_product_of_three_categories_has_all_of_its_cells(formula):
    """One cell is 8, all others are 0: lost cells would share it."""
    design = apply(f"y ~ {formula}", CELLS)
    x = np.column_stack([np.ones((8, int(design.intercept))), design.data.x])
    assert x.shape == (8, 8)
    np.testing.assert_allclose(x @ np.linalg.solve(x, CELLS["y"]), CELLS["y"], atol=1e-12)


@pytest.mark.parametrize("levels", [(3, 2, 2), (3, 3, 2), (2, 3, 4)])
def test_a_product_of_categories_has_as_many_columns_as_cells(levels):
    grid = np.array(list(np.ndindex(levels)))
    table = pd.DataFrame(grid.astype(str), columns=[*"abc"]).assign(y=0.0)
    x = np.column_stack([np.ones(len(table)), apply("y ~ a:b:c", table).data.x])
    assert x.shape[1] == np.linalg.matrix_rank(x) == np.prod(levels)


@pytest.mark.parametrize(
    "one, other",
    [
        ("h:g", "g:h"),
        ("x:h:g", "g:x:h"),
        ("g:h + g", "g + g:h"),
        ("x*g + g:x", "x*g"),
        ("g*h + h:g", "g*h"),
        ("x:g:h + x:h", "x:h + x:g:h"),
        ("x*h - h:x", "x + h"),
        ("g*h - h:g", "g + h"),
        ("x:h + h:x", "x:h"),
        ("(g + h)**2 - g:h", "g + h"),
        ("g/h", "g + g:h"),
        ("(x + g)/h", "x + g + x:g:h"),
        ("g*x*h - g:x:h", "(g + x + h) ** 2"),
        ("1:x + x:x", "x"),
        ("0 + 1 + x", "x"),
        ("x - 0", "x"),
        ("-1 + x", "0 + x"),
        ("-(-x)", "x"),
    ],
)
def test_factors_of_a_term_are_a_set_and_terms_stand_in_the_order_of_their_degree(one, other):
    found, wanted = (
        {frozenset(name.split(":")): values for name, values in columns(f"y ~ {terms}").items()}
        for terms in (one, other)
    )
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)
    assert apply(f"y ~ {one}", TABLE).intercept == apply(f"y ~ {other}", TABLE).intercept


def test_columns_stand_in_the_order_of_the_terms_degree():
    assert list(columns("y ~ x:h + g:x + h + x")) == ["h[v]", "x", "x:h[v]", "g[b]:x", "g[c]:x"]


def test_levels_may_be_listed_in_order():
    found = columns("y ~ C(g, levels=['c', 'a', 'b'])")
    assert list(found) == ["C(g, levels=['c', 'a', 'b'])[a]", "C(g, levels=['c', 'a', 'b'])[b]"]
    with pytest.raises(RequestError, match="lists each level once"):
        columns("y ~ C(g, levels=['c', 'a'])")


def test_bs_has_its_knots_where_they_are_put():
    x = np.linspace(0.0, 10.0, 21)
    table = pd.DataFrame({"y": x, "x": x})
    found = apply("y ~ bs(x, knots=[2.5, 4], degree=1)", table).data
    assert found.columns[0] == "bs(x, knots=[2.5, 4], degree=1)[0]"
    hats = [np.interp(x, [0.0, 2.5, 4.0, 10.0], at) for at in np.eye(4)[1:]]
    np.testing.assert_allclose(found.x, np.column_stack(hats), atol=1e-12)


@pytest.mark.parametrize(
    "term, message",
    [
        ("poly(x, 3)", "a polynomial of degree 3 needs 4 different values; there are 3"),
        ("poly(x, 3, raw=True)", "there are 3"),
        ("poly(x, 1000000)", "there are 3"),
        ("poly(x, 0)", "degree is a whole number from 1 on, not 0"),
        ("poly(x, 1.5)", "degree is a whole number"),
        ("poly(x, degrees=2)", "degrees"),
        ("bs(x, df=100000)", "100000 columns of splines need as many different values; there are 3"),
        ("bs(x, knots=[1.5, 9])", "the inner knot 9 does not lie between the outer ones, 1 and 3"),
        ("bs(x, knots=['a'])", "'a' is not made of numbers"),
        ("bs(x, knots=[x])", "should be a constant"),
        ("bs(x)", "give df, the number of columns, or knots="),
        ("bs(g, df=3)", "g is not made of numbers"),
        ("scale(1 + 0 * x)", "the same in every row"),
        ("scale(x, x, x)", "scale"),
        ("C(g, Treatmnt)", "Treatmnt is no coding: Treatment, Sum are"),
        ("C(g, Sum('q'))", "level to omit not in levels: 'q'"),
        ("Treatment('a')", "is a coding: write C"),
        ("g:(0 + x)", "0 and -1 stand by themselves"),
        ("(a0 + a1)**0", "0 is no power"),
        ("x - w", "'w' can't be taken away: it is not there"),
        ("log(x, 2)", "takes other arguments"),
        ("I(x:x)", "no meaning inside"),
        ("I(g + 'a')", "not made of numbers"),
        ("'g'", "the text 'g' is no term; a column's name has no quotes but backticks"),
        ("None", "None is no term"),
        ("x == 1", "'==' is out of place"),
        ("(x == 1)", r"x == 1 is no term; write I\(x == 1\)"),
        (" * ".join(f"x{i}" for i in range(12)), "more than 1000 terms"),
        ("(" * 5000 + "x" + ")" * 5000, "nested too deeply"),
        ("I(" + "-" * 5000 + "x)", "nested too deeply"),
        ("I(" + "x + " * 5000 + "x)", "nested too deeply|RecursionError"),
    ],
)
def test_what_makes_no_design_is_refused(term, message):
    with pytest.raises(RequestError, match=message) as caught:
        apply(f"y ~ {term}", TABLE)
    assert "\n" not in str(caught.value)


def test_a_power_is_no_higher_than_the_number_of_terms():
    assert list(columns("y ~ (g + h + x)**99999999")) == list(columns("y ~ g*h*x"))


def test_thousands_of_summands_are_read():
    table = pd.DataFrame({f"x{i}": [1.0, float(i)] for i in range(3000)} | {"y": [0.0, 1.0]})
    assert apply("y ~ " + " + ".join(table.columns[:-1]), table).data.x.shape == (2, 3000)


@pytest.mark.parametrize(
    "term, size", [("C(a)", "20000"), ("C(a):C(b):C(c)", "8000000000000"), ("(C(a):C(b) | g)", "")]
)
def test_more_columns_than_memory_takes_are_refused_before_any_work(term, size):
    each = np.arange(20_000)
    table = pd.DataFrame({"y": 0.0, "a": each, "b": each[::-1], "c": np.roll(each, 1), "g": each % 2})
    with pytest.raises(RequestError, match=f"{size}.* columns of 20000 rows need more memory than 2 GiB"):
        apply(f"y ~ {term}", table)
