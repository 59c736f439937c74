"""Priors on the real line."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import numpy
from autograd import numpy as np

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.distributions.base import LOG_2, LOG_2PI, LOG_PI, Distribution, Parameter, log_gamma


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal(loc, scale): exp(-((x - loc) / scale)^2 / 2) / (scale sqrt(2 pi))."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return -0.5 * z * z - np.log(self.scale) - 0.5 * LOG_2PI

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.normal(self.loc, self.scale, shape)

    def quantile(self, share: float) -> float:
        return NormalDist(float(self.loc), float(self.scale)).inv_cdf(share)


@dataclass(frozen=True)
class StudentT(Distribution):
    """StudentT(df, loc, scale), proportional to (1 + ((x - loc) / scale)^2 / df)^(-(df + 1) / 2)."""

    df: Parameter
    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        constant = (
            log_gamma((self.df + 1) / 2)
            - log_gamma(self.df / 2)
            - 0.5 * (np.log(self.df) + LOG_PI)
            - np.log(self.scale)
        )
        return constant - 0.5 * (self.df + 1) * np.log1p(z * z / self.df)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.asarray(self.loc + self.scale * rng.standard_t(self.df, shape))

    def quantile(self, share: float) -> float:
        from scipy.special import stdtrit  # a fifth of a second, which normal priors do without

        return float(self.loc + self.scale * stdtrit(self.df, share))


@dataclass(frozen=True)
class Cauchy(Distribution):
    """Cauchy(loc, scale): 1 / (pi scale (1 + ((x - loc) / scale)^2))."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return -LOG_PI - np.log(self.scale) - np.log1p(z * z)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.asarray(self.loc + self.scale * rng.standard_cauchy(shape))

    def quantile(self, share: float) -> float:
        return float(self.loc + self.scale * numpy.tan(numpy.pi * (share - 0.5)))


@dataclass(frozen=True)
class Laplace(Distribution):
    """Laplace(loc, scale): exp(-|x - loc| / scale) / (2 scale)."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return -np.abs(x - self.loc) / self.scale - LOG_2 - np.log(self.scale)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.laplace(self.loc, self.scale, shape)

    def quantile(self, share: float) -> float:
        return float(self.loc - self.scale * numpy.sign(share - 0.5) * numpy.log1p(-2.0 * abs(share - 0.5)))


@dataclass(frozen=True)
class Flat(Distribution):
    """Flat(): the improper uniform prior, density 1 on the whole support of its site."""

    proper: ClassVar[bool] = False

    def log_prob(self, x: Array) -> Array:
        return 0.0 * x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        raise RequestError("Flat() is improper and can't be sampled; give the site a proper prior")
