"""The Gaussian posterior of the coefficients, for every sigma at once.

Likelihood rows A theta - b, divided by sigma, and prior rows (theta - loc) / scale are
stacked and factored once, at sigma_0; the cosine-sine decomposition of the orthogonal
factor then diagonalizes both parts together, so that any other sigma costs O(d). The
rows are those of the reduced data in centred and scaled coordinates: nothing is
squared, and no digit is lost on uncentred or nearly collinear columns. (Golub and Van
Loan, *Matrix Computations*, 4th edition, sections 5.3 and 6.1.6.)
"""

from dataclasses import dataclass

import numpy as np

from bayescore.density.reduction import Reduced
from bayescore.errors import UnsupportedError
from bayescore.model.arrays import Array
from bayescore.model.distributions import Flat, Normal, at_zero
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent
from bayescore.model.transforms import Slot

_LOG_2PI = float(np.log(2 * np.pi))
_NOTHING = 1e-14
"""Cosines, sines and relative residuals below it are rounding."""


@dataclass(frozen=True)
class GivenSigma:
    """The posterior of the coefficients at one or many sigmas, shapes (...) and (..., d).

    Attributes
    ----------
    log_marginal
        Log p(y | sigma), in nats; flat priors count as density 1.
    log_joint
        Mean of log p(y, theta | sigma) over theta, in nats.
    mean, precision
        Of the independent coordinates w; theta = basis w, in the regression's order.
    """

    log_marginal: Array
    log_joint: Array
    mean: Array
    precision: Array


class ConditionalGaussian:
    """The coefficients given sigma: theta = basis w with independent Gaussian w.

    Parameters
    ----------
    regression
        Gaussian family, Normal or Flat priors on intercept and coefficients.
    reduced
        The reduced data.
    sigma_0
        A sigma of the right size.

    Raises
    ------
    UnsupportedError
        The posterior is improper: flat priors on columns that are linearly dependent.
    """

    def __init__(self, regression: Regression, reduced: Reduced, sigma_0: float) -> None:
        self.rows, self.sigma_0 = reduced.rows, sigma_0
        transform = _centring(regression, reduced)
        likelihood, target = _likelihood_rows(regression, reduced, transform)
        prior, prior_target, self._log_prior_scale = _prior_rows(regression, transform)
        q, triangle = np.linalg.qr(np.vstack([likelihood / sigma_0, prior]))
        _check_proper(regression, triangle)
        n_rows = len(likelihood)
        _, cosine, vt = np.linalg.svd(q[:n_rows], full_matrices=False)
        self._cosine, self._sine, own, own_prior = _axes(q[:n_rows] @ vt.T, q[n_rows:] @ vt.T, cosine)
        self._target, self._prior_target = own.T @ target / sigma_0, own_prior.T @ prior_target
        self._rss = _rest(target / sigma_0, own @ self._target)
        self._prior_rss = _rest(prior_target, own_prior @ self._prior_target)
        order = [slot.start + k for slot in _coefficients(regression) for k in range(slot.stop - slot.start)]
        self.basis: Array = np.empty_like(transform)
        self.basis[order] = transform @ np.linalg.solve(triangle, vt.T)
        self._log_det = float(np.linalg.slogdet(transform)[1] - np.sum(np.log(np.abs(np.diag(triangle)))))
        self._n_priors = len(prior)

    def at(self, sigma: Array) -> GivenSigma:
        """The posterior at sigmas of shape (...)."""
        ratio = (self.sigma_0 / np.asarray(sigma)) ** 2
        share = ratio[..., None]
        precision = share * self._cosine**2 + self._sine**2
        mean = (share * self._cosine * self._target + self._sine * self._prior_target) / precision
        gap = self._cosine * self._prior_target - self._sine * self._target
        squares = ratio * self._rss + self._prior_rss + np.sum(share * gap**2 / precision, axis=-1)
        d = self._cosine.size
        at_mode = (
            -self.rows * (np.log(sigma) + 0.5 * _LOG_2PI)
            - self._log_prior_scale
            - 0.5 * self._n_priors * _LOG_2PI
            - 0.5 * squares
        )
        volume = 0.5 * d * _LOG_2PI - 0.5 * np.sum(np.log(precision), axis=-1) + self._log_det
        return GivenSigma(at_mode + volume, at_mode - 0.5 * d, mean, precision)


