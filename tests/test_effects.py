"""Predictions, comparisons and slopes against their own computation in NumPy, from the same draws."""

import numpy as np
import pytest
from effects_support import TABLE, by_hand, check, flat
from scipy.interpolate import BSpline
from scipy.special import expit, ndtr, softmax

import bayescore as bc
from bayescore.effects import comparisons, predictions, slopes


def hinges(z: np.ndarray, knots: np.ndarray, order: int = 0) -> np.ndarray:
    """The cubic B-splines of some knots, or their derivatives, without the first."""
    full = np.r_[[knots[0]] * 4, knots[1:-1], [knots[-1]] * 4]
    basis = BSpline(full, np.eye(len(full) - 4), 3, extrapolate=True)
    return (basis.derivative(order) if order else basis)(z)[:, 1:]


@pytest.fixture(scope="module")
def logistic():
    """A logistic regression with an interaction and a spline, and its linear predictor at any values."""
    problem = bc.from_table("zero_one ~ g * x + bs(z, df=5)", TABLE, family="Bernoulli")
    posterior = by_hand(problem)
    beta = dict(zip(problem.regression.columns, posterior.flat()["beta"].T, strict=True))
    z = TABLE["z"].to_numpy()
    knots = np.quantile(z, [0, 1 / 3, 2 / 3, 1])

    def eta(g, x, z):
        found = posterior.flat()["intercept"][:, None] + beta["x"][:, None] * x
        for level in "bc":
            is_level = np.asarray(g) == level
            found = found + is_level * (beta[f"g[{level}]"][:, None] + beta[f"g[{level}]:x"][:, None] * x)
        spline = np.array([beta[f"bs(z, df=5)[{j}]"] for j in range(5)]).T
        return found + spline @ hinges(np.broadcast_to(z, np.shape(x)), knots).T

    def by_z(z):
        spline = np.array([beta[f"bs(z, df=5)[{j}]"] for j in range(5)]).T
        return spline @ hinges(z, knots, 1).T

    return problem, posterior, eta, by_z


def test_a_logistic_regression_at_given_values(logistic):
    problem, posterior, eta, _ = logistic
    at = predictions(problem, posterior, {"x": [1, 2.5], "g": ["c", "a"]})
    assert at.frame[["x", "g"]].to_numpy().tolist() == [[1, "c"], [1, "a"], [2.5, "c"], [2.5, "a"]]
    x, g = np.array([1, 1, 2.5, 2.5]), np.array(list("caca"))
    check(at, expit(eta(g, x, TABLE["z"].mean())))
    check(predictions(problem, posterior, {"x": [1, 2.5], "g": ["c", "a"]}, scale="linear"),
          eta(g, x, TABLE["z"].mean()))  # fmt: skip
    typical = predictions(problem, posterior, {})
    check(typical, expit(eta(np.array(["b"]), np.array([TABLE["x"].mean()]), TABLE["z"].mean())))
    assert typical.notes == (f"held at g b (most common), x {TABLE['x'].mean():.4g} (mean), z {TABLE['z'].mean():.4g} (mean)",)  # fmt: skip # noqa: E501


def test_a_logistic_regression_over_the_rows(logistic):
    problem, posterior, eta, _ = logistic
    g, x, z = (TABLE[name].to_numpy() for name in "gxz")
    p = expit(eta(g, x, z))
    check(predictions(problem, posterior), p.mean(axis=1, keepdims=True))
    check(predictions(problem, posterior, average_by=False), p)
    by = predictions(problem, posterior, average_by="g")
    check(by, np.column_stack([p[:, g == level].mean(axis=1) for level in "abc"]))
    assert by.frame["g"].tolist() == list("abc")
    set_x = predictions(problem, posterior, {"x": [1.0, 3.0]}, others="observed")
    check(set_x, np.column_stack([expit(eta(g, np.full(60, v), z)).mean(axis=1) for v in (1.0, 3.0)]))
    both = predictions(problem, posterior, {"x": [1.0, 3.0]}, others="observed", average_by=["g", "x"])
    assert both.frame[["g", "x"]].to_numpy().tolist() == [["a", 1], ["b", 1], ["c", 1], ["a", 3], ["b", 3], ["c", 3]]
    wanted = [expit(eta(g, np.full(60, v), z))[:, g == level].mean(axis=1) for v in (1.0, 3.0) for level in "abc"]
    check(both, np.column_stack(wanted))
    every = predictions(problem, posterior, {"x": [1.0, 3.0]}, others="observed", average_by=True)
    check(every, flat(set_x).mean(axis=1, keepdims=True))


