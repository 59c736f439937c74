"""All structures through the methods: none fails, and what is known of the answers holds."""

from dataclasses import replace

import numpy as np
import pytest
from pyro_support import BACKEND, PROBLEMS, TELLING, run, toy

import bayescore
from bayescore import methods
from bayescore.density import coordinates, specification
from bayescore.density.guide import mean_error
from bayescore.density.mode import laplace, start_of
from bayescore.density.reduction import compress
from bayescore.errors import UnsupportedError
from bayescore.model import data
from bayescore.model.data import Membership
from bayescore.model.groups import Grouping
from bayescore.model.transforms import unconstrain
from bayescore.tables import default_priors

CHEAP = [
    methods.SVI(steps=2, particles=3, draws=4, guide="full_rank", batch_size=20),
    methods.NUTS(chains=1, warmup=2, draws=2, max_tree_depth=2),
    methods.Laplace(draws=4),
]


@pytest.mark.parametrize("method", CHEAP, ids=["svi", "nuts", "laplace"])
@pytest.mark.parametrize("name", TELLING)
def test_every_structure_goes_through_every_method(name, method):
    """With the contract's own checks of names, shapes, bounds and finiteness."""
    problem, engine = PROBLEMS[name], bayescore.get_backend("pyro")
    native = engine.build_data(problem.regression, problem.data)
    fit = engine.fit(problem.regression, native, method, seed=1)
    posterior = engine.sample_posterior(fit, seed=1)
    for kind in ("mean", "response"):
        assert engine.predict(fit, posterior, problem.new_data, kind=kind, seed=1).shape[:2] == posterior.shape


@pytest.mark.parametrize("name", TELLING)
def test_minibatches_add_up_to_all_rows(name):
    """The mean over the parts of a partition is the density of all rows."""
    import torch
    from bayescore_pyro.density import Density
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.stated import state

    problem = PROBLEMS[name]
    at = coordinates.for_method(problem.regression, problem.data, methods.NUTS())
    with isolated("float64", 0):
        rows = BACKEND.build_data(problem.regression, problem.data).rows
        target = Density(state(problem.regression), rows, at)
        z = torch.randn(target.size)
        parts = torch.stack([target.log_joint(z, batch) for batch in torch.randperm(rows.count).reshape(4, -1)])
        whole = target.log_joint(z)
    assert float(parts.std()) > 1e-3
    assert float(parts.mean()) == pytest.approx(float(whole), rel=1e-11)


