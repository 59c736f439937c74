"""Terms of a formula: the design matrix against values computed by hand."""

import numpy as np
import pandas as pd
import pytest

from bayescore.formula import apply

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
        ("y ~ C(x)", {"C(x)[2.0]": X == 2, "C(x)[3.0]": X == 3}),
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


def test_an_unordered_category_is_sorted_even_where_it_holds_numbers():
    table = TABLE.assign(n=pd.Categorical([2, 10, 1, 2, 10, 1], [10, 2, 1]))
    found = columns("y ~ n", table)
    assert list(found) == ["n[2]", "n[10]"]
    np.testing.assert_array_equal(found["n[10]"], [0, 1, 0, 0, 1, 0])


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