def test_comparisons_of_a_logistic_regression(logistic):
    problem, posterior, eta, _ = logistic
    g, x, z = (TABLE[name].to_numpy() for name in "gxz")
    at = {level: expit(eta(np.full(60, level), x, z)) for level in "abc"}
    found = comparisons(problem, posterior, "g")
    assert found.frame["contrast"].tolist() == ["b - a", "c - a"]
    check(found, np.column_stack([(at[level] - at["a"]).mean(axis=1) for level in "bc"]))
    ratio = comparisons(problem, posterior, {"g": ["c", "b"]}, comparison="ratio", average_by="g")
    assert ratio.frame["contrast"].tolist() == ["b / c"] * 3
    wanted = [at["b"][:, g == v].mean(axis=1) / at["c"][:, g == v].mean(axis=1) for v in "abc"]
    check(ratio, np.column_stack(wanted))
    lift = comparisons(problem, posterior, {"g": ["c", "b"]}, comparison="lift", average_by="g")
    check(lift, np.column_stack(wanted) - 1)
    assert len(comparisons(problem, posterior, {"g": "pairwise"})) == 3
    steps = {None: (x, x + 1), 0.5: (x, x + 0.5), (1, 3): (1 + 0 * x, 3 + 0 * x)}
    mean, sd = x.mean(), x.std(ddof=1)
    steps["sd"] = (0 * x + mean - sd / 2, 0 * x + mean + sd / 2)
    for how, (low, high) in steps.items():
        wanted = (expit(eta(g, high, z)) - expit(eta(g, low, z))).mean(axis=1, keepdims=True)
        check(comparisons(problem, posterior, {"x": how}), wanted)
    at_values = comparisons(problem, posterior, "g", {"x": [1, 2]})
    p = {level: expit(eta(np.full(2, level), np.array([1.0, 2.0]), TABLE["z"].mean())) for level in "abc"}
    check(at_values, np.column_stack([p["b"] - p["a"], p["c"] - p["a"]]))


def test_slopes_go_through_splines_and_interactions(logistic):
    problem, posterior, eta, by_z = logistic
    g, x, z = (TABLE[name].to_numpy() for name in "gxz")
    inside = (z > z.min()) & (z < z.max())
    p = expit(eta(g, x, z))
    wanted = p * (1 - p) * by_z(z)
    rows = slopes(problem, posterior, "z", average_by=False)
    np.testing.assert_allclose(flat(rows)[:, inside], wanted[:, inside], rtol=1e-6, atol=1e-8)
    check(slopes(problem, posterior, "z"), wanted.mean(axis=1, keepdims=True), atol=1e-8)
    linear = slopes(problem, posterior, "z", scale="linear")
    check(linear, by_z(z).mean(axis=1, keepdims=True), atol=1e-8)
    beta = dict(zip(problem.regression.columns, posterior.flat()["beta"].T, strict=True))
    of_x = beta["x"][:, None] + sum((g == level) * beta[f"g[{level}]:x"][:, None] for level in "bc")
    for slope, wanted in {
        "dydx": p * (1 - p) * of_x,
        "eydx": (1 - p) * of_x,
        "dyex": p * (1 - p) * of_x * x,
        "eyex": (1 - p) * of_x * x,
    }.items():
        check(slopes(problem, posterior, "x", slope=slope), wanted.mean(axis=1, keepdims=True), atol=1e-8)
    every = slopes(problem, posterior)
    assert every.frame["term"].tolist() == ["x", "z"]


