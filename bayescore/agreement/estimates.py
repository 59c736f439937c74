"""Means and sds of linear combinations of the unconstrained parameters, with their Monte Carlo errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.posterior import Moments, Posterior, to_judged
from bayescore.model.transforms import Bounds


@dataclass(frozen=True)
class Estimates:
    """Of k quantities: mean and sd, each with its Monte Carlo standard error, shape (k,)."""

    mean: Array
    mean_error: Array
    sd: Array
    sd_error: Array


@dataclass(frozen=True)
class SingleEstimate:
    """Of one quantity: mean and sd, each with its Monte Carlo standard error."""

    mean: float
    mean_error: float
    sd: float
    sd_error: float


def of_series(values: Array) -> SingleEstimate:
    """Of draws of shape (chain, draw)."""
    found = FromDraws(values[..., None]).along(np.ones((1, 1)))
    return SingleEstimate(*(float(x[0]) for x in (found.mean, found.mean_error, found.sd, found.sd_error)))


class Marginals(Protocol):
    """A posterior that can be asked for any linear combination of its parameters."""

    @property
    def cov(self) -> Array:
        """Covariance of the unconstrained parameters, shape (d, d)."""

    def along(self, directions: Array) -> Estimates:
        """Estimates for the combinations in the rows of ``directions``, shape (k, d)."""


@dataclass(frozen=True)
class FromMoments:
    """Known moments: exact ones, or a guide's."""

    moments: Moments

    @property
    def cov(self) -> Array:
        """As they say."""
        return self.moments.unconstrained_cov

    def along(self, directions: Array) -> Estimates:
        """Means and variances by linear algebra; errors of sds as if independent between parameters."""
        m = self.moments
        sd = np.sqrt(np.einsum("ki,ij,kj->k", directions, m.unconstrained_cov, directions))
        own_sd = np.sqrt(np.diag(m.unconstrained_cov))
        relative = np.divide(m.unconstrained_sd_error, own_sd, out=np.zeros_like(own_sd), where=own_sd > 0)
        share = (directions * own_sd) ** 2
        weight = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        error_cov = m.unconstrained_mean_error_cov
        if error_cov is None:
            error_cov = np.diag(m.unconstrained_mean_error**2)
        return Estimates(
            directions @ m.unconstrained_mean,
            np.sqrt(np.einsum("ki,ij,kj->k", directions, error_cov, directions)),
            sd,
            sd * np.sqrt(weight @ relative**2),
        )


@dataclass(frozen=True)
class FromDraws:
    """Draws of the unconstrained parameters, shape (chain, draw, d)."""

    draws: Array

    @property
    def cov(self) -> Array:
        """Of all draws together; NaN for a single one."""
        flat = self.draws.reshape(-1, self.draws.shape[-1])
        return np.full((flat.shape[1],) * 2, np.nan) if len(flat) < 2 else np.atleast_2d(np.cov(flat, rowvar=False))

    def along(self, directions: Array) -> Estimates:
        """Means and sds of the draws, with errors by their effective sample sizes.

        The error of an sd is sqrt((m4 - m2^2) / (4 m2 ESS)), with the ESS of the squared
        deviations (Kenney and Keeping 1951, section 7.14, with ESS for n). The ``mcse``
        of arviz-stats 0.8, the last for Python 3.11, takes the ESS of the values for it.
        """
        from arviz_stats.base import array_stats

        values = np.moveaxis(self.draws @ directions.T, -1, 0)
        centred = values - values.mean(axis=(1, 2), keepdims=True)
        squares = centred**2
        m2, m4 = squares.mean(axis=(1, 2)), (squares**2).mean(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_error = np.sqrt(m2 / array_stats.ess(values, method="mean"))
            sd_error = np.sqrt((m4 - m2**2) / array_stats.ess(squares, method="mean") / m2 / 4)
        still = (m2 == 0) & (values[0].size > 1)  # a single draw tells nothing
        mean_error[still], sd_error[still] = 0.0, 0.0
        return Estimates(values.mean(axis=(1, 2)), mean_error, np.sqrt(m2), sd_error)


def judged_draws(posterior: Posterior, bounds: Sequence[Bounds]) -> Array:
    """Draws of the scalar parameters on the scale they are judged on, shape (chain, draw, d)."""
    return to_judged(np.stack(list(posterior.parameters().values()), axis=-1), bounds)
