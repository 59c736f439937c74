"""Priors of positive parameters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy
from autograd import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.distributions.base import LOG_2, Distribution, Parameter, Support, log_gamma
from bayescore.model.distributions.real import Cauchy, Normal, StudentT


@dataclass(frozen=True)
class HalfNormal(Distribution):
    """HalfNormal(scale): twice the Normal(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Normal(0.0, self.scale).log_prob(x) + LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(rng.normal(0.0, self.scale, shape))


@dataclass(frozen=True)
class HalfCauchy(Distribution):
    """HalfCauchy(scale): twice the Cauchy(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Cauchy(0.0, self.scale).log_prob(x) + LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(Cauchy(0.0, self.scale).sample(rng, shape))


@dataclass(frozen=True)
class HalfStudentT(Distribution):
    """HalfStudentT(df, scale): twice the StudentT(df, 0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    df: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return StudentT(self.df, 0.0, self.scale).log_prob(x) + LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(StudentT(self.df, 0.0, self.scale).sample(rng, shape))


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential(rate): rate exp(-rate x), on x > 0."""

    support: ClassVar[Support] = "positive"
    rate: Parameter

    def log_prob(self, x: Array) -> Array:
        return np.log(self.rate) - self.rate * x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.exponential(1.0 / numpy.asarray(self.rate), shape)


@dataclass(frozen=True)
class Gamma(Distribution):
    """Gamma(concentration, rate), proportional to x^(concentration - 1) exp(-rate x), on x > 0."""

    support: ClassVar[Support] = "positive"
    concentration: Parameter
    rate: Parameter

    def log_prob(self, x: Array) -> Array:
        constant = self.concentration * np.log(self.rate) - log_gamma(self.concentration)
        return constant + (self.concentration - 1) * np.log(x) - self.rate * x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.gamma(self.concentration, 1.0 / numpy.asarray(self.rate), shape)


@dataclass(frozen=True)
class InverseGamma(Distribution):
    """InverseGamma(concentration, scale), proportional to x^(-concentration - 1) exp(-scale / x), on x > 0."""

    support: ClassVar[Support] = "positive"
    concentration: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        constant = self.concentration * np.log(self.scale) - log_gamma(self.concentration)
        return constant - (self.concentration + 1) * np.log(x) - self.scale / x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.asarray(self.scale / rng.gamma(self.concentration, 1.0, shape))


@dataclass(frozen=True)
class LogNormal(Distribution):
    """LogNormal(loc, scale): log x is Normal(loc, scale)."""

    support: ClassVar[Support] = "positive"
    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        log_x = np.log(x)
        return Normal(self.loc, self.scale).log_prob(log_x) - log_x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.lognormal(self.loc, self.scale, shape)