def test_slopes_of_logarithms_powers_and_products_at_small_values():
    frame = TABLE.assign(x=np.geomspace(1e-6, 10.0, 60))
    problem = bc.from_table("real ~ log(x) + poly(x, 2, raw=True) + I(x * z) + sqrt(x)", frame)
    posterior = by_hand(problem)
    of_log, of_x, of_square, of_product, of_root = posterior.flat()["beta"].T[:, :, None]
    x, z = frame["x"].to_numpy(), frame["z"].to_numpy()
    wanted = of_log / x + of_x + 2 * of_square * x + of_product * z + of_root / (2 * np.sqrt(x))
    found = slopes(problem, posterior, "x", average_by=False)
    np.testing.assert_allclose(flat(found), wanted, rtol=1e-5)
    at = slopes(problem, posterior, "x", {"x": [1e-3]})
    np.testing.assert_allclose(flat(at), wanted_at(1e-3, problem, posterior, z.mean()), rtol=1e-6)


def wanted_at(x, problem, posterior, z):
    of_log, of_x, of_square, of_product, of_root = posterior.flat()["beta"].T[:, :, None]
    return of_log / x + of_x + 2 * of_square * x + of_product * z + of_root / (2 * np.sqrt(x))


def test_a_poisson_regression_with_exposure():
    problem = bc.from_table("count ~ log(x) + C(k) + offset(log(hours))", TABLE, family="Poisson")
    posterior = by_hand(problem)
    intercept, (of_log, six, eight) = posterior.flat()["intercept"][:, None], posterior.flat()["beta"].T[:, :, None]
    x, k, hours = (TABLE[name].to_numpy() for name in ("x", "k", "hours"))
    rate = np.exp(intercept + of_log * np.log(x) + six * (k == 6) + eight * (k == 8))
    check(predictions(problem, posterior), (rate * hours).mean(axis=1, keepdims=True))
    one = predictions(problem, posterior, {"hours": 1.0, "x": [2.0]})
    mode = TABLE["k"].mode()[0]
    check(one, np.exp(intercept + of_log * np.log(2.0) + six * (mode == 6) + eight * (mode == 8)))
    typical = predictions(problem, posterior, {"x": [2.0]})
    check(typical, flat(one) * hours.mean())
    assert f"hours {hours.mean():.4g} (mean)" in typical.notes[0]
    per_hour = predictions(problem, posterior, {"hours": 1}, others="observed")
    check(per_hour, rate.mean(axis=1, keepdims=True))
    ratio = comparisons(problem, posterior, "k", comparison="ratio")
    assert ratio.frame["contrast"].tolist() == ["6 / 4", "8 / 4"]
    check(ratio, np.exp(np.column_stack([six, eight])))
    check(slopes(problem, posterior, "x", slope="eyex"), of_log, atol=1e-8)
    check(slopes(problem, posterior, "hours", slope="eyex"), np.ones((80, 1)), atol=1e-8)


def test_an_ordinal_regression_has_a_row_a_category():
    problem = bc.from_table("grade ~ x + g", TABLE, family="Ordinal")
    posterior = by_hand(problem)
    values = posterior.flat()
    x, g = TABLE["x"].to_numpy(), TABLE["g"].to_numpy()

    def probabilities(x, g):
        eta = values["beta"] @ np.array([x, g == "b", g == "c"], dtype=float)
        below = expit(values["threshold"][:, None, :] - eta[..., None])
        return np.diff(below, axis=-1, prepend=0.0, append=1.0)

    found = predictions(problem, posterior, average_by="g")
    assert found.frame["category"].tolist() == ["0", "1", "2", "3"] * 3
    p = probabilities(x, g)
    check(found, np.concatenate([p[:, g == level].mean(axis=1) for level in "abc"], axis=1))
    up = comparisons(problem, posterior, "x")
    assert list(up.frame) == ["term", "contrast", "category", "estimate", "lower", "upper"]
    check(up, (probabilities(x + 1, g) - p).mean(axis=1))
    below = values["threshold"][:, None, :] - (values["beta"] @ np.array([x, g == "b", g == "c"], float))[..., None]
    density = np.diff(expit(below) * expit(-below), axis=-1, prepend=0.0, append=0.0)
    check(slopes(problem, posterior, "x"), (-density * values["beta"][:, None, :1]).mean(axis=1), atol=1e-8)
    linear = slopes(problem, posterior, "x", scale="linear")
    check(linear, values["beta"][:, :1], atol=1e-8)


