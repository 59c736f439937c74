"""Predictions are scored against a known response, with honest Monte Carlo errors."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems
from scipy.stats import kstest

from bayescore.backend import Backend, BackendInfo, Fit
from bayescore.contract.checked import Checked
from bayescore.exact.backend import ExactBackend
from bayescore.exact.posterior import solve
from bayescore.methods import NUTS, Exact
from bayescore.model import response
from bayescore.model.data import Data
from bayescore.model.posterior import label
from bayescore.model.predictions import max_difference
from bayescore.regressions.points import prior_draw
from bayescore.regressions.predictions import summarize_predictions
from bayescore.tables import problem

TOY = problem.toy()
PROBLEMS = problems()
SOLVED = solve(TOY.regression, TOY.data)


def summary(seed: int, draws: int = 2000):
    fit = Fit(TOY.regression, Exact(draws=draws), SOLVED)
    posterior = SOLVED.sample(draws, seed)
    return summarize_predictions(ExactBackend(), fit, posterior, TOY.new_data, seed)


def test_the_scores_are_those_of_their_definitions() -> None:
    found, posterior = summary(0), SOLVED.sample(2000, 0)
    mean = posterior.draws["intercept"][0, :, None] + posterior.draws["beta"][0] @ TOY.new_data.x.T
    y = TOY.new_data.observed
    assert found.score["mse"] == pytest.approx(np.mean((mean.mean(axis=0) - y) ** 2))
    density = np.exp(-0.5 * ((y - mean) / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi))
    assert found.score["lpd"] == pytest.approx(np.log(density.mean(axis=0)).sum())


def test_the_errors_of_the_scores_are_honest() -> None:
    """Over 60 sets of draws the stated errors match the spread, within the error of a spread."""
    found = [summary(seed, 1000).score for seed in range(60)]
    for name in ("mse", "lpd"):
        spread = np.std([score[name] for score in found], ddof=1)
        stated = np.median([score[f"{name}_error"] for score in found])
        assert 0.7 < stated / spread < 1.4, name


def test_blocks_of_rows_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = summary(1)
    monkeypatch.setattr("bayescore.regressions.predictions._BLOCK_VALUES", 7 * 2000)
    parts = summary(1)
    assert np.allclose(whole.mean, parts.mean)
    assert parts.score == pytest.approx(dict(whole.score))


def test_the_largest_difference_is_in_sds_of_the_prediction() -> None:
    a, b = summary(2), summary(3)
    gap = max_difference(a, b)
    assert gap is not None
    assert gap == pytest.approx(np.max(np.abs(a.mean - b.mean) / np.sqrt((a.sd**2 + b.sd**2) / 2)))
    assert gap < 0.15


def straight(name: str, draws: int = 300, seed: int = 0):
    """A problem that can be declared, draws from its priors, and their summary."""
    stated = PROBLEMS[name]
    rng = np.random.default_rng(seed)
    each = [prior_draw(stated.regression, rng) for _ in range(draws)]
    posterior = label(stated.regression, {n: np.stack([d[n] for d in each])[None] for n in each[0]})
    fit = Fit(stated.regression, NUTS(), None)
    return stated, posterior, fit


@pytest.mark.parametrize("name", ["Ordinal-logit", "Categorical-softmax"])
def test_probabilities_of_categories_are_summarized_and_scored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Category by category; the squared error is Brier's score."""
    stated, posterior, fit = straight(name)
    found = summarize_predictions(ExactBackend(), fit, posterior, stated.data, 0)
    assert found.mean.shape == found.sd.shape == found.q05.shape == (60, 3)
    np.testing.assert_allclose(found.mean.sum(axis=1), 1.0)
    assert np.all((found.q05 <= found.mean) & (found.mean <= found.q95))
    truth = np.eye(3)[stated.data.y.astype(int)]
    assert found.score["mse"] == pytest.approx(np.mean(np.sum((found.mean - truth) ** 2, axis=1)))
    assert found.score["lpd"] == pytest.approx(np.sum(np.log(found.mean[truth == 1])))
    monkeypatch.setattr("bayescore.regressions.predictions._BLOCK_VALUES", 7 * 300 * 3)
    parts = summarize_predictions(ExactBackend(), fit, posterior, stated.data, 0)
    np.testing.assert_allclose(parts.mean, found.mean)
    assert parts.score == pytest.approx(dict(found.score))


