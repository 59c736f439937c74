"""Predictions against the families' own means and samples in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from pyro_support import BACKEND, PROBLEMS, run, toy

from bayescore import methods
from bayescore.backend import Fit
from bayescore.density.mode import start_of
from bayescore.model import response
from bayescore.model.data import Membership
from bayescore.model.posterior import label
from bayescore.model.transforms import constrain

NAMES = [name for name in PROBLEMS if not name.startswith("prior")]
DRAWS = 4000


def fit_and_posterior(problem, seed, count, chains=1):
    """Made up: values near a sensible start, the same in every draw if there is one chain."""
    slots = problem.regression.slots()
    start = start_of(problem.regression, problem.data)
    rng = np.random.default_rng(seed)
    u = start + 0.3 * rng.standard_normal((chains, count if chains > 1 else 1, start.size))
    draws, _ = constrain(slots, u, np)
    draws = {name: np.broadcast_to(v, (chains, count, *v.shape[2:])).copy() for name, v in draws.items()}
    return Fit(problem.regression, methods.NUTS(), None), label(problem.regression, draws)


def by_numpy(problem, draws, rows):
    eta = response.linear_predictor(problem.regression, rows, draws)
    return eta, response.given(problem.regression, rows, draws)


@pytest.mark.parametrize("name", NAMES)
def test_means_are_the_families_own(name):
    problem = PROBLEMS[name]
    fit, posterior = fit_and_posterior(problem, 1, 3, chains=2)
    rows = problem.new_data
    means = BACKEND.predict(fit, posterior, rows, seed=0)
    flat = {site: v.reshape(6, *v.shape[2:]) for site, v in posterior.draws.items()}
    expected = problem.regression.family.mean(*by_numpy(problem, flat, rows))
    categories = (3,) if problem.regression.family.categorical else ()
    assert means.shape == (2, 3, rows.rows, *categories)
    np.testing.assert_allclose(means.reshape(expected.shape), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_responses_are_distributed_as_the_families_own(name):
    """Means and mean squared deviations of two samples, within five standard errors."""
    problem = PROBLEMS[name]
    fit, posterior = fit_and_posterior(problem, 2, DRAWS)
    rows = problem.data.take(slice(0, 4))
    drawn = BACKEND.predict(fit, posterior, rows, kind="response", seed=3)
    assert drawn.shape == (1, DRAWS, 4)
    eta, given = by_numpy(problem, {site: v[0] for site, v in posterior.draws.items()}, rows)
    expected = problem.regression.family.sample(np.random.default_rng(4), eta, given)
    centre = expected.mean(axis=0)
    for power in (1, 2):
        a, b = (drawn[0] - centre) ** power, (expected - centre) ** power
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / DRAWS)
        assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) <= 5 * error), (power, a.mean(axis=0), b.mean(axis=0))


def test_heavy_tails_are_predicted_by_their_location():
    """The mean of Student's t with one degree of freedom does not exist; eta does."""
    problem = PROBLEMS["StudentT-identity"]
    fit, posterior = fit_and_posterior(problem, 1, 1)
    posterior.draws["df"][...] = 0.9
    means = BACKEND.predict(fit, posterior, problem.new_data, seed=0)
    draws = {site: v[0] for site, v in posterior.draws.items()}
    np.testing.assert_allclose(means[0], by_numpy(problem, draws, problem.new_data)[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["groups-intercepts-Gaussian", "groups-three-correlated"])
def test_levels_that_were_not_there_have_offsets_of_their_own(name):
    """The core draws them and appends them; rows tell their level by its position."""
    problem = PROBLEMS[name]
    fit, posterior = fit_and_posterior(problem, 1, 4, chains=2)
    offsets = [name for name in posterior.draws if name.startswith("offset(")]
    rng = np.random.default_rng(0)
    more = {site: np.concatenate([posterior.draws[site], rng.normal(size=(2, 4, 1))], axis=-1) for site in offsets}
    wider = replace(posterior, draws={**posterior.draws, **more})
    groups = {
        key: Membership(np.where(np.arange(60) % 2, member.index, 5), member.value)
        for key, member in problem.data.groups.items()
    }
    rows = replace(problem.data, groups=groups)
    means = BACKEND.predict(fit, wider, rows, seed=0)
    np.testing.assert_allclose(means, by_numpy(problem, wider.draws, rows)[0], rtol=1e-10, atol=1e-12)


def test_many_draws_of_many_rows_are_predicted_in_parts(monkeypatch):
    from bayescore_pyro import prediction

    model, rows, _, _ = toy()
    fit, posterior = run(model, rows, methods.Laplace(draws=50))
    whole = BACKEND.predict(fit, posterior, rows, seed=1)
    monkeypatch.setattr(prediction, "_BLOCK_VALUES", 7 * rows.rows)
    np.testing.assert_allclose(BACKEND.predict(fit, posterior, rows, seed=1), whole, rtol=1e-14)


def test_a_seed_decides_the_responses():
    model, rows, _, _ = toy()
    fit, posterior = run(model, rows, methods.Laplace(draws=50))
    one, again, other = (BACKEND.predict(fit, posterior, rows, kind="response", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
