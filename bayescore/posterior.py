"""What a fit says about the parameters: labelled draws, and moments where they are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bayescore.distributions import Array
from bayescore.methods import Estimand
from bayescore.regression import Regression


@dataclass(frozen=True)
class Moments:
    """Moments that are known better than from draws.

    Arrays are in the order of ``names``, the regression's parameters. Errors are
    Monte Carlo standard errors, 0 where the value is exact.

    Attributes
    ----------
    names
        The d scalar parameters.
    unconstrained_mean, unconstrained_mean_error
        Shape (d,); positive parameters on the log scale.
    unconstrained_cov
        Shape (d, d).
    unconstrained_sd_error
        Shape (d,): errors of the square roots of the diagonal.
    mean, mean_error, sd, sd_error
        Shape (d,), of the constrained parameters.
    unconstrained_mean_error_cov
        Shape (d, d): covariance of the errors of ``unconstrained_mean``, or None to take
        them as independent.
    log_joint, log_joint_error
        Posterior mean of log p(y, theta), in nats, or None.
    log_evidence, log_evidence_error
        Log p(y), in nats; None where unknown, or undefined by an improper prior. For
        a guide its ELBO, which is a lower bound of it, is kept in the fit instead.
    """

    names: tuple[str, ...]
    unconstrained_mean: Array
    unconstrained_mean_error: Array
    unconstrained_cov: Array
    unconstrained_sd_error: Array
    mean: Array
    mean_error: Array
    sd: Array
    sd_error: Array
    unconstrained_mean_error_cov: Array | None = None
    log_joint: float | None = None
    log_joint_error: float = 0.0
    log_evidence: float | None = None
    log_evidence_error: float = 0.0


def gaussian_moments(
    regression: Regression, mean: Array, cov: Array, mean_error_cov: Array, sd_error: Array
) -> Moments:
    """Moments of a Gaussian over the unconstrained parameters, as a guide is.

    Parameters
    ----------
    mean, sd_error
        Shape (d,), in the order of ``regression.parameters``.
    cov, mean_error_cov
        Shape (d, d).

    Notes
    -----
    A positive parameter exp(u) with u ~ Normal(m, s) is log-normal, with mean
    exp(m + s^2 / 2) and sd mean sqrt(exp(s^2) - 1); errors by the delta method.
    """
    sd = np.sqrt(np.diag(cov))
    mean_error = np.sqrt(np.diag(mean_error_cov))
    positive = positive_parameters(regression)
    log_normal_mean = np.exp(mean + sd**2 / 2)
    log_normal_sd = log_normal_mean * np.sqrt(np.expm1(sd**2))
    slope = np.where(positive, log_normal_mean, 1.0)
    return Moments(
        names=regression.parameters,
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


def positive_parameters(regression: Regression) -> np.ndarray:
    """Which scalar parameters are positive, shape (d,), in the regression's order."""
    return np.array(regression.positive, dtype=bool)


@dataclass(frozen=True)
class Posterior:
    """Draws by site, with their labels.

    Attributes
    ----------
    draws
        For each site an array of shape (chain, draw, *site shape), in the constrained
        space; unthinned, chains and order kept. A point estimate is one draw.
    labels
        For each site with a dimension, the names of its elements.
    sample_stats
        Arrays (chain, draw) under ArviZ's names: ``diverging``, ``energy``,
        ``tree_depth``, ``lp``, ``log_q``.
    moments
        Moments that are known better than from the draws, or None.
    estimand
        ``posterior``, or ``mle`` or ``map`` for a point estimate.
    """

    draws: Mapping[str, Array]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sample_stats: Mapping[str, np.ndarray] = field(default_factory=dict)
    moments: Moments | None = None
    estimand: Estimand = "posterior"

    @property
    def shape(self) -> tuple[int, int]:
        """(chain, draw)."""
        first = next(iter(self.draws.values()))
        return int(first.shape[0]), int(first.shape[1])

    def parameters(self) -> dict[str, Array]:
        """Scalar parameters by name, each of shape (chain, draw)."""
        flat: dict[str, Array] = {}
        for site, values in self.draws.items():
            if values.ndim == 2:
                flat[site] = values
            else:
                flat |= {f"{site}[{label}]": values[..., j] for j, label in enumerate(self.labels[site])}
        return flat


def label(regression: Regression, draws: Mapping[str, Array], **more: object) -> Posterior:
    """Make a `Posterior` of a regression's draws, with its labels and site order."""
    labels = {site.name: site.labels for site in regression.sites if site.shape}
    ordered = {site.name: np.asarray(draws[site.name], dtype=np.float64) for site in regression.sites}
    return Posterior(ordered, labels, **more)  # type: ignore[arg-type]
