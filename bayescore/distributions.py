"""The prior distributions, each with its parametrization stated by its fields.

All of them are dataclasses of numbers. `stack` gathers the priors of many
coefficients into a few distributions with array fields, which is what a backend
wants: one vectorized distribution for each kind of prior.

Densities are normalized, the half distributions' log 2 included, so that a
backend's log density can be held against them to the last digit. The formulas
are those of Gelman et al., *Bayesian Data Analysis*, 3rd edition, appendix A.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescore import calls
from bayescore.errors import RequestError

Support = Literal["real", "positive"]
Array = NDArray[np.float64]
Parameter = float | Array

_LOG_2 = math.log(2.0)
_LOG_PI = math.log(math.pi)
_LOG_2PI = math.log(2.0 * math.pi)


def _log_gamma(x: Parameter) -> Parameter:
    return math.lgamma(x) if isinstance(x, float | int) else np.vectorize(math.lgamma)(x)


@dataclass(frozen=True)
class Distribution(ABC):
    """A univariate prior. Fields are numbers, or arrays of one number a coefficient.

    Raises
    ------
    RequestError
        A field is not a finite number, or one that must be positive is not.
    """

    support: ClassVar[Support] = "real"
    proper: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool | str | calls.Call) or value is None:
                raise RequestError(f"{type(self).__name__}: {field.name} must be a number, not {value!r}")
            try:
                numbers = np.asarray(value, dtype=float)
            except (TypeError, ValueError, OverflowError) as error:
                raise RequestError(f"{type(self).__name__}: {field.name} must be a number: {error}") from error
            if not np.all(np.isfinite(numbers)):
                raise RequestError(f"{type(self).__name__}: {field.name} must be finite, not {value}")
            if field.name != "loc" and not np.all(numbers > 0):
                raise RequestError(f"{type(self).__name__}: {field.name} must be positive, not {value}")
            if numbers.ndim == 0:
                object.__setattr__(self, field.name, float(numbers))

    @abstractmethod
    def log_prob(self, x: Array) -> Array:
        """Log density at ``x``, elementwise; ``x`` lies in the support."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """Derivative of `log_prob` in ``x``, elementwise."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw independent values of the given shape."""

    def __str__(self) -> str:
        return calls.write(type(self).__name__, self)


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal(loc, scale): exp(-((x - loc) / scale)^2 / 2) / (scale sqrt(2 pi))."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return np.asarray(-0.5 * z * z - np.log(self.scale) - 0.5 * _LOG_2PI)

    def gradient(self, x: Array) -> Array:
        return np.asarray(-(x - self.loc) / self.scale**2)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.normal(self.loc, self.scale, shape)


