"""The directions that two posteriors are judged along, besides their parameters.

Marginals hide an error along a ridge: 0.1 sd in each of two parameters against it can be
0.4 sd jointly.
"""

import numpy as np

from bayescore.agreement.estimates import Marginals
from bayescore.model.arrays import Array

MOST_PRINCIPAL = 50
_SUSPECTS = 5
_RIDGE = 1e-3


def principal(covs: list[Array]) -> Array:
    """Principal directions of the average correlation matrix, in parameters over their sds, shape (k, d).

    None for a single parameter, nor for more than 50.
    """
    d = covs[0].shape[0]
    if d < 2 or d > MOST_PRINCIPAL or not _usable(covs):
        return np.empty((0, d))
    correlation, scale = _pooled(covs)
    _, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors.T[::-1] / scale)


def suspected(a: Marginals, b: Marginals) -> Array:
    """Where two posteriors differ most, by the draws that they are not judged on, shape (k, d).

    These are the direction along which the means are furthest apart (Fisher's linear
    discriminant), and those with the largest and the smallest ratios of variances, the
    generalized eigenvectors of the covariances.
    """
    from scipy.linalg import eigh

    covs = [a.cov, b.cov]
    d = covs[0].shape[0]
    if not _usable(covs):
        return np.empty((0, d))
    _, scale = _pooled(covs)
    first, second = (cov / np.outer(scale, scale) + _RIDGE * np.eye(d) for cov in covs)
    _, vectors = eigh(first, second)
    unit = np.eye(d)
    means = (a.along(unit).mean - b.along(unit).mean) / scale
    apart = np.linalg.solve(first + second, means)
    chosen = np.column_stack([apart, vectors[:, -_SUSPECTS:], vectors[:, :_SUSPECTS]])
    return np.asarray(chosen.T / scale)


def _usable(covs: list[Array]) -> bool:
    return all(np.all(np.isfinite(cov)) and np.all(np.diag(cov) > 0) for cov in covs)


def _pooled(covs: list[Array]) -> tuple[Array, Array]:
    """Average correlation matrix, and root mean square sds."""
    sds = [np.sqrt(np.diag(cov)) for cov in covs]
    correlation = np.mean([c / np.outer(sd, sd) for c, sd in zip(covs, sds, strict=True)], axis=0)
    return correlation, np.sqrt(np.mean([sd**2 for sd in sds], axis=0))
