"""Shapes as normal scores, with their Monte Carlo errors: of standardized draws, and of draws as they are.

Where a share p of one posterior's draws lies up to some point, and another share of the
other's, the difference of the normal quantiles of the two shares says by how many sds a
Gaussian would have to be moved for it. Draws less their mean, over their sd, say how a
posterior is shaped, whatever its mean and sd, which have rows of their own.
"""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bayescore.model.arrays import Array, Indices
from bayescore.model.special_functions import ndtri

Flags = NDArray[np.bool_]
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
"""The standardized quantiles of a Gaussian."""
_BANDWIDTH = 0.02


@dataclass(frozen=True)
class Standardized:
    """Draws of k quantities, less their means, over their sds.

    Attributes
    ----------
    w
        Shape (k, chain, draw); 0 where a quantity does not move.
    quantiles
        At `LEVELS`, shape (level, k).
    sparsity
        One over the density there, shape (level, k).
    known
        Whether these are a distribution's own quantiles, evenly spaced, and without an error.
    """

    w: Array
    quantiles: Array
    sparsity: Array

    known: bool = False

    @classmethod
    def of(cls, values: Array, *, known: bool = False) -> "Standardized":
        """Of draws, shape (k, chain, draw)."""
        flat = values.reshape(len(values), -1)
        sd = flat.std(axis=1, keepdims=True)
        w = np.divide(flat - flat.mean(axis=1, keepdims=True), sd, out=np.zeros_like(flat), where=sd > 0)
        step = np.minimum(_BANDWIDTH * (1e4 / flat.shape[1]) ** 0.2, 0.8 * np.minimum(LEVELS, 1 - LEVELS))
        ordered = np.sort(w, axis=1)
        below, q, above = (_at(ordered, levels) for levels in (LEVELS - step, LEVELS, LEVELS + step))
        return cls(w.reshape(values.shape), q, (above - below) / (2 * step)[:, None], known)

    @cached_property
    def naive_error(self) -> Array:
        """Errors of the scores of a Gaussian's draws, if they were independent, shape (level, 1)."""
        if self.known:
            return np.zeros((len(LEVELS), 1))
        variance = LEVELS * (1 - LEVELS) / _density(NORMAL) ** 2 - 1.0 - NORMAL**2 / 2
        return np.asarray(np.sqrt(variance / self.w[0].size)[:, None])

    def scores(self, cut: Array) -> Array:
        """Normal scores of the shares of draws up to ``cut``, both of shape (level, k)."""
        flat = self.w.reshape(len(self.w), -1)
        share = np.stack([np.mean(flat <= at[:, None], axis=1) for at in cut])
        least = 0.5 / flat.shape[1]
        return np.asarray(ndtri(np.clip(share, least, 1.0 - least)))

    def error(self, cut: Array, chosen: Indices) -> Array:
        """Monte Carlo error of one share of each quantity, shape (k,).

        The share of draws up to c, standardized by their own mean and sd, has the influence
        function 1[w <= c] + f(c) (w + c (w^2 - 1) / 2) (by the method of Serfling 1980,
        *Approximation Theorems of Mathematical Statistics*, chapter 6); its mean's error is
        taken by its effective sample size.

        Parameters
        ----------
        chosen
            Positions in `LEVELS`, shape (k,).
        """
        if self.known:
            return np.zeros(len(self.w))
        each = np.arange(len(self.w))
        c, sparsity = (x[chosen, each][:, None, None] for x in (cut, self.sparsity))
        density = np.divide(1.0, sparsity, out=np.zeros_like(sparsity), where=sparsity > 0)
        influence = (self.w <= c) + density * (self.w + c / 2 * (self.w**2 - 1.0))
        return np.asarray(np.maximum(mean_error(influence), 0.5 / self.w[0].size))


def shape_difference(a: Standardized, b: Standardized) -> tuple[Array, Array, Array]:
    """By how many sds standardized draws lie higher in ``a`` than in ``b``, at each level of k quantities.

    That is the difference of quantiles where the density is above a Gaussian's, as at a
    bound, and of the shares' normal scores where it is below, as in a long tail or between
    two modes: whichever has the smaller error. For two Gaussians they are the same.

    Returns
    -------
    difference, cut, unit
        Shapes (level, k); the points at which shares are taken, and how many sds a share is worth.
    """
    cut, sparsity = (a.quantiles + b.quantiles) / 2, (a.sparsity + b.sparsity) / 2
    of_scores = 1.0 / _density(NORMAL)[:, None]
    by_score = b.scores(cut) - a.scores(cut)
    return np.where(sparsity > of_scores, by_score, a.quantiles - b.quantiles), cut, np.minimum(sparsity, of_scores)


def _at(ordered: Array, levels: Array) -> Array:
    """Quantiles of sorted draws (k, n), linear in between, shape (level, k)."""
    place = levels * (ordered.shape[1] - 1)
    low = np.floor(place).astype(np.intp)
    share = (place - low)[:, None]
    high = np.minimum(low + 1, ordered.shape[1] - 1)
    return np.asarray((1.0 - share) * ordered.T[low] + share * ordered.T[high])


def mean_error(series: Array) -> Array:
    """Monte Carlo errors of the means of series (..., chain, draw) by effective sample sizes; 0 where all are equal."""
    from arviz_stats.base import array_stats

    sd = series.std(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(sd > 0, sd / np.sqrt(array_stats.ess(series, method="mean")), 0.0))


def rank_differences(a: Array, b: Array) -> tuple[Array, Array]:
    """By how much the draws of k quantities lie higher in ``a`` than in ``b``, and the errors, shape (level, k).

    At each level the pooled quantile's probability is found on either side; the difference
    is that of their normal scores. For two Gaussians that is their distance in sds; unlike
    that, it has an error whatever the tails.

    Parameters
    ----------
    a, b
        Shapes (k, chain, draw).
    """
    k = len(a)
    flat = [x.reshape(k, -1) for x in (a, b)]
    pooled = np.concatenate([np.sort(x, axis=1) for x in flat], axis=1)
    weight = np.repeat([0.5 / x.shape[1] for x in flat], [x.shape[1] for x in flat])
    order = np.argsort(pooled, axis=1, kind="stable")
    cumulative = np.cumsum(weight[order], axis=1)
    place = np.stack([np.argmax(cumulative >= p - 1e-12, axis=1) for p in LEVELS])
    cut = np.stack([pooled[j, order[j, place[:, j]]] for j in range(k)], axis=1)
    scores, errors = [], []
    for x, draws in zip((a, b), flat, strict=True):
        inside = (x[None] <= cut[:, :, None, None]).astype(np.float64)
        least = 0.5 / draws.shape[1]
        scores.append(ndtri(np.clip(inside.mean(axis=(-2, -1)), least, 1.0 - least)))
        errors.append(np.maximum(mean_error(inside), least))
    return scores[1] - scores[0], np.hypot(*errors) / _density(NORMAL)[:, None]


def _density(z: Array) -> Array:
    return np.asarray(np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi))


def normal_scores(values: Array) -> Array:
    """Draws of k quantities (k, n) as the normal quantiles of their ranks."""
    count = values.shape[1]
    scores = ndtri((np.arange(count) + 0.5) / count)
    found = np.empty_like(values)
    np.put_along_axis(found, np.argsort(values, axis=1), np.broadcast_to(scores, values.shape), axis=1)
    return found
