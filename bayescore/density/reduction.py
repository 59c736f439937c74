"""Fewer rows that say the same: p + 2 of a Gaussian regression, and of others what is equal taken together.

A Gaussian log likelihood depends on the rows through a triangle: with weights w_i and W
their sum, it is -W log sigma - W log(2 pi) / 2 - |R (intercept, b, -1)|^2 / (2 sigma^2).
So do m = p + 2 rows with weight W / m each, which are the triangle's times sqrt(m / W): a
backend that knows weighted rows needs nothing else.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescore.density.equal_rows import aggregate
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression

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
        N, or the sum of the weights.
    mean
        Column means, shape (p,).
    y_mean
        Mean of the response.
    r
        Upper triangular, shape (p + 1, p + 1).
    """

    rows: float
    mean: Array
    y_mean: float
    r: Array

    @cached_property
    def scale(self) -> Array:
        """Column sds (divisor N), shape (p,)."""
        return np.asarray(np.linalg.norm(self.r[:, :-1], axis=0) / np.sqrt(self.rows))

    def residual_sum_of_squares(self, intercept: Array, beta: Array) -> Array:
        """For intercept (...) and coefficients (..., p), shape (...)."""
        at_mean = np.asarray(intercept) + beta @ self.mean - self.y_mean
        rest = self.r[:, -1] - beta @ self.r[:, :-1].T
        return np.asarray(self.rows * at_mean**2 + np.sum(rest * rest, axis=-1))


def triangular_factor(matrix: Array) -> Array:
    """R of the QR factorization, shape (min(rows, columns), columns)."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def column_moments(data: Data) -> tuple[Array, Array]:
    """Weighted means and sds of the columns, shapes (p,)."""
    ones = np.ones(data.rows) if data.ones is None else data.ones
    weights = np.ones(data.rows) if data.weights is None else data.weights
    total = float(weights @ ones**2)
    mean = (weights * ones) @ data.x / total
    return mean, np.sqrt(weights @ (data.x - ones[:, None] * mean) ** 2 / total)


def reduce(data: Data) -> Reduced:
    """Reduce the data in one pass, block of rows by block of rows."""
    reducer = Reducer(len(data.columns))
    size = max(_BLOCK_VALUES // (len(data.columns) + 2), 4 * (len(data.columns) + 2))
    for start in range(0, data.rows, size):
        reducer.add(data.take(slice(start, start + size)))
    return reducer.result()


class Reducer:
    """Takes up blocks of rows, each stacked under the triangle so far and factored again.

    That is the sequential TSQR of Demmel et al. 2012, SIAM J. Sci. Comput. 34, section 4.
    The leading column, of ones, makes the factorization centre the others; subtracting a
    rough mean first keeps uncentred columns from losing digits.
    """

    def __init__(self, columns: int) -> None:
        self._triangle = np.zeros((columns + 2, columns + 2))
        self._shift: Array | None = None
        self._weight = 0.0

    def add(self, block: Data) -> None:
        """Take up a block of rows."""
        y = block.observed if block.offset is None else block.observed - block.offset
        ones = np.ones(block.rows) if block.ones is None else block.ones
        if self._shift is None:
            total = max(float(ones @ ones), 1e-300)
            self._shift = np.append(ones @ block.x, ones @ y) / total
        height = len(self._triangle)
        stacked = np.empty((height + block.rows, height))
        stacked[:height] = self._triangle
        rows = stacked[height:]
        rows[:, 0] = ones
        np.subtract(block.x, ones[:, None] * self._shift[:-1], out=rows[:, 1:-1])
        np.subtract(y, ones * self._shift[-1], out=rows[:, -1])
        if block.weights is not None:
            rows *= np.sqrt(block.weights)[:, None]
        self._weight += float(block.rows if block.weights is None else block.weights.sum())
        self._triangle = triangular_factor(stacked)

    def result(self) -> Reduced:
        """What the blocks so far come to."""
        assert self._shift is not None
        triangle = self._triangle
        means = self._shift + triangle[0, 1:] / triangle[0, 0]
        return Reduced(self._weight, means[:-1], float(means[-1]), triangle[1:, 1:])


def reducible(regression: Regression) -> bool:
    """Whether the rows matter only through the triangle."""
    return regression.family.name == "Gaussian" and not regression.groups and regression.network is None


def compress(regression: Regression, data: Data) -> Data:
    """The same likelihood in fewer rows, where that can be had.

    Gaussian regressions without group terms come down to p + 2 rows; otherwise rows with
    equal covariates are taken together (`bayescore.density.equal_rows`).
    """
    if data.ones is not None:
        return data
    if reducible(regression):
        return as_rows(reduce(data), data) if data.rows > len(data.columns) + 2 else data
    return aggregate(regression.family, data)


def as_rows(reduced: Reduced, data: Data) -> Data:
    """The triangle as p + 2 weighted rows, ``ones`` among them."""
    p = len(data.columns)
    m = p + 2
    root = np.sqrt(reduced.rows)
    rows = np.zeros((m, m))
    rows[0] = root * np.concatenate([[1.0], reduced.mean, [reduced.y_mean]])
    rows[1:, 1:] = reduced.r
    rows *= np.sqrt(m / reduced.rows)
    weights = np.full(m, reduced.rows / m)
    return Data(rows[:, 1:-1].copy(), rows[:, -1].copy(), data.columns, data.response, weights=weights, ones=rows[:, 0])