@pytest.mark.parametrize("name", ["groups-correlated-Gaussian", "prior-coefficient-Beta", "Ordinal-logit"])
def test_log_q_is_the_density_of_the_reported_values(name):
    """By the guide's own formula, and a Jacobian by differences."""
    problem = PROBLEMS[name]
    method = methods.SVI(steps=4, draws=3)
    fit, posterior = run(problem.regression, problem.data, method)
    at = coordinates.for_method(problem.regression, problem.data, method)
    loc, scale = fit.iterates["loc"].mean(axis=0), np.exp(fit.iterates["log_scale"].mean(axis=0))

    def values(z):
        found = at.constrained(z)
        return np.concatenate([found[s.name].reshape(len(z), -1) for s in problem.regression.sites], axis=1)

    for j in range(3):
        one = {site: v[0, j] for site, v in posterior.draws.items()}
        z = at.inverse(one)
        step = 1e-5 * np.eye(z.size)
        jacobian = (values(z + step) - values(z - step)) / 2e-5
        log_normal = np.sum(-0.5 * ((z - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi))
        expected = log_normal - np.linalg.slogdet(jacobian)[1]
        assert posterior.sample_stats["log_q"][0, j] == pytest.approx(expected, abs=1e-6)


def hierarchy():
    """Six levels of five rows: intercept, sd and offsets to be learned, sigma known."""
    rng = np.random.default_rng(3)
    level = np.repeat(np.arange(6), 5)
    y = 1.0 + 0.8 * rng.standard_normal(6)[level] + 0.5 * rng.standard_normal(30)
    rows = data.Data(np.empty((30, 0)), y, (), groups={"1|g": Membership(level, np.ones(30))})
    grouping = Grouping("g", ("1",), tuple("abcdef"))
    stated = {"intercept": "Normal(0, 2)", "sd(1|g)": "HalfNormal(1)"}
    return default_priors.state("Gaussian(sigma=0.5)", rows, stated, groupings=[grouping]), rows


def by_quadrature(rows):
    """Posterior mean and variance of (intercept, sd, offsets): all is Gaussian given the sd."""
    z = np.eye(6)[rows.groups["1|g"].index]
    design = np.column_stack([np.ones(30), z])
    log_weights, first, second = [], [], []
    for sd in np.exp(np.linspace(-7.0, 3.0, 2001)):
        prior_sd = np.array([2.0, *(sd,) * 6])
        covariance = np.linalg.inv(design.T @ design / 0.25 + np.diag(1 / prior_sd**2))
        mean = covariance @ design.T @ rows.y / 0.25
        marginal = design @ np.diag(prior_sd**2) @ design.T + 0.25 * np.eye(30)
        log_likelihood = -0.5 * (rows.y @ np.linalg.solve(marginal, rows.y) + np.linalg.slogdet(marginal)[1])
        log_weights.append(log_likelihood - 0.5 * sd**2 + np.log(sd))
        first.append([mean[0], sd, *mean[1:]])
        second.append([mean[0] ** 2 + covariance[0, 0], sd**2, *(mean**2 + np.diag(covariance))[1:]])
    weights = np.exp(np.array(log_weights) - np.max(log_weights))
    weights /= weights.sum()
    mean = weights @ np.array(first)
    return mean, weights @ np.array(second) - mean**2


@pytest.mark.parametrize("centred", [False, True])
def test_nuts_on_a_hierarchy_finds_the_posterior_by_quadrature(centred):
    """Means and variances within 4.5 standard errors, which are small."""
    model, rows = hierarchy()
    _, posterior = run(model, rows, methods.NUTS(chains=1, warmup=200, draws=700, centred=centred))
    mean, variance = by_quadrature(rows)
    drawn = np.stack([v[0] for v in posterior.parameters().values()], axis=1)
    assert np.all(mean_error(drawn) < 0.25 * np.sqrt(variance))
    for values, expected in ((drawn, mean), ((drawn - mean) ** 2, variance)):
        assert np.all(np.abs(values.mean(axis=0) - expected) < 4.5 * mean_error(values))


def test_laplace_is_exact_on_the_toy():
    model, rows, mean, cov = toy()
    _, posterior = run(model, rows, methods.Laplace(draws=20_000))
    np.testing.assert_allclose(posterior.moments.mean, mean, rtol=1e-10)
    np.testing.assert_allclose(posterior.moments.unconstrained_cov, cov, rtol=1e-8)
    assert np.all(posterior.moments.mean_error == 0)
    drawn = np.stack([v[0] for v in posterior.parameters().values()])
    np.testing.assert_allclose(drawn.mean(axis=1), mean, atol=0.05 * np.sqrt(cov.max()))
    np.testing.assert_allclose(np.cov(drawn), cov, rtol=0.05)
    log_ratio = specification.LogJoint(model, rows)(posterior.draws) - posterior.sample_stats["log_q"]
    assert np.ptp(log_ratio) < 1e-6  # the evidence


@pytest.mark.parametrize("name", ["Poisson-log", "Ordinal-logit", "groups-intercepts-Poisson"])
def test_laplace_is_mode_and_curvature_of_the_specification(name):
    """On another way: the core's Newton steps, and its Hessian by differences."""
    problem = PROBLEMS[name]
    d = len(problem.regression.parameters)
    mode, precision = laplace(
        specification.LogJoint(problem.regression, problem.data), start_of(problem.regression, problem.data), np.eye(d)
    )
    _, posterior = run(problem.regression, problem.data, methods.Laplace(draws=20_000))
    values = {site: v[0] for site, v in posterior.draws.items()}
    u = unconstrain(problem.regression.slots(), values, np)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    assert np.all(np.abs(u.mean(axis=0) - mode) < 5 * sd / np.sqrt(20_000))
    np.testing.assert_allclose(np.cov(u.T) / np.outer(sd, sd), np.linalg.inv(precision) / np.outer(sd, sd), atol=0.05)


def test_laplace_refuses_what_has_no_maximum():
    problem = PROBLEMS["groups-intercepts-Gaussian"]
    with pytest.raises(UnsupportedError, match="no proper maximum near its start: leave out centred"):
        run(problem.regression, problem.data, methods.Laplace(centred=True))
    apart = data.from_arrays(np.linspace(-1.0, 1.0, 8), np.repeat([0.0, 1.0], 4))
    with pytest.raises(UnsupportedError, match="no proper maximum near its start: use nuts"):
        run(default_priors.state("Bernoulli", apart, {"beta": "Flat()"}), apart, methods.Laplace())


METHODS = [methods.Laplace(draws=1), methods.MLE(), methods.MAP()]


def found(model, rows, method):
    _, posterior = run(model, rows, method)
    if method.name == "laplace":
        return np.concatenate([posterior.moments.mean, posterior.moments.sd])
    return np.concatenate([v.ravel() for v in posterior.draws.values()])


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("family", ["Gaussian", "Poisson"])
def test_a_weight_of_two_is_a_row_that_occurs_twice(family, method):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 2)), rng.poisson(2.0, 30).astype(float)
    counts = rng.integers(1, 4, 30)
    whole = data.from_arrays(np.repeat(x, counts, axis=0), np.repeat(y, counts))
    weighted = replace(data.from_arrays(x, y), weights=counts.astype(float))
    model = default_priors.state(family, whole, {})
    np.testing.assert_allclose(found(model, weighted, method), found(model, whole, method), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_an_offset_is_taken_off_a_gaussian_response(method):
    rng = np.random.default_rng(5)
    x, y, offset = rng.normal(size=(30, 2)), rng.normal(size=30), rng.normal(size=30)
    plain = data.from_arrays(x, y)
    moved = replace(plain, y=y + offset, offset=offset)
    model = default_priors.state("Gaussian", plain, {})
    np.testing.assert_allclose(found(model, moved, method), found(model, plain, method), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_rows_that_stand_for_many_have_the_same_answer(method):
    """Four rows in the place of 60, with an intercept's column that is not 1."""
    problem = PROBLEMS["Gaussian-weights-offset"]
    few = compress(problem.regression, problem.data)
    assert few.rows == 4
    wanted = found(problem.regression, problem.data, method)
    np.testing.assert_allclose(found(problem.regression, few, method), wanted, rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if not name.startswith(("prior", "groups", "network"))])
def test_mle_is_the_likelihoods_maximum(name):
    """Against the core's Newton steps on the likelihood alone, in units of the Laplace sd."""
    problem = PROBLEMS[name]
    joint = specification.LogJoint(problem.regression, problem.data, prior=False)
    start = start_of(problem.regression, problem.data)
    mode, precision = laplace(joint, start, np.eye(start.size), jacobian=False)
    _, posterior = run(problem.regression, problem.data, methods.MLE())
    estimate = {site: v[0, 0] for site, v in posterior.draws.items()}
    u = unconstrain(problem.regression.slots(), estimate, np)
    assert np.all(np.abs(u - mode) < 1e-3 * np.sqrt(np.diag(np.linalg.inv(precision))))


def test_mle_refuses_an_estimate_that_the_priors_exclude():
    problem = PROBLEMS["prior-auxiliary-Beta"]
    with pytest.raises(UnsupportedError, match=r"greatest at sigma = 2\.281, which its prior excludes"):
        run(problem.regression, problem.data, methods.MLE())
