"""Predictions of rows, summarized over a posterior."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bayescore.model.arrays import Array


@dataclass(frozen=True)
class Predictions:
    """The expected response in each predicted row, and how well it meets a known one.

    Attributes
    ----------
    mean, mean_error, sd, q05, q95
        Over the posterior, with the mean's Monte Carlo error; shape (row,), or for a
        response with categories (row, category).
    score
        Where the response is known: ``mse``, the mean squared error of the averaged
        prediction, ``lpd``, the log predictive density of all rows in nats, and their
        Monte Carlo errors ``mse_error`` and ``lpd_error``.
    """

    mean: Array
    mean_error: Array
    sd: Array
    q05: Array
    q95: Array
    score: Mapping[str, float] = field(default_factory=dict)


def max_difference(a: Predictions, b: Predictions) -> float | None:
    """Largest difference of predicted means, in posterior sds of the prediction; None for point estimates."""
    scale = np.sqrt((a.sd**2 + b.sd**2) / 2)
    known = scale > 0
    return float(np.max(np.abs(a.mean - b.mean)[known] / scale[known])) if known.any() else None
