"""Priors within bounds: intervals and correlations."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy
from autograd import numpy as np

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.distributions.base import LOG_2, Distribution, Parameter, Support, log_gamma
from bayescore.printable import shown


@dataclass(frozen=True)
class Beta(Distribution):
    """Beta(a, b), proportional to x^(a - 1) (1 - x)^(b - 1), on 0 < x < 1."""

    support: ClassVar[Support] = "interval"
    a: Parameter
    b: Parameter

    @property
    def bounds(self) -> tuple[Parameter, Parameter]:
        return 0.0, 1.0

    def log_prob(self, x: Array) -> Array:
        constant = log_gamma(self.a + self.b) - log_gamma(self.a) - log_gamma(self.b)
        return constant + (self.a - 1) * np.log(x) + (self.b - 1) * np.log1p(-x)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.beta(self.a, self.b, shape)

    def quantile(self, share: float) -> float:
        from scipy.special import betaincinv

        return float(betaincinv(self.a, self.b, share))


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform(low, high): density 1 / (high - low) on low < x < high."""

    support: ClassVar[Support] = "interval"
    low: Parameter
    high: Parameter

    def __post_init__(self) -> None:
        super().__post_init__()
        if not numpy.all(numpy.asarray(self.high) > numpy.asarray(self.low)):
            raise RequestError(f"Uniform: low must be under high, not {shown(self.low)} and {shown(self.high)}")

    @property
    def bounds(self) -> tuple[Parameter, Parameter]:
        return self.low, self.high

    def log_prob(self, x: Array) -> Array:
        return 0.0 * x - np.log(self.high - self.low)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.low, self.high, shape)

    def quantile(self, share: float) -> float:
        return float(self.low + (self.high - self.low) * share)


@dataclass(frozen=True)
class LKJ(Distribution):
    """LKJ(concentration): a k x k correlation matrix R, proportional to det(R)^(concentration - 1).

    It is a density of the k (k - 1) / 2 correlations. Lewandowski, Kurowicka and Joe
    (2009), *Generating random correlation matrices based on vines and extended onion
    method*, equation 17, normalized as `log_constant` says.
    """

    support: ClassVar[Support] = "correlation"
    concentration: Parameter

    @property
    def bounds(self) -> tuple[Parameter, Parameter]:
        return -1.0, 1.0

    def log_constant(self, k: int) -> float:
        """Log of what the density is divided by.

        Each partial correlation in column c (0, 1, ...) is 2 Beta(b, b) - 1 with
        b = concentration + (k - 2 - c) / 2, and the density factors into theirs.
        """
        total = 0.0
        for column in range(k - 1):
            b = float(self.concentration) + (k - 2 - column) / 2
            own = (2 * b - 1) * LOG_2 + 2 * math.lgamma(b) - math.lgamma(2 * b)
            total += (k - 1 - column) * own
        return total

    def log_prob(self, x: Array) -> Array:
        """Density of a single correlation, k = 2; for more `bayescore.model.sites.Correlation` has the determinant."""
        return (self.concentration - 1) * np.log1p(-x * x) - self.log_constant(2)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw single correlations, k = 2."""
        return 2.0 * rng.beta(self.concentration, self.concentration, shape) - 1.0
