"""What a prior distribution is: a dataclass of numbers with a log density and a sampler."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

import numpy

from bayescore import notation
from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.printable import shortened, shown

Support = Literal["real", "positive", "interval", "correlation"]
Parameter = float | Array

LOG_2 = math.log(2.0)
LOG_PI = math.log(math.pi)
LOG_2PI = math.log(2.0 * math.pi)
_ANY_SIGN = {"loc", "low", "high"}
_QUANTILE_DRAWS = 100_000
_LARGEST = 1e250
"""Of a distribution's number, and the inverse of a positive one: a few times it is a number still."""


def log_gamma(x: Parameter) -> Parameter:
    """Log of the gamma function of a prior's own numbers."""
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
            if isinstance(value, bool | str | notation.Call | Distribution) or value is None:
                raise RequestError(f"{type(self).__name__}: {field.name} must be a number, not {shown(value)}")
            try:
                numbers = numpy.asarray(value, dtype=float)
            except (TypeError, ValueError, OverflowError) as error:
                raise RequestError(
                    f"{type(self).__name__}: {field.name} must be a number: {shortened(str(error))}"
                ) from error
            if not numpy.all(numpy.isfinite(numbers)):
                flat = "; a flat prior is Flat()" if field.name == "scale" else ""
                raise RequestError(f"{type(self).__name__}: {field.name} must be finite, not {shown(value)}{flat}")
            if field.name not in _ANY_SIGN and not numpy.all(numbers > 0):
                raise RequestError(f"{type(self).__name__}: {field.name} must be positive, not {shown(value)}")
            size = numpy.abs(numbers[numbers != 0.0]) if numbers.ndim else numpy.abs(numbers)
            if numpy.any(size > _LARGEST) or (field.name not in _ANY_SIGN and numpy.any(size < 1.0 / _LARGEST)):
                raise RequestError(
                    f"{type(self).__name__}: {field.name} must lie between {1 / _LARGEST:g} and {_LARGEST:g} in size, "
                    f"not {shown(value)}"
                )
            if numbers.ndim == 0:
                object.__setattr__(self, field.name, float(numbers))

    @classmethod
    def roles(cls) -> tuple[str, ...]:
        """What it can be a prior of: a ``coefficient``, an ``auxiliary`` (a positive parameter), a ``correlation``."""
        if cls.support == "correlation":
            return ("correlation",)
        anywhere = cls.support == "interval" or not cls.proper
        real, positive = anywhere or cls.support == "real", anywhere or cls.support == "positive"
        return ("coefficient",) * real + ("auxiliary",) * positive

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

    def quantile(self, share: float) -> float:
        """The number under which this share of a single prior's mass lies; of one that knows none, by draws."""
        return float(numpy.quantile(self.sample(numpy.random.default_rng(0), (_QUANTILE_DRAWS,)), share))

    def __str__(self) -> str:
        return notation.write(type(self).__name__, self)

    @property
    def brief(self) -> str:
        """As it is written, its numbers to six digits: for reading."""
        return notation.write(type(self).__name__, self, digits=6)
