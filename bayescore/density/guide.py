"""From the iterates of a Gaussian guide to what it says about the parameters.

A guide is z ~ Normal(loc, L L') with L = diag(exp(log_scale)) + lower, in the
coordinates of `bayescore.density.coordinates`. Its estimate is the average of the iterates,
and its Monte Carlo error is that of the average, by batch means: Dhaka et al. (2020),
*Robust, accurate stochastic optimization for variational inference*, section 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from bayescore.density.coordinates import Coordinates
from bayescore.model.arrays import Array
from bayescore.model.posterior import Moments, to_judged
from bayescore.model.transforms import POSITIVE, REAL, Bounds
from bayescore.model.variables import Sited

_BATCHES = 20
_DRAWS = 20_000


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


def summarize(sited: Sited, coordinates: Coordinates, iterates: Mapping[str, Array], *, average: bool) -> GaussianGuide:
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
    if sited.elementwise and set(sited.bounds) <= {REAL, POSITIVE}:
        moments = _closed_form(sited, coordinates, _estimate(iterates, average))
    else:
        names, bounds = sited.parameters, sited.bounds
        moments = moments_by_draws(names, bounds, partial(flatten, sited), coordinates, iterates, average=average)
    kept = _estimate(iterates, average).kept
    return GaussianGuide(kept["loc"], scale_matrix(kept), moments)


class _Estimate(NamedTuple):
    """The estimate ``kept``, and ``batches`` whose covariance over ``share`` is that of its error."""

    kept: Mapping[str, Array]
    batches: Mapping[str, Array]
    share: int


def _estimate(iterates: Mapping[str, Array], average: bool) -> _Estimate:
    series = {name: np.asarray(values, dtype=np.float64) for name, values in iterates.items()}
    if not average:
        return _Estimate({name: values[-1] for name, values in series.items()}, series, 1)
    batches = {name: _batch_means(values) for name, values in series.items()}
    return _Estimate({name: values.mean(axis=0) for name, values in series.items()}, batches, len(batches["loc"]))


def _closed_form(sited: Sited, coordinates: Coordinates, estimate: _Estimate) -> Moments:
    """Moments where each parameter is Gaussian or log-normal; errors from the batches' spread."""
    kept, batches, share = estimate
    root = coordinates.matrix @ scale_matrix(kept)
    cov = root @ root.T
    mean_error_cov = _covariance(coordinates.unconstrained(batches["loc"])) / share
    log_sd_error = np.sqrt(np.diag(_covariance(_log_sds(coordinates, batches)) / share))
    return gaussian_moments(
        sited, coordinates.unconstrained(kept["loc"]), cov, mean_error_cov, log_sd_error * np.sqrt(np.diag(cov))
    )


def gaussian_moments(sited: Sited, mean: Array, cov: Array, mean_error_cov: Array, sd_error: Array) -> Moments:
    """Moments of a Gaussian over the parameters as they are and the logarithms of positive ones.

    Parameters
    ----------
    mean, sd_error
        Shape (d,), in the order of ``sited.parameters``.
    cov, mean_error_cov
        Shape (d, d).

    Notes
    -----
    A positive parameter exp(u) with u ~ Normal(m, s) is log-normal, with mean
    exp(m + s^2 / 2) and sd mean sqrt(exp(s^2) - 1); errors by the delta method.
    """
    sd = np.sqrt(np.diag(cov))
    mean_error = np.sqrt(np.diag(mean_error_cov))
    positive = np.array([bounds == POSITIVE for bounds in sited.bounds], dtype=bool)
    with np.errstate(over="ignore"):
        log_normal_mean = np.exp(mean + sd**2 / 2)
        log_normal_sd = log_normal_mean * np.sqrt(np.expm1(sd**2))
    slope = np.where(positive, log_normal_mean, 1.0)
    return Moments(
        names=sited.parameters,
        unconstrained_mean=mean,
        unconstrained_mean_error=mean_error,
        unconstrained_cov=cov,
        unconstrained_sd_error=sd_error,
        mean=np.where(positive, log_normal_mean, mean),
        mean_error=np.hypot(mean_error, np.where(positive, sd * sd_error, 0.0)) * slope,
        sd=np.where(positive, log_normal_sd, sd),
        sd_error=sd_error * slope,
        unconstrained_mean_error_cov=mean_error_cov,
    )


def moments_by_draws(
    names: tuple[str, ...],
    bounds: tuple[Bounds, ...],
    of: Callable[[Mapping[str, Array]], Array],
    coordinates: Coordinates,
    iterates: Mapping[str, Array],
    *,
    average: bool,
) -> Moments:
    """Moments of any quantities, by the same noise through the guide and through each batch's guide.

    Parameters
    ----------
    names, bounds
        Of the k quantities.
    of
        From constrained values (draw, *site shape) to the quantities, shape (draw, k).
    """
    kept, batches, share = _estimate(iterates, average)
    noise = np.random.default_rng(0).standard_normal((_DRAWS, coordinates.size))

    def judged(values: Mapping[str, Array], count: int) -> tuple[Array, Array]:
        flat = of(coordinates.constrained(values["loc"] + noise[:count] @ scale_matrix(values).T))
        return flat, to_judged(flat, bounds)

    flat, found = judged(kept, _DRAWS)
    steps = range(0, len(batches["loc"]), max(len(batches["loc"]) // _BATCHES, 1))
    each = [judged({name: values[step] for name, values in batches.items()}, _DRAWS // 5) for step in steps]
    mean, mean_error_cov, cov, sd_error = _with_errors(found, [pair[1] for pair in each], share)
    shown_mean, shown_error_cov, shown_cov, shown_sd_error = _with_errors(flat, [pair[0] for pair in each], share)
    return Moments(
        names,
        mean,
        np.sqrt(np.diag(mean_error_cov)),
        cov,
        sd_error,
        shown_mean,
        np.sqrt(np.diag(shown_error_cov)),
        np.sqrt(np.diag(shown_cov)),
        shown_sd_error,
        unconstrained_mean_error_cov=mean_error_cov,
    )


def _with_errors(draws: Array, batches: Sequence[Array], share: int) -> tuple[Array, Array, Array, Array]:
    """Mean, its error's covariance, covariance, and the sds' errors, of independent draws (draw, k)."""
    cov = np.atleast_2d(np.cov(draws, rowvar=False))
    of_means = _covariance(np.stack([batch.mean(axis=0) for batch in batches])) / share
    of_sds = np.diag(_covariance(np.stack([batch.std(axis=0) for batch in batches]))) / share
    return (
        draws.mean(axis=0),
        of_means + cov / len(draws),
        cov,
        np.sqrt(of_sds + np.diag(cov) / (2 * len(draws))),
    )


def flatten(sited: Sited, values: Mapping[str, Array]) -> Array:
    """Scalar parameters of values (draw, *site shape), shape (draw, d)."""
    return np.concatenate([np.reshape(values[s.name], (-1, s.size)) for s in sited.sites], axis=1)


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


def _covariance(series: Array) -> Array:
    if len(series) < 2:
        return np.full((series.shape[1], series.shape[1]), np.nan)
    return np.atleast_2d(np.cov(series, rowvar=False))


def split_rhat(series: Array) -> Array:
    """Split R-hat of one series (step, ...) cut in two; NaN for under 4 steps.

    Gelman et al., *Bayesian Data Analysis*, 3rd edition, equations 11.3 and 11.4. That of
    arviz-stats needs two chains, has no answer for a series that stands still, and takes
    forty times as long, which a full-rank guide's many series would feel.
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
