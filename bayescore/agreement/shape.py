"""What moments may miss: quantiles and a whitened energy distance. Reported; they do not decide."""

from dataclasses import dataclass

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.estimates import judged_draws
from bayescore.model.arrays import Array

_MOST_DRAWS = 1000
_PERMUTATIONS = 199


@dataclass(frozen=True)
class Shape:
    """Differences of shape between two posteriors.

    Attributes
    ----------
    energy_distance
        Of the whitened draws, thinned to 1000 a side: 2 E|X - Y| - E|X - X'| - E|Y - Y'|
        (Szekely and Rizzo 2013, *Energy statistics*).
    energy_p
        Share of 199 permutations with a distance as large; thinned draws count as
        independent.
    quantile, quantile_difference_sd
        The parameter whose 5 % or 95 % quantile differs most, and by how many pooled sds.
    """

    energy_distance: float
    energy_p: float
    quantile: str
    quantile_difference_sd: float


def compare_shapes(a: Candidate, b: Candidate) -> Shape | None:
    """Compare the draws of two posteriors; None where one has too few, or stands still."""
    first, second = (_flat(c) for c in (a, b))
    if min(len(first), len(second)) < 100:
        return None
    quantiles = [np.quantile(draws, [0.05, 0.95], axis=0) for draws in (first, second)]
    variances = first.var(axis=0), second.var(axis=0)
    if not all(np.all(variance > 0) for variance in variances):
        return None
    scale = np.sqrt(np.mean(variances, axis=0))
    apart = np.max(np.abs(quantiles[0] - quantiles[1]), axis=0) / scale
    worst = int(np.argmax(apart))
    distance, p = _energy(_thin(first / scale), _thin(second / scale))
    return Shape(distance, p, a.quantities.parameters[worst], float(apart[worst]))


def _flat(c: Candidate) -> Array:
    return judged_draws(c.posterior, c.quantities.bounds).reshape(-1, len(c.quantities.parameters))


def _thin(draws: Array) -> Array:
    return draws[:: -(-len(draws) // _MOST_DRAWS)]


def _energy(x: Array, y: Array) -> tuple[float, float]:
    """Energy distance of whitened draws (draw, d), and its permutation p-value."""
    from scipy.spatial.distance import cdist

    both = np.concatenate([x, y])
    centred = both - both.mean(axis=0)
    _, singular, vt = np.linalg.svd(centred / np.sqrt(len(both)), full_matrices=False)
    white = centred @ vt.T / np.maximum(singular, 1e-12 * singular[0])
    distances = cdist(white, white)
    total = float(distances.sum())
    rng = np.random.default_rng(0)
    labels = np.zeros((len(both), _PERMUTATIONS + 1))
    labels[: len(x), 0] = 1.0
    for k in range(1, _PERMUTATIONS + 1):
        labels[rng.permutation(len(both))[: len(x)], k] = 1.0
    n, m = len(x), len(y)
    across = distances @ labels
    within_x = np.einsum("ik,ik->k", labels, across)
    between = across.sum(axis=0) - within_x
    within_y = total - within_x - 2 * between
    found = 2 * between / (n * m) - within_x / n**2 - within_y / m**2
    return float(found[0]), float(np.mean(found >= found[0]))
