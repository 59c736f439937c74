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

import numpy
from autograd import numpy as np
from numpy.typing import NDArray

from bayescore import calls
from bayescore.errors import RequestError

Support = Literal["real", "positive", "interval", "correlation"]
Array = NDArray[numpy.float64]
Parameter = float | Array

_ANY_SIGN = {"loc", "low", "high"}
_LOG_2 = math.log(2.0)
_LOG_PI = math.log(math.pi)
_LOG_2PI = math.log(2.0 * math.pi)


def _log_gamma(x: Parameter) -> Parameter:
    return math.lgamma(x) if isinstance(x, float | int) else numpy.vectorize(math.lgamma)(x)


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
                numbers = numpy.asarray(value, dtype=float)
            except (TypeError, ValueError, OverflowError) as error:
                raise RequestError(f"{type(self).__name__}: {field.name} must be a number: {error}") from error
            if not numpy.all(numpy.isfinite(numbers)):
                raise RequestError(f"{type(self).__name__}: {field.name} must be finite, not {value}")
            if field.name not in _ANY_SIGN and not numpy.all(numbers > 0):
                raise RequestError(f"{type(self).__name__}: {field.name} must be positive, not {value}")
            if numbers.ndim == 0:
                object.__setattr__(self, field.name, float(numbers))

    @property
    def bounds(self) -> tuple[Parameter, Parameter]:
        """Ends of the support."""
        return (0.0, math.inf) if self.support == "positive" else (-math.inf, math.inf)

    @abstractmethod
    def log_prob(self, x: Array) -> Array:
        """Log density at ``x``, elementwise; ``x`` lies in the support. Autograd differentiates it."""

    @abstractmethod
    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
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
        return -0.5 * z * z - np.log(self.scale) - 0.5 * _LOG_2PI

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
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
        return constant - 0.5 * (self.df + 1) * np.log1p(z * z / self.df)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.asarray(self.loc + self.scale * rng.standard_t(self.df, shape))


@dataclass(frozen=True)
class Cauchy(Distribution):
    """Cauchy(loc, scale): 1 / (pi scale (1 + ((x - loc) / scale)^2))."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        z = (x - self.loc) / self.scale
        return -_LOG_PI - np.log(self.scale) - np.log1p(z * z)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.asarray(self.loc + self.scale * rng.standard_cauchy(shape))


@dataclass(frozen=True)
class Laplace(Distribution):
    """Laplace(loc, scale): exp(-|x - loc| / scale) / (2 scale)."""

    loc: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return -np.abs(x - self.loc) / self.scale - _LOG_2 - np.log(self.scale)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.laplace(self.loc, self.scale, shape)


@dataclass(frozen=True)
class Flat(Distribution):
    """Flat(): the improper uniform prior, density 1 on the whole support of its site."""

    proper: ClassVar[bool] = False

    def log_prob(self, x: Array) -> Array:
        return 0.0 * x

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        raise RequestError("Flat() is improper and can't be sampled; give the site a proper prior")


@dataclass(frozen=True)
class HalfNormal(Distribution):
    """HalfNormal(scale): twice the Normal(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Normal(0.0, self.scale).log_prob(x) + _LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(rng.normal(0.0, self.scale, shape))


@dataclass(frozen=True)
class HalfCauchy(Distribution):
    """HalfCauchy(scale): twice the Cauchy(0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return Cauchy(0.0, self.scale).log_prob(x) + _LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(Cauchy(0.0, self.scale).sample(rng, shape))


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
        constant = self.concentration * np.log(self.rate) - _log_gamma(self.concentration)
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
        constant = self.concentration * np.log(self.scale) - _log_gamma(self.concentration)
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


@dataclass(frozen=True)
class HalfStudentT(Distribution):
    """HalfStudentT(df, scale): twice the StudentT(df, 0, scale) density, on x > 0."""

    support: ClassVar[Support] = "positive"
    df: Parameter
    scale: Parameter

    def log_prob(self, x: Array) -> Array:
        return StudentT(self.df, 0.0, self.scale).log_prob(x) + _LOG_2

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return numpy.abs(StudentT(self.df, 0.0, self.scale).sample(rng, shape))


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
        constant = _log_gamma(self.a + self.b) - _log_gamma(self.a) - _log_gamma(self.b)
        return constant + (self.a - 1) * np.log(x) + (self.b - 1) * np.log1p(-x)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.beta(self.a, self.b, shape)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform(low, high): density 1 / (high - low) on low < x < high."""

    support: ClassVar[Support] = "interval"
    low: Parameter
    high: Parameter

    def __post_init__(self) -> None:
        super().__post_init__()
        if not numpy.all(numpy.asarray(self.high) > numpy.asarray(self.low)):
            raise RequestError(f"Uniform: low must be under high, not {self.low} and {self.high}")

    @property
    def bounds(self) -> tuple[Parameter, Parameter]:
        return self.low, self.high

    def log_prob(self, x: Array) -> Array:
        return 0.0 * x - np.log(self.high - self.low)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.low, self.high, shape)


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
            own = (2 * b - 1) * _LOG_2 + 2 * math.lgamma(b) - math.lgamma(2 * b)
            total += (k - 1 - column) * own
        return total

    def log_prob(self, x: Array) -> Array:
        """Density of a single correlation, k = 2; for more `bayescore.sites.Correlation` has the determinant."""
        return (self.concentration - 1) * np.log1p(-x * x) - self.log_constant(2)

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw single correlations, k = 2."""
        return 2.0 * rng.beta(self.concentration, self.concentration, shape) - 1.0


@dataclass(frozen=True)
class Horseshoe(Distribution):
    """Horseshoe(scale, df, global_df, slab_scale, slab_df): the regularized horseshoe, for all of ``beta``.

    beta[j] ~ Normal(0, t l_j / sqrt(1 + t^2 l_j^2 / s)), with the local l_j ~
    HalfStudentT(df, 1), the global t ~ HalfStudentT(global_df, scale), and the slab's
    variance s ~ InverseGamma(slab_df / 2, slab_df slab_scale^2 / 2). Piironen and Vehtari
    (2017), *Sparsity information and regularization in the horseshoe and other shrinkage
    priors*, equations 2.8 and 2.9.
    """

    scale: Parameter = 1.0
    df: Parameter = 1.0
    global_df: Parameter = 1.0
    slab_scale: Parameter = 2.0
    slab_df: Parameter = 4.0

    def log_prob(self, x: Array) -> Array:
        """Not one of a coefficient alone: `bayescore.sites.Shrunken` has it, given scales."""
        raise NotImplementedError

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        scale = self.global_scale.sample(rng, ()) * self.local.sample(rng, shape)
        slab = self.slab.sample(rng, ())
        return rng.normal(0.0, scale / numpy.sqrt(1.0 + scale**2 / slab), shape)

    @property
    def local(self) -> HalfStudentT:
        """Prior of each coefficient's own scale."""
        return HalfStudentT(self.df, 1.0)

    @property
    def global_scale(self) -> HalfStudentT:
        """Prior of the scale that all coefficients share."""
        return HalfStudentT(self.global_df, self.scale)

    @property
    def slab(self) -> InverseGamma:
        """Prior of the slab's variance."""
        return InverseGamma(self.slab_df / 2, self.slab_df * self.slab_scale**2 / 2)


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
        HalfStudentT,
        Beta,
        Uniform,
        LKJ,
        Horseshoe,
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
