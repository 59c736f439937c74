"""What a family is: how the response is distributed around the linear predictor.

A family is one class (density, links, support, how it predicts) and one line in each
backend's table. ``eta`` is the linear predictor, of shape (..., row). ``given`` holds
what else the density depends on, shaped to broadcast against it: the auxiliary parameters
(..., 1), and where the family has them ``trials`` (row,) or ``threshold`` (..., 1, k).
Densities are written with autograd's NumPy, which differentiates them.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from bayescore.errors import DataError, RequestError, suggest
from bayescore.model.arrays import Array, Indices
from bayescore.model.data import Data, rows_text
from bayescore.model.distributions import Distribution, Exponential, Gamma
from bayescore.printable import shown

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Sides:
    """Directions of the linear predictor and thresholds that the likelihood bears without end.

    Every row of ``eta @ d_eta[row] + threshold @ d_threshold`` has to be at least 0.

    Attributes
    ----------
    row
        Which row of the data is meant, shape (m,).
    eta
        Shape (m, predictors).
    parts
        What is told apart if there is such a direction; ``{y}`` is the response.
    threshold
        Shape (m, thresholds).
    """

    row: Indices
    eta: Array
    parts: str
    threshold: Array = field(default_factory=lambda: np.empty((0, 0)))


_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True)
class Family(ABC):
    """A response distribution with its link.

    Auxiliary parameters are fields: a number fixes one, None gives it a prior.

    Raises
    ------
    RequestError
        The link is not one of the family's, or a fixed auxiliary is not positive.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ()
    links: ClassVar[tuple[str, ...]]
    discrete: ClassVar[bool] = False
    """Whether the response is a whole number, or a category."""
    categorical: ClassVar[bool] = False
    by_level: ClassVar[bool] = False
    """Whether each category but the first has a linear predictor, and so coefficients, of its own."""
    thresholds: ClassVar[bool] = False
    """Whether increasing thresholds take the intercept's place."""
    linear: ClassVar[bool] = False
    """Whether log_prob is y a(eta) + b(eta) + c(y), whole y, c concave (`bayescore.density.equal_rows`)."""
    written: ClassVar[str]
    """The response's distribution as on paper; ``{mean}``, ``{eta}`` and auxiliaries are filled in."""

    def __post_init__(self) -> None:
        link = getattr(self, "link", "")
        if not isinstance(link, str) or link not in self.links:
            known = ", ".join(self.links)
            hint = suggest(link, list(self.links)) if isinstance(link, str) else ""
            raise RequestError(f"{type(self).__name__}: unknown link {shown(link)}{hint} (known: {known})")
        for name, value in self.fixed.items():
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.complexfloating)
            if not (number and 0 < value <= sys.float_info.max):
                raise RequestError(f"{type(self).__name__}: {name} must be a positive number, not {shown(value)}")
            object.__setattr__(self, name, float(value))

    @property
    def name(self) -> str:
        """The family's name, as it is written."""
        return type(self).__name__

    @property
    def link_name(self) -> str:
        """Its link."""
        return str(getattr(self, "link", "identity"))

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the auxiliary parameters that need a prior."""
        return tuple(a for a in self.auxiliaries if getattr(self, a) is None)

    @property
    def fixed(self) -> dict[str, float]:
        """The auxiliary parameters that are fixed, with their values."""
        return {a: getattr(self, a) for a in self.auxiliaries if getattr(self, a) is not None}

    @property
    def predictors(self) -> int:
        """How many linear predictors a row has."""
        return 1

    def for_data(self, data: Data) -> "Family":
        """The family of these data: one with categories learns how many there are."""
        return self

    @abstractmethod
    def check_response(self, data: Data) -> None:
        """Raise `DataError` where the response lies outside the family's support."""

    @abstractmethod
    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        """Log likelihood of each row, shape (..., row)."""

    @abstractmethod
    def mean(self, eta: Any, given: Given) -> Any:
        """Expected response, shape of ``eta``; for categories their probabilities, (..., row, category)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, eta: Array, given: Given) -> Array:
        """Draw responses, shape (..., row)."""

    def sides(self, data: Data) -> Sides | None:
        """Where the likelihood does not vanish far out; None where it does in every direction."""
        return None

    def scale(self, data: Data) -> tuple[float, float]:
        """Location and scale of the linear predictor, offsets apart, that default priors are scaled by.

        They follow the units of the response: where these change the predictor by a
        constant or a factor, they change the location and the scale alike.
        """
        return 0.0 - mean_offset(data), 1.0

    @abstractmethod
    def start(self, data: Data) -> float:
        """A linear predictor that is sensible for the average row."""

    def default_prior(self, auxiliary: str, scale: float) -> Distribution:
        """Prior of an auxiliary parameter where none is given."""
        return Exponential(1.0 / scale) if auxiliary == "sigma" else Gamma(2.0, 0.1)

    def start_of(self, auxiliary: str, scale: float) -> float:
        """A sensible value of an auxiliary parameter to begin at."""
        return scale if auxiliary == "sigma" else 10.0

    def __str__(self) -> str:
        settings = [f"{f.name}={getattr(self, f.name)}" for f in fields(self) if getattr(self, f.name) != f.default]
        return f"{self.name}({', '.join(settings)})"


def mean_offset(data: Data) -> float:
    """Weighted mean of the offsets; 0 where there are none."""
    return 0.0 if data.offset is None else float(np.average(data.offset, weights=data.weights))


def refuse(data: Data, family: Family, wrong: "np.ndarray", support: str) -> None:
    """Raise `DataError` for the rows where ``wrong`` is true."""
    rows = np.flatnonzero(wrong)
    if rows.size:
        raise DataError(
            f"the response {data.response!r} must be {support} for {family.name}; row {rows[0] + 1} is "
            f"{data.observed[rows[0]]:g} ({rows.size} such rows): mend it, or choose another family"
        )


def refuse_overflow(data: Data) -> None:
    """Raise `DataError` for an offset whose exponential is no number."""
    if data.offset is not None:
        rows = np.flatnonzero(np.abs(data.offset) > _LARGEST_EXPONENT)
        if rows.size:
            raise DataError(
                f"the offset overflows in {rows_text(rows)}: it is {data.offset[rows[0]]:g} on the log scale; "
                "write offset(log(exposure)) for an exposure"
            )
