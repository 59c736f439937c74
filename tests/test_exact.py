"""The exact backend against textbook formulas, brute force, and known figures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from bayescore.contract.checked import Checked
from bayescore.density.mode import unconstrained_density
from bayescore.density.reduction import compress
from bayescore.density.specification import LogJoint
from bayescore.errors import UnsupportedError
from bayescore.exact.posterior import solve
from bayescore.methods import MAP, MLE, Exact
from bayescore.model.data import from_arrays, toy_data
from bayescore.model.posterior import to_judged
from bayescore.model.transforms import unconstrain
from bayescore.plugins import loading
from bayescore.tables import problem
from bayescore.tables.default_priors import state

WIDE = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}
SIGMA_PRIORS = ["HalfNormal(1)", "HalfCauchy(2)", "Exponential(2)", "InverseGamma(3, 1)", "Gamma(2, 3)",
                "LogNormal(-1, 1)", "Flat()"]  # fmt: skip


def some_data(n=30, p=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return from_arrays(x, 1 + x @ np.arange(1.0, p + 1) + rng.normal(0, 0.5, n), columns=tuple("abcdefgh"[:p]))


def design(data, intercept=True):
    return np.column_stack([np.ones(data.rows), data.x]) if intercept else data.x


def conjugate(matrix, y, sigma, loc, precision):
    """Mean and covariance of the coefficients, from the normal equations."""
    total = matrix.T @ matrix / sigma**2 + np.diag(precision)
    cov = np.linalg.inv(total)
    return cov @ (matrix.T @ y / sigma**2 + precision * loc), cov


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n", [30, 2])
def test_with_sigma_fixed_it_is_the_conjugate_posterior(n, intercept):
    data = some_data(n, 3)
    priors = {"beta": "Normal(0.5, 2)"} | ({"intercept": "Normal(1, 3)"} if intercept else {})
    found = solve(state("Gaussian(sigma=0.5)", data, priors, intercept=intercept), data).moments
    loc = np.array([1.0] * intercept + [0.5] * 3)
    scale = np.array([3.0] * intercept + [2.0] * 3)
    mean, cov = conjugate(design(data, intercept), data.y, 0.5, loc, scale**-2)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.unconstrained_cov, cov, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found.sd, np.sqrt(np.diag(cov)), rtol=1e-9)
    np.testing.assert_array_equal(found.mean_error, 0.0)
    np.testing.assert_array_equal(found.sd_error, 0.0)
    matrix = design(data, intercept)
    marginal = stats.multivariate_normal(matrix @ loc, matrix @ np.diag(scale**2) @ matrix.T + 0.25 * np.eye(n))
    assert np.isclose(found.log_evidence, marginal.logpdf(data.y), rtol=1e-9)


def test_flat_and_normal_priors_mix_and_flat_ones_leave_no_evidence():
    data = some_data()
    priors = {"intercept": "Flat()", "beta[a]": "Normal(0, 1)", "beta[b]": "Flat()"}
    found = solve(state("Gaussian(sigma=0.5)", data, priors), data).moments
    mean, cov = conjugate(design(data), data.y, 0.5, np.zeros(3), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-10)
    np.testing.assert_allclose(found.unconstrained_cov, cov, rtol=1e-9, atol=1e-12)
    assert found.log_evidence is None


def test_flat_priors_give_least_squares():
    data = some_data(p=3)
    priors = {"intercept": "Flat()", "beta": "Flat()"}
    found = solve(state("Gaussian(sigma=2)", data, priors), data).moments
    least_squares, *_ = np.linalg.lstsq(design(data), data.y, rcond=None)
    np.testing.assert_allclose(found.mean, least_squares, rtol=1e-10)


@pytest.mark.parametrize("prior", SIGMA_PRIORS)
def test_with_sigma_free_it_is_brute_force_quadrature(prior):
    data = some_data(12, 1, seed=3)
    regression = state("gaussian", data, {"intercept": "Normal(0, 3)", "beta": "Flat()", "sigma": prior})
    found = solve(regression, data).moments
    matrix, precision = design(data), np.array([1 / 9, 0.0])
    u = np.linspace(-6, 6, 4001)
    sigma = np.exp(u)[:, None]
    cov_given = np.linalg.inv(matrix.T @ matrix / sigma[..., None] ** 2 + np.diag(precision))
    means = (cov_given @ (matrix.T @ data.y)) / sigma**2
    residual = stats.norm(means @ matrix.T, sigma).logpdf(data.y).sum(axis=1)
    joint = residual + stats.norm(0, 3).logpdf(means[:, 0]) + 0.5 * np.linalg.slogdet(cov_given)[1]
    log_weights = joint + regression.auxiliary["sigma"].log_prob(np.exp(u)) + u
    squares = cov_given + means[:, :, None] * means[:, None, :]
    weights = np.exp(log_weights - log_weights.max())
    total = weights.sum()
    mean = weights @ means / total
    cov = np.einsum("k,kij->ij", weights, squares) / total - np.outer(mean, mean)
    sigma_mean = weights @ np.exp(u) / total
    sigma_sd = np.sqrt(weights @ (np.exp(u) - sigma_mean) ** 2 / total)
    np.testing.assert_allclose(found.mean, [*mean, sigma_mean], rtol=1e-6)
    np.testing.assert_allclose(found.sd, [*np.sqrt(np.diag(cov)), sigma_sd], rtol=1e-5)
    u_mean = weights @ u / total
    np.testing.assert_allclose(found.unconstrained_mean[2], u_mean, rtol=1e-7)
    cross = (weights * (u - u_mean)) @ (means - mean) / total
    np.testing.assert_allclose(found.unconstrained_cov[2, :2], cross, atol=1e-8)
    np.testing.assert_allclose(found.unconstrained_cov[:2, :2], cov, rtol=1e-5, atol=1e-9)


def test_the_evidence_with_sigma_free_is_the_integral_over_it():
    data = some_data(8, 1)
    priors = {"intercept": "Normal(0, 2)", "beta": "Normal(0, 2)", "sigma": "Exponential(1)"}
    found = solve(state("gaussian", data, priors), data).moments
    matrix = design(data)

    def density(sigma):
        cov = 4 * matrix @ matrix.T + sigma**2 * np.eye(8)
        return stats.multivariate_normal(np.zeros(8), cov).pdf(data.y) * np.exp(-sigma)

    total, _ = integrate.quad(density, 0, 50, points=[0.2, 0.5, 1, 3], epsabs=0, epsrel=1e-9, limit=200)
    assert np.isclose(found.log_evidence, np.log(total), rtol=1e-8)


def test_the_toys_known_figures():
    table = toy_data()
    fixed = solve(problem.toy().regression, problem.toy().data).moments
    np.testing.assert_allclose(fixed.mean, [0.99926756, 2.98690095], atol=6e-9)
    np.testing.assert_allclose(fixed.sd, [0.02066942, 0.0329923], atol=6e-8)
    assert np.isclose(fixed.log_evidence, 78.69065793, atol=1e-8)
    data = from_arrays(table[:, 0], table[:, 1])
    free = solve(state("gaussian", data, WIDE | {"sigma": "HalfNormal(1)"}), data).moments
    np.testing.assert_allclose(free.mean, [0.99926742, 2.98690123, 0.0992084], atol=6e-8)
    np.testing.assert_allclose(free.sd, [0.0205598, 0.0328173, 0.0072060], atol=6e-8)
    assert np.isclose(free.log_evidence, 74.467665, atol=1e-6)


def test_a_column_far_from_zero_keeps_a_millionth_of_an_sd():
    n = 100_000
    rng = np.random.default_rng(0)
    x = 1e4 + rng.normal(size=n)
    y = 2.0 + 3.0 * (x - 1e4) + rng.normal(size=n)
    data = from_arrays(x, y)
    found = solve(state("Gaussian(sigma=1)", data, {"intercept": "Flat()", "beta": "Flat()"}), data).moments
    wide_x, wide_y = x.astype(np.longdouble), y.astype(np.longdouble)
    centred = wide_x - wide_x.mean()
    square = centred @ centred
    slope = centred @ (wide_y - wide_y.mean()) / square
    intercept = wide_y.mean() - slope * wide_x.mean()
    sd = np.sqrt([1 / n + wide_x.mean() ** 2 / square, 1 / square]).astype(float)
    assert np.all(np.abs(found.mean - np.array([intercept, slope], dtype=float)) < 1e-6 * sd)
    np.testing.assert_allclose(found.sd, sd, rtol=1e-6)


@pytest.mark.parametrize("family", ["Gaussian(sigma=0.5)", "gaussian"])
def test_draws_have_the_moments(family):
    data = some_data(15)
    priors = WIDE | ({"sigma": "HalfCauchy(1)"} if family == "gaussian" else {})
    regression = state(family, data, priors)
    solved = solve(regression, data)
    n = 40_000
    posterior = solved.sample(n, seed=5)
    drawn = np.stack([v[0] for v in posterior.parameters().values()], axis=-1)
    moments = solved.moments
    assert np.all(np.abs(drawn.mean(axis=0) - moments.mean) < 4.5 * moments.sd / np.sqrt(n))
    np.testing.assert_allclose(drawn.std(axis=0), moments.sd, rtol=0.04)
    drawn = to_judged(drawn, regression.bounds)
    corr = np.corrcoef(drawn, rowvar=False)
    sd = np.sqrt(np.diag(moments.unconstrained_cov))
    np.testing.assert_allclose(corr, moments.unconstrained_cov / np.outer(sd, sd), atol=5 / np.sqrt(n))
    for a, b in zip(posterior.draws.values(), solved.sample(n, seed=5).draws.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_mean_log_joint_is_that_of_the_draws():
    data = some_data(15)
    regression = state("gaussian", data, WIDE | {"sigma": "HalfNormal(1)"})
    solved = solve(regression, data)
    values = LogJoint(regression, data)(solved.sample(20_000, seed=1).draws)
    assert abs(values.mean() - solved.moments.log_joint) < 4.5 * values.std() / np.sqrt(20_000)


def test_fewer_rows_than_columns_are_fine_with_normal_priors():
    data = some_data(3, 6)
    found = solve(state("gaussian", data, WIDE | {"sigma": "InverseGamma(3, 1)"}), data).moments
    assert np.all(np.isfinite(found.mean))
    assert np.all(found.sd > 0)


def test_an_improper_posterior_is_refused():
    x = np.arange(5.0)
    data = from_arrays(np.column_stack([x, 2 * x]), x, columns=("a", "b"))
    flat = {"intercept": "Flat()", "beta": "Flat()"}
    with pytest.raises(UnsupportedError, match="improper"):
        solve(state("Gaussian(sigma=1)", data, flat), data)
    two_rows = from_arrays([1.0, 2.0], [1.0, 3.0])
    with pytest.raises(UnsupportedError, match="improper"):
        solve(state("gaussian", two_rows, flat | {"sigma": "Flat()"}), two_rows)


@pytest.mark.parametrize("family", ["Gaussian(sigma=0.5)", "gaussian"])
def test_weights_are_repeated_rows_and_an_offset_is_taken_off(family):
    data = some_data(15)
    times = np.random.default_rng(2).integers(1, 4, 15)
    offset = np.linspace(-3.0, 5.0, 15)
    priors = WIDE | ({"sigma": "HalfCauchy(1)"} if family == "gaussian" else {})
    regression = state(family, data, priors)
    repeated = solve(regression, data.take(np.repeat(np.arange(15), times))).moments
    shifted = replace(data, y=data.y + offset, offset=offset, weights=times.astype(float))
    assert_same(solve(regression, shifted).moments, repeated, 1e-10)
    few = compress(regression, shifted)
    assert few.ones is not None
    assert_same(solve(regression, few).moments, repeated, 1e-10)


def assert_same(found, expected, tolerance):
    """In posterior sds; of the evidence in nats."""
    sd = np.sqrt(np.diag(expected.unconstrained_cov))
    assert np.max(np.abs(found.unconstrained_mean - expected.unconstrained_mean) / sd) < tolerance
    assert np.max(np.abs(found.unconstrained_cov - expected.unconstrained_cov) / np.outer(sd, sd)) < tolerance
    assert np.max(np.abs(found.mean - expected.mean) / expected.sd) < tolerance
    assert np.max(np.abs(found.sd / expected.sd - 1)) < tolerance
    assert abs(found.log_joint - expected.log_joint) < 10 * tolerance
    assert abs(found.log_evidence - expected.log_evidence) < 10 * tolerance


@pytest.mark.parametrize("family", ["Gaussian(sigma=0.5)", "gaussian", "bernoulli"])
@pytest.mark.parametrize("method", [MLE(), MAP()], ids=str)
def test_point_estimates_are_where_the_density_is_flat(family, method):
    data = some_data(40)
    if family == "bernoulli":
        data = from_arrays(data.x, np.random.default_rng(1).integers(0, 2, 40), columns=data.columns)
    priors = {"intercept": "Normal(0, 1)", "beta": "StudentT(3, 0, 1)"}
    priors |= {"sigma": "Exponential(3)"} if family == "gaussian" else {}
    regression = state(family, data, priors)
    registered = loading.load()["exact"]
    backend = Checked(registered.make(), registered.info)
    fit = backend.fit(regression, backend.build_data(regression, data), method, seed=0)
    posterior = backend.sample_posterior(fit, seed=0)
    assert posterior.shape == (1, 1)
    assert posterior.estimand == method.name
    slots = regression.slots()
    u = unconstrain(slots, {name: v[0, 0] for name, v in posterior.draws.items()}, np)
    joint = LogJoint(regression, data, prior=method.name == "map")
    np.testing.assert_allclose(unconstrained_density(joint, jacobian=False)[1](u), 0.0, atol=1e-4)


def test_predictions_are_those_of_the_draws():
    toy = problem.toy()
    registered = loading.load()["exact"]
    backend = Checked(registered.make(), registered.info)
    fit = backend.fit(toy.regression, toy.data, Exact(500), seed=0)
    posterior = backend.sample_posterior(fit, seed=1)
    mean = backend.predict(fit, posterior, toy.new_data, kind="mean", seed=2)
    expected = posterior.draws["intercept"][..., None] + posterior.draws["beta"] * toy.new_data.x[:, 0]
    np.testing.assert_allclose(mean, expected, rtol=1e-12)
    response = backend.predict(fit, posterior, toy.new_data, kind="response", seed=2)
    assert np.isclose(np.std(response - mean), 0.1, rtol=0.03)


def test_more_columns_than_rows_and_a_free_sigma_against_quadrature_of_the_marginal() -> None:
    """The residual can vanish; the marginal of sigma is y ~ Normal(0, sigma^2 I + X S X')."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(12, 30))
    y = x[:, 0] + rng.normal(size=12)
    priors = {"intercept": "Normal(0, 2)", "beta": "Normal(0, 0.5)", "sigma": "Exponential(1)"}
    stated = problem.from_data(from_arrays(x, y), priors=priors)
    found = solve(stated.regression, stated.data).moments
    design = np.column_stack([np.ones(12), x])
    scale = np.array([2.0] + [0.5] * 30)
    u = np.linspace(-60.0, 5.0, 20_001)
    values, vectors = np.linalg.eigh((design * scale**2) @ design.T)
    turned = (vectors.T @ y) ** 2
    variances = values + np.exp(2 * u)[:, None]
    density = -0.5 * np.sum(np.log(2 * np.pi * variances) + turned / variances, axis=1) - np.exp(u) + u
    weights = np.exp(density - density.max())
    weights /= weights.sum()
    assert np.isclose(found.mean[-1], weights @ np.exp(u), rtol=1e-6)
    step = u[1] - u[0]
    assert np.isclose(
        found.log_evidence, density.max() + np.log(np.exp(density - density.max()).sum() * step), atol=1e-8
    )
