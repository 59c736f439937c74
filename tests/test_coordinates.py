"""The coordinates that samplers and guides work in."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems
from scipy import optimize

from bayescore.density import coordinates, mode
from bayescore.density.reduction import compress
from bayescore.density.specification import LogJoint, likelihood
from bayescore.exact.posterior import solve
from bayescore.methods import MAP, MLE, NUTS, SVI, Laplace
from bayescore.model.data import from_arrays
from bayescore.model.transforms import constrain
from bayescore.tables import problem
from bayescore.tables.default_priors import state

TOY = problem.toy()
PROBLEMS = problems()
METHODS = [MLE(), MAP(), SVI(), SVI(guide="full_rank"), NUTS(), SVI.tutorial(), NUTS(standardize=False)]
METHODS += [Laplace()]


def free(n=50, seed=0, centre=0.0):
    rng = np.random.default_rng(seed)
    x = centre + rng.normal(size=(n, 2)) @ [[1.0, 0.9], [0.0, 0.4]]
    data = from_arrays(x, 1 + (x - centre) @ [1.0, -2.0] + rng.normal(0, 0.5, n), columns=("a", "b"))
    priors = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 5)", "sigma": "HalfNormal(2)"}
    return state("gaussian", data, priors), data


def mode_of(regression, data):
    joint = LogJoint(regression, data)
    basis = coordinates.standardizing_matrix(regression, data)
    return mode.laplace(joint, mode.start_of(regression, data), basis), basis


def test_the_mode_of_a_gaussian_is_its_mean_and_the_precision_its_covariance_inverted():
    (found, precision), basis = mode_of(TOY.regression, TOY.data)
    moments = solve(TOY.regression, TOY.data).moments
    sd = np.sqrt(np.diag(moments.unconstrained_cov))
    np.testing.assert_allclose((found - moments.unconstrained_mean) / sd, 0.0, atol=1e-7)
    cov = basis @ np.linalg.inv(precision) @ basis.T
    np.testing.assert_allclose(cov, moments.unconstrained_cov, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("jacobian", [True, False])
def test_the_mode_is_that_of_scipys_minimizer(jacobian):
    regression, data = free()
    joint = LogJoint(regression, data)
    value, gradient = mode.unconstrained_density(joint, jacobian=jacobian)
    start = mode.start_of(regression, data)
    theirs = optimize.minimize(lambda u: -value(u), start, jac=lambda u: -gradient(u), method="BFGS", tol=1e-9)
    basis = coordinates.standardizing_matrix(regression, data)
    found = mode.laplace(joint, start, basis, jacobian=jacobian)
    np.testing.assert_allclose(found[0], theirs.x, atol=1e-5)


def test_no_mode_is_said_where_there_is_none():
    data = from_arrays([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    regression = state("bernoulli", data, {"intercept": "Flat()", "beta": "Flat()"})
    assert mode.laplace(LogJoint(regression, data), np.zeros(2), np.eye(2)) is None


def test_the_unconstrained_gradient_is_the_slope():
    regression, data = free()
    value, gradient = mode.unconstrained_density(LogJoint(regression, data))
    u = np.array([0.5, 0.3, -1.0, -0.4])
    slopes = [(value(u + h) - value(u - h)) / 2e-6 for h in 1e-6 * np.eye(4)]
    np.testing.assert_allclose(gradient(u), slopes, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_every_map_can_be_inverted_and_gives_every_site(method):
    regression, data = free(centre=20.0)
    space = coordinates.for_method(regression, data, method)
    assert space.size == 4
    z = np.random.default_rng(1).normal(size=(3, 2, 4))
    u = space.unconstrained(z)
    np.testing.assert_allclose(np.linalg.solve(space.matrix, (u - space.centre)[..., None])[..., 0], z, atol=1e-8)
    assert np.isclose(space.log_det, np.log(abs(np.linalg.det(space.matrix))))
    values = space.constrained(z)
    assert {name: v.shape for name, v in values.items()} == {
        "intercept": (3, 2),
        "beta": (3, 2, 2),
        "sigma": (3, 2),
    }
    np.testing.assert_allclose(np.log(values["sigma"]), u[..., 3])
    np.testing.assert_array_equal(values["intercept"], u[..., 0])
    np.testing.assert_array_equal(values["beta"], u[..., 1:3])


def test_the_standardizing_matrix_centres_and_scales_the_columns():
    regression, data = free(centre=7.0)
    matrix = coordinates.standardizing_matrix(regression, data)
    z = np.array([0.3, 1.0, -2.0, 0.1])
    u = matrix @ z
    scaled = (data.x - data.x.mean(axis=0)) / data.x.std(axis=0)
    np.testing.assert_allclose(u[0] + data.x @ u[1:3], z[0] + scaled @ z[1:3], atol=1e-10)
    assert u[3] == z[3]


@pytest.mark.parametrize("name", ["Ordinal-logit", "Categorical-softmax"])
def test_categories_have_centred_and_scaled_columns_too(name):
    """The densities of all rows are those of the standardized columns, at any point."""
    stated = PROBLEMS[name]
    data = replace(stated.data, x=stated.data.x * [1.0, 50.0] + [300.0, -20.0])
    regression = stated.regression
    matrix = coordinates.standardizing_matrix(regression, data)
    standardized = replace(data, x=(data.x - data.x.mean(axis=0)) / data.x.std(axis=0))
    for z in np.random.default_rng(0).normal(size=(5, len(regression.parameters))):
        raw = constrain(regression.slots(), matrix @ z, np)[0]
        own = constrain(regression.slots(), z, np)[0]
        found = likelihood(regression, data, raw)
        assert np.isclose(found, likelihood(regression, standardized, own), rtol=1e-9)


@pytest.mark.parametrize("name", ["Ordinal-logit", "Categorical-softmax", "Poisson-log"])
def test_climbing_starts_in_orthogonal_columns(name):
    """Steps in two coordinates move the linear predictors of the rows in orthogonal directions."""
    stated = PROBLEMS[name]
    data = replace(stated.data, x=stated.data.x * [1.0, 50.0] + [300.0, -20.0])
    matrix = coordinates.for_method(stated.regression, data, MAP()).matrix
    slots = {slot.site: slot for slot in stated.regression.slots()}
    constant = slots["threshold" if "threshold" in slots else "intercept"].start
    beta = slots["beta"].start + np.arange(2)
    moved = data.x @ matrix[np.ix_(beta, beta)] + (-1 if "threshold" in slots else 1) * matrix[constant, beta]
    assert np.allclose(moved.T @ moved, np.eye(2) * (moved.T @ moved)[0, 0], atol=1e-6 * data.rows)


def test_without_an_intercept_columns_are_scaled_only():
    x = np.array([[1.0, 5.0], [3.0, -5.0]])
    data = from_arrays(x, [0.0, 1.0], columns=("a", "b"))
    regression = state("Gaussian(sigma=1)", data, {"beta": "Normal(0, 1)"}, intercept=False)
    matrix = coordinates.standardizing_matrix(regression, data)
    np.testing.assert_allclose(matrix, np.diag([1 / np.sqrt(5), 1 / 5]))


def test_constant_columns_leave_the_map_invertible():
    x = np.column_stack([np.zeros(5), np.full(5, 1e6), np.arange(5.0)])
    priors = {"intercept": "Normal(0, 1)", "beta": "Normal(0, 1)"}
    data = from_arrays(x, np.arange(5.0), columns=("zero", "same", "x"))
    regression = state("Gaussian(sigma=1)", data, priors)
    for method in METHODS:
        matrix = coordinates.for_method(regression, data, method).matrix
        assert np.all(np.isfinite(matrix))
        assert np.linalg.matrix_rank(matrix / np.abs(matrix).max(axis=0)) == 4


def test_dense_coordinates_whiten_the_posterior():
    moments = solve(TOY.regression, TOY.data).moments
    for method in (NUTS(), SVI(guide="full_rank")):
        space = coordinates.for_method(TOY.regression, TOY.data, method)
        inverse = np.linalg.inv(space.matrix)
        np.testing.assert_allclose(inverse @ moments.unconstrained_cov @ inverse.T, np.eye(2), atol=1e-4)


def test_mean_field_coordinates_are_in_units_of_the_sds_that_a_mean_field_guide_reaches():
    moments = solve(TOY.regression, TOY.data).moments
    space = coordinates.for_method(TOY.regression, TOY.data, SVI())
    precision = space.matrix.T @ np.linalg.inv(moments.unconstrained_cov) @ space.matrix
    np.testing.assert_allclose(np.diag(precision), 1.0, atol=1e-4)
    assert abs(precision[0, 1]) < 1e-3  # centred: intercept and slope are independent


def test_the_tutorials_coordinates_are_the_raw_ones():
    space = coordinates.for_method(TOY.regression, TOY.data, SVI.tutorial())
    np.testing.assert_array_equal(space.matrix, np.eye(2))
    np.testing.assert_array_equal(space.centre, 0.0)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_mode_of_whatever_can_be_declared_is_a_maximum(name):
    stated = PROBLEMS[name]
    joint = LogJoint(stated.regression, stated.data)
    basis = coordinates.standardizing_matrix(stated.regression, stated.data)
    start = mode.start_of(stated.regression, stated.data)
    value, gradient = mode.unconstrained_density(joint)
    assert np.isfinite(value(start))
    found = mode.laplace(joint, start, basis)
    if found is None:  # as a network's symmetric weights, or a group's vanishing sd, have none
        assert name.startswith(("network", "groups", "prior-Horseshoe")), name
        return
    at, precision = found
    assert value(at) >= value(start)
    whitened = np.linalg.solve(np.linalg.cholesky(precision), basis.T @ gradient(at))
    assert np.max(np.abs(whitened)) < 1e-3
    rng = np.random.default_rng(0)
    steps = np.linalg.solve(np.linalg.cholesky(precision).T, 0.1 * rng.standard_normal((at.size, 20))).T @ basis.T
    assert np.all(value(at + steps) < value(at))


@pytest.mark.parametrize("method", [SVI(), NUTS(), MAP()], ids=str)
@pytest.mark.parametrize("name", [name for name in PROBLEMS if not name.endswith(("-fixed", "-offset"))])
def test_coordinates_of_whatever_can_be_declared_are_finite_and_invertible(name, method):
    stated = PROBLEMS[name]
    space = coordinates.for_method(stated.regression, stated.data, method)
    assert space.size == len(stated.regression.parameters)
    assert np.all(np.isfinite(space.matrix))
    assert np.isfinite(space.log_det)
    values, log_det = space.mapped(0.5 * np.random.default_rng(1).standard_normal((2, 3, space.size)))
    assert log_det.shape == (2, 3)
    for site in stated.regression.sites:
        lows, highs = np.array(site.bounds).T
        flat = values[site.name].reshape(-1, site.size)
        assert np.all((flat > lows) & (flat < highs)), site.name


def test_the_log_determinant_of_the_map_is_that_of_its_jacobian():
    stated = PROBLEMS["groups-three-correlated"]
    space = coordinates.for_method(stated.regression, stated.data, NUTS())
    z = 0.3 * np.random.default_rng(2).standard_normal(space.size)

    def flat(at):
        values = space.constrained(at)
        return np.concatenate([values[site.name].reshape(*at.shape[:-1], -1) for site in stated.regression.sites], -1)

    h = 1e-6 * np.eye(space.size)
    numeric = (flat(z + h) - flat(z - h)) / 2e-6
    assert np.isclose(space.mapped(z)[1], np.linalg.slogdet(numeric)[1], rtol=1e-6)


def test_centred_offsets_are_a_choice_of_coordinates_and_not_of_the_model():
    """The same density of the same values, whatever stands in the unconstrained vector."""
    stated = PROBLEMS["groups-correlated-Gaussian"]
    joint = LogJoint(stated.regression, stated.data)
    values = constrain(stated.regression.slots(), np.random.default_rng(3).normal(0, 0.4, 17), np)[0]
    for centred in (True, False, None):
        space = coordinates.for_method(stated.regression, stated.data, NUTS(centred=centred, standardize=False))
        again = space.constrained(space.inverse(values))
        for site, value in values.items():
            np.testing.assert_allclose(again[site], value, rtol=1e-9)
        assert np.isclose(joint(again), joint(values))
        z = space.inverse(values)
        step = 1e-6 * np.eye(space.size)
        ahead, behind = (np.concatenate([np.reshape(v, (len(step), -1)) for v in space.constrained(z + s).values()], 1)
                         for s in (step, -step))  # fmt: skip
        assert np.isclose(space.mapped(z)[1], np.linalg.slogdet((ahead - behind) / 2e-6)[1], rtol=1e-6)


def test_rows_that_stand_for_many_have_the_coordinates_of_the_many():
    regression, data = free(n=400, centre=1e4)
    few = compress(regression, data)
    assert few.rows == 4
    for method in METHODS:
        whole, part = (coordinates.for_method(regression, rows, method) for rows in (data, few))
        scale = np.abs(whole.matrix).max(axis=0)
        np.testing.assert_allclose(part.matrix / scale, whole.matrix / scale, rtol=0, atol=1e-3, err_msg=str(method))


def test_weights_move_the_coordinates():
    regression, data = free()
    weights = np.where(data.x[:, 0] > 0, 1.0, 1e-9)
    matrix = coordinates.standardizing_matrix(regression, replace(data, weights=weights))
    half = coordinates.standardizing_matrix(regression, data.take(np.flatnonzero(data.x[:, 0] > 0)))
    np.testing.assert_allclose(matrix, half, rtol=1e-6)


@pytest.mark.parametrize("method", [NUTS(), Laplace(), SVI(guide="full_rank")], ids=str)
def test_a_density_that_only_a_backend_knows_is_whitened(method):
    cov = np.array([[4.0, 1.5], [1.5, 1.0]])
    start, shift = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    found = coordinates.for_density((), start, method, lambda z: (shift, np.linalg.inv(cov)))
    np.testing.assert_allclose(found.centre, [1.5, 1.0])
    np.testing.assert_allclose(found.matrix @ found.matrix.T, cov)


@pytest.mark.parametrize("method", [SVI(), SVI(guide=print)], ids=["mean_field", "own"])
def test_a_mean_field_guide_keeps_such_a_densitys_own_axes(method):
    precision = np.array([[4.0, 1.5], [1.5, 1.0]])
    found = coordinates.for_density((), np.ones(2), method, lambda z: (np.zeros(2), precision))
    np.testing.assert_allclose(found.matrix, np.diag([0.5, 1.0]))


def test_the_mode_of_such_a_density_is_searched_for_from_the_start_and_where_it_matters():
    asked = []
    start = np.array([3.0, 4.0])
    for method, centre in ((NUTS(), start), (SVI.tutorial(), np.zeros(2))):
        found = coordinates.for_density((), start, method, asked.append)
        np.testing.assert_array_equal(found.centre, centre)
        np.testing.assert_array_equal(found.matrix, np.eye(2))
    (raw,) = asked
    np.testing.assert_array_equal(raw.unconstrained(np.zeros(2)), start)
