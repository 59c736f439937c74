"""A linear regression's data in p + 1 rows: all that a Gaussian likelihood depends on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescore.data import Data
from bayescore.distributions import Array

_BLOCK_VALUES = 1 << 17
"""Values a block of rows holds: about 1 MB, which stays in a processor's cache."""


@dataclass(frozen=True)
class Reduced:
    """The triangular factor of the centred columns and response.

    With r = qr([x - mean, y - y_mean]), the residual sum of squares is
    n (a + mean b - y_mean)^2 + |r (-b, 1)|^2 for intercept a and coefficients b.

    Attributes
    ----------
    rows
        N.
    mean
        Column means, shape (p,).
    y_mean
        Mean of the response.
    r
        Upper triangular, shape (p + 1, p + 1).
    """

    rows: int
    mean: Array
    y_mean: float
    r: Array

    @cached_property
    def scale(self) -> Array:
        """Column sds (divisor N), shape (p,)."""
        return np.asarray(np.linalg.norm(self.r[:, :-1], axis=0) / np.sqrt(self.rows))

    def residual_sum_of_squares(self, intercept: Array, beta: Array) -> Array:
        """For intercept (...) and coefficients (..., p), shape (...)."""
        at_mean, rest = self._residuals(intercept, beta)
        return np.asarray(self.rows * at_mean**2 + np.sum(rest * rest, axis=-1))

    def gradient(self, intercept: Array, beta: Array) -> tuple[Array, Array]:
        """Derivatives of half the sum of squares, shapes (...) and (..., p)."""
        at_mean, rest = self._residuals(intercept, beta)
        in_intercept = self.rows * at_mean
        return in_intercept, in_intercept[..., None] * self.mean - rest @ self.r[:, :-1]

    def _residuals(self, intercept: Array, beta: Array) -> tuple[Array, Array]:
        at_mean = np.asarray(intercept) + beta @ self.mean - self.y_mean
        return at_mean, self.r[:, -1] - beta @ self.r[:, :-1].T


def triangular_factor(matrix: Array) -> Array:
    """R of the QR factorization, shape (min(rows, columns), columns)."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def reduce(data: Data) -> Reduced:
    """Reduce the data in one pass, block of rows by block of rows.

    Each block is stacked under the triangle so far and factored again (the sequential
    TSQR of Demmel et al. 2012, SIAM J. Sci. Comput. 34, section 4). A leading column
    of ones makes the factorization centre the others; subtracting a rough mean first
    keeps uncentred columns from losing digits.
    """
    x, y = data.x, data.observed
    n, p = x.shape
    sample = slice(None, None, max(n // 512, 1))
    shift = np.append(x[sample].mean(axis=0), y[sample].mean())
    size = max(_BLOCK_VALUES // (p + 2), 4 * (p + 2))
    triangle = np.zeros((p + 2, p + 2))
    buffer = np.empty((p + 2 + min(size, n), p + 2))
    for start in range(0, n, size):
        stop = min(start + size, n)
        stacked = buffer[: p + 2 + stop - start]
        stacked[: p + 2] = triangle
        block = stacked[p + 2 :]
        block[:, 0] = 1.0
        np.subtract(x[start:stop], shift[:-1], out=block[:, 1:-1])
        np.subtract(y[start:stop], shift[-1], out=block[:, -1])
        triangle = triangular_factor(stacked)
    means = shift + triangle[0, 1:] / triangle[0, 0]
    return Reduced(n, means[:-1], float(means[-1]), triangle[1:, 1:])
