"""Predictions are scored against a known response, with honest Monte Carlo errors."""

import numpy as np
import pytest

from bayescore import problem
from bayescore.backend import Fit
from bayescore.comparison.predictions import max_difference, summarize
from bayescore.exact.backend import ExactBackend
from bayescore.exact.posterior import solve
from bayescore.methods import Exact

TOY = problem.toy()
SOLVED = solve(TOY.regression, TOY.data)


def summary(seed: int, draws: int = 2000):
    fit = Fit(TOY.regression, Exact(draws=draws), SOLVED)
    posterior = SOLVED.sample(draws, seed)
    return summarize(ExactBackend(), fit, posterior, TOY.new_data, seed)


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
    monkeypatch.setattr("bayescore.comparison.predictions._BLOCK_VALUES", 7 * 2000)
    parts = summary(1)
    assert np.allclose(whole.mean, parts.mean)
    assert parts.score == pytest.approx(dict(whole.score))


def test_the_largest_difference_is_in_sds_of_the_prediction() -> None:
    a, b = summary(2), summary(3)
    gap = max_difference(a, b)
    assert gap is not None
    assert gap == pytest.approx(np.max(np.abs(a.mean - b.mean) / np.sqrt((a.sd**2 + b.sd**2) / 2)))
    assert gap < 0.15
