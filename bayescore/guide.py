"""From the iterates of a Gaussian guide to what it says about the parameters.

A guide is z ~ Normal(loc, L L') with L = diag(exp(log_scale)) + lower, in the
coordinates of `bayescore.coordinates`. Its estimate is the average of the iterates,
and its Monte Carlo error is that of the average, by batch means: Dhaka et al. (2020),
*Robust, accurate stochastic optimization for variational inference*, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescore.coordinates import Coordinates
from bayescore.distributions import Array
from bayescore.posterior import Moments, gaussian_moments
from bayescore.regression import Regression

_BATCHES = 20


@dataclass(frozen=True)
class GaussianGuide:
    """A fitted guide in its coordinates.

    Attributes
    ----------
    loc
        Shape (d,).
    scale_tril
        Shape (d, d), lower triangular.
    moments
        Of the regression's parameters, errors included.
    """

    loc: Array
    scale_tril: Array
    moments: Moments


def summarize(
    regression: Regression, coordinates: Coordinates, iterates: Mapping[str, Array], *, average: bool
) -> GaussianGuide:
    """Average the iterates, or take the last one.

    Parameters
    ----------
    iterates
        Of the last half of the steps: ``loc`` and ``log_scale``, shape (step, d), and for
        a full-rank guide ``lower``, shape (step, d, d), zero on and above the diagonal.
    average
        Whether the estimate is the iterates' mean. The last iterate's error is the sd of
        the iterates.
    """
    series = {name: np.asarray(values, dtype=np.float64) for name, values in iterates.items()}
    kept = {name: values.mean(axis=0) if average else values[-1] for name, values in series.items()}
    scale_tril = scale_matrix(kept)
    loc = kept["loc"]
    root = coordinates.matrix @ scale_tril
    cov = root @ root.T
    means = coordinates.unconstrained(series["loc"])
    log_sds = _log_sds(coordinates, series)
    error = _covariance_of_mean if average else _covariance
    moments = gaussian_moments(
        regression,
        coordinates.unconstrained(loc),
        cov,
        error(means),
        np.sqrt(np.diag(error(log_sds)) * np.diag(cov)),
    )
    return GaussianGuide(loc, scale_tril, moments)


def scale_matrix(values: Mapping[str, Array]) -> Array:
    """L of one iterate, shape (d, d)."""
    diagonal = np.diag(np.exp(values["log_scale"]))
    return np.asarray(diagonal + np.tril(values["lower"], -1)) if "lower" in values else diagonal


def _log_sds(coordinates: Coordinates, series: Mapping[str, Array]) -> Array:
    """Log sds of the parameters at each iterate, shape (step, d)."""
    matrix = coordinates.matrix
    if "lower" not in series:
        return np.asarray(0.5 * np.log(np.exp(2.0 * series["log_scale"]) @ (matrix**2).T))
    found = np.empty_like(series["log_scale"])
    for step in range(len(found)):  # one at a time: the roots of all steps together can be large
        root = matrix @ scale_matrix({name: values[step] for name, values in series.items()})
        found[step] = 0.5 * np.log(np.sum(root * root, axis=1))
    return found


def _batch_means(series: Array) -> Array:
    """Means of consecutive batches of a series (step, ...), shape (batch, ...)."""
    batches = min(_BATCHES, len(series))
    size = len(series) // max(batches, 1)
    kept = series[len(series) - batches * size :]
    return np.asarray(kept.reshape(batches, size, *series.shape[1:]).mean(axis=1))


def mean_error(series: Array) -> Array:
    """Standard error of the mean of a series (step, ...) by batch means; NaN for under 2 batches."""
    means = _batch_means(series)
    if len(means) < 2:
        return np.full(series.shape[1:], np.nan)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(len(means)))


def _covariance_of_mean(series: Array) -> Array:
    """The same for a series (step, d) as a covariance matrix, shape (d, d)."""
    means = _batch_means(series)
    return _covariance(means) / len(means)


def _covariance(series: Array) -> Array:
    if len(series) < 2:
        return np.full((series.shape[1], series.shape[1]), np.nan)
    return np.atleast_2d(np.cov(series, rowvar=False))


def split_rhat(series: Array) -> Array:
    """Split R-hat of one series (step, ...) cut in two; NaN for under 4 steps.

    Gelman et al., *Bayesian Data Analysis*, 3rd edition, equations 11.3 and 11.4.
    """
    half = len(series) // 2
    if half < 2:
        return np.full(series.shape[1:], np.nan)
    halves = np.stack([series[-2 * half : -half], series[-half:]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = half * halves.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rhat = np.sqrt((half - 1) / half + between / (half * within))
    return np.asarray(np.where(within == 0, 1.0, rhat))