@dataclass(frozen=True)
class StudentT(Distribution):
    """StudentT(df, loc, scale), proportional to (1 + ((x - loc) / scale)^2 / df)^(-(df + 1) / 2)."""

    df: Parameter
    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        constant = (
            _log_gamma((self.df + 1) / 2)
            - _log_gamma(self.df / 2)
            - 0.5 * (np.log(self.df) + _LOG_PI)
            - np.log(self.scale)
        )
        return np.asarray(constant - 0.5 * (self.df + 1) * np.log1p(z * z / self.df))

    def gradient(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return np.asarray(-(self.df + 1) * z / (self.df + z * z) / self.scale)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(self.loc + self.scale * rng.standard_t(self.df, shape))


@dataclass(frozen=True)
class Cauchy(Distribution):
    """Cauchy(loc, scale): 1 / (pi scale (1 + ((x - loc) / scale)^2))."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return np.asarray(-_LOG_PI - np.log(self.scale) - np.log1p(z * z))

    def gradient(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return np.asarray(-2 * z / (1 + z * z) / self.scale)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(self.loc + self.scale * rng.standard_cauchy(shape))


@dataclass(frozen=True)
class Laplace(Distribution):
    """Laplace(loc, scale): exp(-|x - loc| / scale) / (2 scale)."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return np.asarray(-np.abs(x - self.loc) / self.scale - _LOG_2 - np.log(self.scale))

    def gradient(self, x: Array) -> Array:
        return np.asarray(-np.sign(x - self.loc) / self.scale)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.laplace(self.loc, self.scale, shape)


@dataclass(frozen=True)
class Flat(Distribution):
    """Flat(): the improper uniform prior, density 1 on the whole support of its site."""

    proper: ClassVar[bool] = False

    def log_prob(self, x: Array) -> Array:
        return np.zeros_like(x)

    def gradient(self, x: Array) -> Array:
        return np.zeros_like(x)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        raise RequestError("Flat() is improper and can't be sampled; give the site a proper prior")


@dataclass(frozen=True)
class HalfNormal(Distribution):
    """HalfNormal(scale): twice the Normal(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Normal(0.0, self.scale).log_prob(x) + _LOG_2

    def gradient(self, x: Array) -> Array:
        return Normal(0.0, self.scale).gradient(x)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.abs(rng.normal(0.0, self.scale, shape))


@dataclass(frozen=True)
class HalfCauchy(Distribution):
    """HalfCauchy(scale): twice the Cauchy(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Cauchy(0.0, self.scale).log_prob(x) + _LOG_2

    def gradient(self, x: Array) -> Array:
        return Cauchy(0.0, self.scale).gradient(x)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.abs(Cauchy(0.0, self.scale).sample(rng, shape))


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential(rate): rate exp(-rate x), on x > 0."""

    support: ClassVar[Support] = "positive"
    rate: Parameter

    def log_prob(self, x: Array) -> Array:
        return np.asarray(np.log(self.rate) - self.rate * x)

    def gradient(self, x: Array) -> Array:
        return np.asarray(-self.rate + np.zeros_like(x))

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.exponential(1.0 / np.asarray(self.rate), shape)


@dataclass(frozen=True)
class Gamma(Distribution):
    """Gamma(concentration, rate), proportional to x^(concentration - 1) exp(-rate x), on x > 0."""

    support: ClassVar[Support] = "positive"
    concentration: Parameter
    rate: Parameter

    def log_prob(self, x: Array) -> Array:
        constant = self.concentration * np.log(self.rate) - _log_gamma(self.concentration)
        return np.asarray(constant + (self.concentration - 1) * np.log(x) - self.rate * x)

    def gradient(self, x: Array) -> Array:
        return np.asarray((self.concentration - 1) / x - self.rate)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.gamma(self.concentration, 1.0 / np.asarray(self.rate), shape)


@dataclass(frozen=True)
class InverseGamma(Distribution):
    """InverseGamma(concentration, scale), proportional to x^(-concentration - 1) exp(-scale / x), on x > 0."""

    support: ClassVar[Support] = "positive"
    concentration: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        constant = self.concentration * np.log(self.scale) - _log_gamma(self.concentration)
        return np.asarray(constant - (self.concentration + 1) * np.log(x) - self.scale / x)

    def gradient(self, x: Array) -> Array:
        return np.asarray(-(self.concentration + 1) / x + self.scale / x**2)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(self.scale / rng.gamma(self.concentration, 1.0, shape))


@dataclass(frozen=True)
class LogNormal(Distribution):
    """LogNormal(loc, scale): log x is Normal(loc, scale)."""

    support: ClassVar[Support] = "positive"
    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        log_x = np.log(x)
        return Normal(self.loc, self.scale).log_prob(log_x) - log_x

    def gradient(self, x: Array) -> Array:
        return np.asarray((Normal(self.loc, self.scale).gradient(np.log(x)) - 1.0) / x)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.lognormal(self.loc, self.scale, shape)


DISTRIBUTIONS: dict[str, type[Distribution]] = {
    cls.__name__: cls
    for cls in (
        Normal,
        StudentT,
        Cauchy,
        Laplace,
        Flat,
        HalfNormal,
        HalfCauchy,
        Exponential,
        Gamma,
        InverseGamma,
        LogNormal,
    )
}


def parse(text: str | Distribution) -> Distribution:
    """Read a prior such as ``"Normal(0, 10)"``; a distribution is passed through."""
    if isinstance(text, Distribution):
        return text
    return calls.construct(calls.parse(text), DISTRIBUTIONS, "prior")


class Block(NamedTuple):
    """Coefficients whose priors are of one kind: their positions, and one stacked distribution."""

    positions: NDArray[np.intp]
    prior: Distribution


def stack(priors: Sequence[Distribution]) -> list[Block]:
    """Gather priors of one kind into one distribution with array fields, in order of first use."""
    by_class: dict[type[Distribution], list[int]] = {}
    for position, prior in enumerate(priors):
        by_class.setdefault(type(prior), []).append(position)
    blocks = []
    for cls, positions in by_class.items():
        stacked: dict[str, Any] = {
            f.name: np.array([getattr(priors[i], f.name) for i in positions]) for f in fields(cls)
        }
        blocks.append(Block(np.array(positions, dtype=np.intp), cls(**stacked)))
    return blocks