def test_a_categorical_regression():
    problem = bc.from_table("grade ~ x + z", TABLE, family="Categorical")
    posterior = by_hand(problem)
    values, x, z = posterior.flat(), TABLE["x"].to_numpy(), TABLE["z"].to_numpy()
    eta = values["intercept"][:, None, :] + np.einsum("dkc,cr->drk", values["beta"], np.array([x, z]))
    p = softmax(np.concatenate([np.zeros_like(eta[..., :1]), eta], axis=-1), axis=-1)
    of_x = np.concatenate([np.zeros((80, 1)), values["beta"][:, :, 0]], axis=1)[:, None, :]
    wanted = p * (of_x - np.sum(p * of_x, axis=-1, keepdims=True))
    check(slopes(problem, posterior, "x"), wanted.mean(axis=1), atol=1e-8)
    linear = slopes(problem, posterior, "x", scale="linear")
    assert linear.frame["category"].tolist() == ["1", "2", "3"]
    check(linear, values["beta"][:, :, 0], atol=1e-8)


FAMILIES = {
    "Gaussian": ("real", lambda eta: eta),
    "StudentT": ("real", lambda eta: eta),
    "Bernoulli": ("zero_one", expit),
    "Bernoulli('probit')": ("zero_one", ndtr),
    "Bernoulli('cloglog')": ("zero_one", lambda eta: 1 - np.exp(-np.exp(eta))),
    "Binomial": ("p(hits, n)", expit),
    "Poisson": ("count", np.exp),
    "NegativeBinomial": ("count", np.exp),
    "Gamma": ("positive", np.exp),
    "Exponential": ("positive", np.exp),
    "Beta": ("share", expit),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_numbers(family):
    response, inverse = FAMILIES[family]
    problem = bc.from_table(f"{response} ~ x", TABLE, family=family.replace("('", "(link='"))
    posterior = by_hand(problem)
    eta = posterior.flat()["intercept"][:, None] + posterior.flat()["beta"] * TABLE["x"].to_numpy()
    found = predictions(problem, posterior, average_by=False)
    check(found, inverse(eta))
    h = 1e-5
    derivative = (inverse(eta + h) - inverse(eta - h)) / (2 * h) * posterior.flat()["beta"]
    np.testing.assert_allclose(
        flat(slopes(problem, posterior, "x", average_by=False)), derivative, rtol=1e-5, atol=1e-9
    )


FORMULAS = ["real ~ x * g + z", "real ~ bs(x, df=4) + C(k)", "zero_one ~ log(x) + I(g == 'b') + z",
            "grade ~ x + k + (x | s)", "count ~ x + (1 | s:g) + offset(log(hours))"]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("scale", ["response", "linear"])
@pytest.mark.parametrize("groups", ["own", "population"])
def test_a_comparison_is_one_of_predictions(formula, scale, groups):
    family = {"zero_one": "Bernoulli", "grade": "Ordinal", "count": "Poisson"}.get(formula.split()[0], "Gaussian")
    problem = bc.from_table(formula, TABLE, family=family)
    posterior = by_hand(problem)
    view = {"scale": scale, "groups": groups, "others": "observed"}
    low, high = (flat(predictions(problem, posterior, {"x": [x]}, **view)) for x in (1.0, 1.5))
    check(comparisons(problem, posterior, {"x": [1.0, 1.5]}, **view), high - low)
    step = 1e-4
    low, high = (flat(predictions(problem, posterior, {"x": [x]}, **view)) for x in (1.0 - step, 1.0 + step))
    check(slopes(problem, posterior, "x", {"x": [1.0]}, **view), (high - low) / (2 * step), atol=1e-6)
