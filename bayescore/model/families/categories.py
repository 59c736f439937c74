"""Families of a response with categories: ordinal and categorical."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy
from autograd import numpy as np

from bayescore.errors import DataError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families.base import Family, Given, Sides, refuse
from bayescore.model.special_functions import log_sum_exp, softplus

_PARTS = "categories of {y} apart"


class _Categories(Family):
    """A response 0, 1, ..., one a category."""

    discrete: ClassVar[bool] = True
    categorical: ClassVar[bool] = True

    def for_data(self, data: Data) -> Family:
        if len(data.categories) < 2:
            raise DataError(
                f"{self.name} needs a response of at least 2 categories; {data.response!r} has {len(data.categories)}"
            )
        return self.of(len(data.categories))

    def of(self, categories: int) -> Family:
        """The same family with this many categories."""
        raise NotImplementedError

    def check_response(self, data: Data) -> None:
        y = data.observed
        count = len(data.categories)
        refuse(data, self, (y != numpy.round(y)) | (y < 0) | (y >= count), "a category's number")
        absent = sorted(set(range(count)) - set(y.astype(int).tolist()))
        if absent:
            raise DataError(
                f"the category {data.categories[absent[0]]!r} of {data.response!r} never occurs: leave it out"
            )

    def log_probabilities(self, eta: Any, given: Given) -> Any:
        """Of each category, shape (..., row, category)."""
        raise NotImplementedError

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        every = self.log_probabilities(eta, given)
        return every[..., numpy.arange(y.size), y.astype(int)]

    def mean(self, eta: Any, given: Given) -> Any:
        return np.exp(self.log_probabilities(eta, given))

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        cumulative = numpy.cumsum(self.mean(eta, given), axis=-1)
        uniform = rng.random(cumulative.shape[:-1])[..., None]
        return numpy.sum(uniform > cumulative[..., :-1], axis=-1).astype(float)

    def start(self, data: Data) -> float:
        return 0.0


@dataclass(frozen=True)
class Ordinal(_Categories):
    """Ordinal(): cumulative logit; y <= k with probability 1 / (1 + exp(eta - threshold[k])).

    With a = threshold[k] - eta and b = threshold[k + 1] - eta, log p(category between) =
    log(exp(b) - exp(a)) - log(1 + exp(a)) - log(1 + exp(b)). The thresholds increase and
    take the intercept's place; their density is the product of their priors, without the
    constant that the order brings.
    """

    thresholds: ClassVar[bool] = True
    links: ClassVar[tuple[str, ...]] = ("logit",)
    written: ClassVar[str] = "Ordinal({eta}, threshold)"
    link: str = "logit"
    categories: int = 0

    def of(self, categories: int) -> Family:
        return replace(self, categories=categories)

    def sides(self, data: Data) -> Sides:
        y, unit = data.observed.astype(int), numpy.eye(self.categories - 1)
        below, over = numpy.flatnonzero(y < self.categories - 1), numpy.flatnonzero(y > 0)
        signs = numpy.repeat([-1.0, 1.0], [below.size, over.size])
        threshold = numpy.concatenate([unit[y[below]], -unit[y[over] - 1]])
        return Sides(numpy.concatenate([below, over]), signs[:, None], _PARTS, threshold)

    def log_probabilities(self, eta: Any, given: Given) -> Any:
        above = given["threshold"] - eta[..., None]
        low, high = above[..., :-1], above[..., 1:]
        between = np.log1p(-np.exp(low - high)) - softplus(low) - softplus(-high)
        return np.concatenate([-softplus(-above[..., :1]), between, -softplus(above[..., -1:])], axis=-1)


@dataclass(frozen=True)
class Categorical(_Categories):
    """Categorical(): softmax; category k has log probability eta[k] - log(1 + sum of exp(eta)).

    The first category's eta is 0; each of the others has its own intercept and
    coefficients, ``beta[level, column]``.
    """

    by_level: ClassVar[bool] = True
    links: ClassVar[tuple[str, ...]] = ("softmax",)
    written: ClassVar[str] = "Categorical(softmax(0, {eta}))"
    link: str = "softmax"
    categories: int = 0

    def of(self, categories: int) -> Family:
        return replace(self, categories=categories)

    def for_data(self, data: Data) -> Family:
        if len(data.categories) == 2:
            raise DataError(f"Categorical is for 3 categories or more; {data.response!r} has 2: use Bernoulli")
        return super().for_data(data)

    @property
    def predictors(self) -> int:
        return max(self.categories - 1, 1)

    def sides(self, data: Data) -> Sides:
        y, unit = data.observed.astype(int), numpy.eye(self.categories)
        row = numpy.repeat(numpy.arange(y.size), self.categories)
        over = unit[y[row]] - numpy.tile(unit, (y.size, 1))
        other = numpy.flatnonzero(over.any(axis=1))
        return Sides(row[other], over[other, 1:], _PARTS)

    def log_probabilities(self, eta: Any, given: Given) -> Any:
        whole = np.concatenate([0.0 * eta[..., :1], eta], axis=-1)
        return whole - log_sum_exp(whole)[..., None]