@pytest.mark.parametrize(
    "name", ["Poisson-weights-offset", "Binomial-probit", "groups-correlated-Gaussian", "network-4"]
)
def test_offsets_trials_and_groups_are_predicted_with(name: str) -> None:
    stated, posterior, fit = straight(name)
    found = summarize_predictions(ExactBackend(), fit, posterior, stated.data.take(slice(5)), 0)
    rows = stated.data.take(slice(5))
    eta = response.linear_predictor(stated.regression, rows, posterior.draws)
    given = response.given(stated.regression, rows, posterior.draws)
    mean = stated.regression.family.mean(eta, given)[0]
    np.testing.assert_allclose(found.mean, mean.mean(axis=0), rtol=1e-12)
    terms = stated.regression.family.log_prob(rows.y, eta, given)[0]
    assert found.score["lpd"] == pytest.approx(np.sum(np.log(np.mean(np.exp(terms - 50), axis=0)) + 50))


def test_without_a_response_nothing_is_scored() -> None:
    stated, posterior, fit = straight("Poisson-log")
    found = summarize_predictions(ExactBackend(), fit, posterior, replace(stated.data, y=None), 0)
    assert found.score == {}
    assert np.all(np.isfinite(found.mean))


class Bare(Backend):
    """What a backend has to write, and nothing more."""

    def build_data(self, regression, data):
        raise AssertionError("not called")

    def fit(self, regression, data, method, *, seed, progress=None):
        raise AssertionError("not called")

    def sample_posterior(self, fit, *, seed):
        raise AssertionError("not called")


def test_a_backend_that_says_nothing_predicts_by_the_stated_regression() -> None:
    """By hand: Poisson, with an offset; the noise of each draw and row is its own."""
    stated, posterior, fit = straight("Poisson-weights-offset", draws=4000)
    rows = replace(stated.data.take(slice(3)), x=np.array([[0.5, 1.0], [0.0, 0.0], [0.2, -0.3]]))
    near = {name: np.full((1, 4000, *v.shape[2:]), 0.3) for name, v in posterior.draws.items()}
    posterior = replace(posterior, draws=near)
    rate = np.exp(0.3 + rows.x @ [0.3, 0.3] + rows.offset)
    mean = Bare().predict(fit, posterior, rows, seed=0)
    assert mean.shape == (1, 4000, 3)
    np.testing.assert_allclose(mean, np.broadcast_to(rate, mean.shape), rtol=1e-12)
    drawn = Bare().predict(fit, posterior, rows, kind="response", seed=0)[0]
    assert np.all(np.abs(drawn.mean(axis=0) - rate) < 4.5 * np.sqrt(rate / 4000))
    assert np.all(np.abs(drawn.var(axis=0) / rate - 1) < 4.5 * np.sqrt((2 + 1 / rate) / 4000))
    assert np.all(np.abs(np.corrcoef(drawn.T) - np.eye(3)) < 4.5 / np.sqrt(4000))


def test_responses_whose_law_no_draw_changes_are_still_drawn_for_each() -> None:
    """Without intercept and columns the linear predictor is the offset, whatever the draw."""
    rng = np.random.default_rng(0)
    data = Data(np.empty((30, 0)), rng.normal(size=30), (), offset=rng.normal(size=30))
    stated = problem.from_data(data, intercept=False)
    posterior = label(stated.regression, {"sigma": np.full((2, 50), 0.7)})
    fit = Fit(stated.regression, NUTS(), None)
    np.testing.assert_array_equal(
        Bare().predict(fit, posterior, data, seed=0), np.broadcast_to(data.offset, (2, 50, 30))
    )
    noise = (Bare().predict(fit, posterior, data, kind="response", seed=0) - data.offset) / 0.7
    assert kstest(noise.ravel(), "norm").pvalue > 1e-4
    assert len(np.unique(noise)) == noise.size


@pytest.mark.parametrize("name", PROBLEMS)
def test_predictions_of_whatever_can_be_declared_are_those_of_the_draws(name: str) -> None:
    stated, posterior, fit = straight(name, draws=1000)
    backend = Checked(Bare(), BackendInfo("bare", lambda precision: Bare(), frozenset()))
    rows = stated.data.take(slice(20))
    backend.predict(fit, posterior, rows, seed=1)
    backend.check_responses(fit, posterior, rows, seed=1)