def _axes(q1: Array, q2: Array, cosine: Array) -> tuple[Array, Array, Array, Array]:
    """Cosines, sines, and the orthonormal axes of both parts; zero where a part says nothing."""
    sine = np.linalg.norm(q2, axis=0)
    heard, prior_heard = cosine > _NOTHING, sine > _NOTHING
    own = np.where(heard, q1 / np.where(heard, cosine, 1.0), 0.0)
    own_prior = np.where(prior_heard, q2 / np.where(prior_heard, sine, 1.0), 0.0)
    return np.where(heard, cosine, 0.0), np.where(prior_heard, sine, 0.0), own, own_prior


def _rest(target: Array, fitted: Array) -> float:
    """Squared residual; exactly 0 where it is but rounding, since a small sigma would blow it up."""
    squares, size = float(np.sum((target - fitted) ** 2)), float(np.sum(target**2))
    return squares if squares > (_NOTHING * target.size) ** 2 * size else 0.0


def _centring(regression: Regression, reduced: Reduced) -> Array:
    """T with theta = T z for centred and scaled columns, shape (d, d)."""
    first = 0 if regression.intercept is None else 1
    p = len(regression.columns)
    scale = reduced.scale if first else np.hypot(reduced.scale, np.abs(reduced.mean))
    scale = np.where(scale > 1e-12 * np.abs(reduced.mean), scale, np.maximum(np.abs(reduced.mean), 1e-300))
    transform = np.eye(first + p)
    index = np.arange(first, first + p)
    transform[index, index] = 1.0 / scale
    if first:
        transform[0, index] = -reduced.mean / scale
    return transform


def _likelihood_rows(regression: Regression, reduced: Reduced, transform: Array) -> tuple[Array, Array]:
    """Rows and targets whose squared residuals add up to the sum of squares."""
    first = 0 if regression.intercept is None else 1
    p = len(regression.columns)
    root_n = np.sqrt(reduced.rows)
    rows = np.zeros((p + 2, first + p))
    scale = np.diag(transform)[first:]
    if first:
        rows[0, 0] = root_n  # the centred columns' share of this row is zero
    else:
        rows[0] = root_n * reduced.mean * scale
    rows[1:, first:] = reduced.r[:, :-1] * scale
    return rows, np.concatenate([[root_n * reduced.y_mean], reduced.r[:, -1]])


def _coefficients(regression: Regression) -> list[Slot]:
    """Where the intercept, if there is one, and the coefficients lie among the parameters: in this order."""
    slots = {slot.site: slot for slot in regression.slots()}
    return [slots[name] for name in ("intercept", "beta") if name in slots]


def _prior_rows(regression: Regression, transform: Array) -> tuple[Array, Array, float]:
    """Rows (theta - loc) / scale of the proper priors, and the sum of their log scales."""
    sites = {site.name: site for site in regression.sites if isinstance(site, Independent)}
    parts = [sites[name] for name in ("intercept", "beta") if name in sites]
    priors = [prior for site in parts for prior in site.priors]
    kept = [(j, at_zero(prior)) for j, prior in enumerate(priors) if prior.proper]
    if any(not isinstance(at_zero(prior), Normal | Flat) for prior in priors):
        raise UnsupportedError("exact needs Normal or Flat priors on intercept and coefficients")
    loc = np.array([prior.loc for _, prior in kept if isinstance(prior, Normal)], dtype=np.float64)
    scale = np.array([prior.scale for _, prior in kept if isinstance(prior, Normal)], dtype=np.float64)
    stated = np.eye(len(priors))
    for site, last in zip(parts, np.cumsum([site.size for site in parts]), strict=True):
        if site.shift is not None:
            stated[last - site.size : last, -len(regression.columns) :] += np.array(site.shift.means)
    rows = (stated @ transform)[[j for j, _ in kept]] / scale[:, None]
    return rows, loc / scale, float(np.sum(np.log(scale)))


def _check_proper(regression: Regression, triangle: Array) -> None:
    norms = np.linalg.norm(triangle, axis=0)
    singular = np.linalg.svd(triangle / np.where(norms > 0, norms, 1.0), compute_uv=False)
    if singular.size and singular[-1] < 1e-13 * singular[0] * singular.size:
        raise UnsupportedError(
            "the posterior is improper: columns are linearly dependent and their priors are Flat(); "
            f"drop one of {', '.join(regression.columns)}, or give them a Normal prior"
        )
