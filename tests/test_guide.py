"""From a guide's iterates to moments, and what a network is judged on."""

import numpy as np
import pytest
from declared import problems
from scipy import integrate, special, stats

from bayescore.density import coordinates
from bayescore.density.guide import flatten, moments_by_draws, summarize
from bayescore.density.target import Guided
from bayescore.exact.posterior import solve
from bayescore.methods import SVI
from bayescore.model.posterior import label, to_judged
from bayescore.model.response import linear_predictor
from bayescore.model.transforms import REAL
from bayescore.regressions.target import RegressionTarget
from bayescore.tables import problem

TOY = problem.toy()
PROBLEMS = problems()
FREE = PROBLEMS["Gaussian-identity"]
STEPS = 2000


def iterates(d, noise=0.02, seed=0, lower=False):
    """Settled iterates around a fixed guide."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    found = {
        "loc": fixed.normal(0, 0.3, d) + noise * rng.standard_normal((STEPS, d)),
        "log_scale": fixed.normal(-0.5, 0.2, d) + noise * rng.standard_normal((STEPS, d)),
    }
    if lower:
        found["lower"] = np.tril(fixed.normal(0, 0.3, (d, d)), -1) + np.zeros((STEPS, 1, 1))
    return found


@pytest.mark.parametrize("lower", [False, True], ids=["mean_field", "full_rank"])
def test_the_estimate_is_the_iterates_mean_carried_by_the_map(lower):
    space = coordinates.for_method(FREE.regression, FREE.data, SVI(guide="full_rank" if lower else "mean_field"))
    given = iterates(space.size, lower=lower)
    found = summarize(FREE.regression, space, given, average=True)
    root = np.diag(np.exp(given["log_scale"].mean(axis=0))) + (given["lower"][0] if lower else 0.0)
    np.testing.assert_allclose(found.scale_tril, root, rtol=1e-12)
    wanted = space.matrix @ root @ root.T @ space.matrix.T
    np.testing.assert_allclose(found.moments.unconstrained_cov, wanted, rtol=1e-10)
    np.testing.assert_allclose(found.moments.unconstrained_mean, space.unconstrained(given["loc"].mean(axis=0)))
    last = summarize(FREE.regression, space, given, average=False)
    np.testing.assert_array_equal(last.loc, given["loc"][-1])


@pytest.mark.parametrize("lower", [False, True], ids=["mean_field", "full_rank"])
def test_moments_by_draws_are_the_closed_form_within_their_errors(lower):
    """Of Gaussian and log-normal parameters; 4.5 errors, a false alarm 1 time in 10^4."""
    space = coordinates.for_method(FREE.regression, FREE.data, SVI(guide="full_rank" if lower else "mean_field"))
    given = iterates(space.size, lower=lower)
    closed = summarize(FREE.regression, space, given, average=True).moments
    names, bounds = FREE.regression.parameters, FREE.regression.bounds
    drawn = moments_by_draws(names, bounds, lambda v: flatten(FREE.regression, v), space, given, average=True)
    for part in ("unconstrained_mean", "mean", "sd"):
        error = getattr(drawn, f"{part}_error")
        assert np.all(np.abs(getattr(drawn, part) - getattr(closed, part)) < 4.5 * error), part
    sd = np.sqrt(np.diag(closed.unconstrained_cov))
    assert np.all(np.abs(np.sqrt(np.diag(drawn.unconstrained_cov)) - sd) < 4.5 * drawn.unconstrained_sd_error)
    correlation = drawn.unconstrained_cov / np.outer(sd, sd)
    assert np.max(np.abs(correlation - closed.unconstrained_cov / np.outer(sd, sd))) < 0.06


def test_errors_by_draws_hold_those_of_the_iterates():
    """Noisy iterates: the two ways state the same error, but for that of the draws."""
    space = coordinates.for_method(FREE.regression, FREE.data, SVI())
    given = iterates(space.size, noise=5.0) | {"log_scale": iterates(space.size)["log_scale"]}
    closed = summarize(FREE.regression, space, given, average=True).moments
    names, bounds = FREE.regression.parameters, FREE.regression.bounds
    drawn = moments_by_draws(names, bounds, lambda v: flatten(FREE.regression, v), space, given, average=True)
    own = np.diag(closed.unconstrained_cov) / 10_000
    wanted = np.sqrt(closed.unconstrained_mean_error**2 + own)
    np.testing.assert_allclose(drawn.unconstrained_mean_error, wanted, rtol=0.02)


def test_a_bounded_parameters_moments_are_those_of_a_logit_normal():
    stated = PROBLEMS["prior-auxiliary-Uniform"]
    space = coordinates.for_method(stated.regression, stated.data, SVI())
    given = iterates(space.size)
    moments = summarize(stated.regression, space, given, average=True).moments
    j = stated.regression.parameters.index("sigma")
    low, high = stated.regression.bounds[j]
    mean = space.unconstrained(given["loc"].mean(axis=0))[j]
    root = space.matrix * np.exp(given["log_scale"].mean(axis=0))
    sd = float(np.linalg.norm(root[j]))

    def expected(power):
        def value(u):
            return (low + (high - low) * special.expit(u)) ** power * stats.norm(mean, sd).pdf(u)

        return integrate.quad(value, mean - 9 * sd, mean + 9 * sd)[0]

    assert abs(moments.mean[j] - expected(1)) < 4.5 * moments.mean_error[j]
    assert abs(moments.sd[j] - np.sqrt(expected(2) - expected(1) ** 2)) < 4.5 * moments.sd_error[j]
    assert abs(moments.unconstrained_mean[j] - mean) < 4.5 * moments.unconstrained_mean_error[j]


@pytest.mark.parametrize("name", ["groups-correlated-Gaussian", "Ordinal-logit", "prior-Horseshoe"])
def test_moments_of_parameters_that_depend_on_others_are_those_of_their_draws(name):
    stated = PROBLEMS[name]
    space = coordinates.for_method(stated.regression, stated.data, SVI())
    given = iterates(space.size)
    moments = summarize(stated.regression, space, given, average=True).moments
    rng = np.random.default_rng(5)
    z = given["loc"].mean(axis=0) + np.exp(given["log_scale"].mean(axis=0)) * rng.standard_normal((20_000, space.size))
    judged = to_judged(flatten(stated.regression, space.constrained(z)), stated.regression.bounds)
    error = np.hypot(moments.unconstrained_mean_error, judged.std(axis=0) / np.sqrt(20_000))
    assert np.all(np.abs(moments.unconstrained_mean - judged.mean(axis=0)) < 5 * error)
    assert moments.names == stated.regression.parameters
    assert np.all(np.isfinite(moments.unconstrained_cov))


SOLVED = solve(TOY.regression, TOY.data)


NET = PROBLEMS["network-4"]


def net_posterior(seed=0, draws=200):
    rng = np.random.default_rng(seed)
    values = {s.name: np.exp(0.2 * rng.standard_normal((2, draws, *s.shape))) for s in NET.regression.sites}
    return label(NET.regression, values)


def test_a_network_is_judged_on_its_outputs_and_auxiliaries():
    target = RegressionTarget(NET.regression, NET.data, NET.data)
    assert target.quantities.parameters == (*(f"eta[row {r}]" for r in (1, 8, 14, 21, 27, 34, 40, 47, 53, 60)), "sigma")
    posterior = net_posterior()
    shown = target.judged(posterior)
    eta = linear_predictor(NET.regression, NET.data, posterior.draws)
    np.testing.assert_allclose(shown.draws["eta[row 8]"], eta[..., 7], rtol=1e-12)
    np.testing.assert_array_equal(shown.draws["sigma"], posterior.draws["sigma"])
    assert shown.moments is None


def test_few_rows_are_judged_all():
    found = RegressionTarget(NET.regression, NET.data, NET.data.take(slice(3))).quantities
    assert found.parameters[:3] == tuple(f"eta[row {r}]" for r in (1, 2, 3))
    assert found.bounds[:3] == (REAL,) * 3


def test_a_networks_guide_has_moments_of_its_outputs():
    target = RegressionTarget(NET.regression, NET.data, NET.data)
    space = coordinates.for_method(NET.regression, NET.data, SVI())
    given = iterates(space.size)
    posterior = label(
        NET.regression, space.constrained(np.random.default_rng(7).standard_normal((1, 2000, space.size)))
    )
    shown = target.judged(posterior, Guided(space, given, True))
    assert shown.moments.names == target.quantities.parameters
    z = given["loc"].mean(axis=0) + np.exp(given["log_scale"].mean(axis=0)) * np.random.default_rng(8).standard_normal(
        (10_000, space.size)
    )
    eta = linear_predictor(NET.regression, NET.data, space.constrained(z))[:, 0]
    error = np.hypot(shown.moments.mean_error[0], eta.std() / 100)
    assert abs(shown.moments.mean[0] - eta.mean()) < 4.5 * error


def test_identified_parameters_are_judged_as_they_are():
    posterior = SOLVED.sample(100, 0)
    assert TOY.target.quantities == (TOY.regression.parameters, TOY.regression.bounds)
    assert TOY.target.judged(posterior) is posterior
