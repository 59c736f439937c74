"""Predictions, summarized block of rows by block of rows, and scored where the response is known."""

from collections.abc import Mapping

import numpy as np

from bayescore.backend import Backend, Fit
from bayescore.contract.new_levels import with_new_levels
from bayescore.density.guide import mean_error
from bayescore.model import response
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions

_BLOCK_VALUES = 1 << 22
"""Draws times rows held at once: 32 MB."""


def summarize_predictions(backend: Backend, fit: Fit, posterior: Posterior, new_data: Data, seed: int) -> Predictions:
    """Predict the expected response of every row, and score it."""
    posterior, new_data = with_new_levels(fit.regression, posterior, new_data, seed)
    draws = int(np.prod(posterior.shape))
    size = max(_BLOCK_VALUES // (draws * max(len(fit.regression.categories), 1)), 1)
    scored = new_data.y is not None and posterior.estimand == "posterior"
    score = Score(fit, posterior, new_data.rows) if scored else None
    parts = []
    for start in range(0, new_data.rows, size):
        block = new_data.take(slice(start, start + size))
        drawn = backend.predict(fit, posterior, block, kind="mean", seed=seed)
        drawn = drawn.reshape(draws, *drawn.shape[2:])
        quantiles = np.quantile(drawn, [0.05, 0.95], axis=0)
        parts.append((drawn.mean(axis=0), mean_error(drawn), drawn.std(axis=0), *quantiles))
        if score is not None:
            score.add(block, drawn)
    mean, error, sd, q05, q95 = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Predictions(mean, error, sd, q05, q95, _of_point(parts, new_data) if score is None else score.figures())


def _of_point(parts: list[tuple[Array, ...]], new_data: Data) -> Mapping[str, float]:
    """The squared error of a point estimate's prediction."""
    if new_data.y is None:
        return {}
    mean = np.concatenate([part[0] for part in parts])
    return {"mse": float(np.sum((mean - _target(new_data, mean)) ** 2) / new_data.rows), "mse_error": 0.0}


def _target(rows: Data, predicted: Array) -> Array:
    """What a prediction is meant to be: the response, or 1 for its category and 0 for the others (Brier 1950)."""
    if predicted.ndim == 1:
        return rows.observed
    return np.asarray(rows.observed[:, None] == np.arange(predicted.shape[1]), dtype=np.float64)


class Score:
    """Mean squared error and log predictive density, with Monte Carlo errors by the delta method.

    Each is a smooth function of posterior means, so that its error is that of the mean
    over the draws of its derivative along each draw, by batch means.
    """

    def __init__(self, fit: Fit, posterior: Posterior, rows: int) -> None:
        self.regression = fit.regression
        self.values = posterior.flat()
        self.rows = rows
        draws = int(np.prod(posterior.shape))
        self._squares, self._along_squares = 0.0, np.zeros(draws)
        self._log_density, self._along_density = 0.0, np.zeros(draws)

    def add(self, block: Data, drawn: Array) -> None:
        """Take up a block of rows, with its predictions of shape (draw, row), or (draw, row, category)."""
        mean = drawn.mean(axis=0)
        residual = (mean - _target(block, mean)).ravel()
        self._squares += float(residual @ residual)
        self._along_squares += 2.0 * drawn.reshape(len(drawn), -1) @ residual
        eta = response.linear_predictor(self.regression, block, self.values)
        given = response.given(self.regression, block, self.values)
        terms = np.asarray(self.regression.family.log_prob(block.observed, eta, given))
        top = terms.max(axis=0)
        shares = np.exp(terms - top)
        means = shares.mean(axis=0)
        self._log_density += float(np.sum(top + np.log(means)))
        self._along_density += (shares / means).sum(axis=1)

    def figures(self) -> Mapping[str, float]:
        """The scores and their errors."""
        return {
            "mse": self._squares / self.rows,
            "mse_error": float(mean_error(self._along_squares[:, None])[0]) / self.rows,
            "lpd": self._log_density,
            "lpd_error": float(mean_error(self._along_density[:, None])[0]),
        }
