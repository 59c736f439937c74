"""The families: how the response is distributed around the linear predictor.

A family is one class here (density, gradient, support, links, how it predicts)
and one line in each backend's table. ``eta`` is the linear predictor, of shape
(..., row); auxiliary parameters such as sigma are of shape (...).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from bayescore import calls
from bayescore.distributions import _LOG_2PI, Array
from bayescore.errors import DataError, RequestError, suggest


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

    def __post_init__(self) -> None:
        link = getattr(self, "link", "")
        if link not in self.links:
            known = ", ".join(self.links)
            raise RequestError(
                f"{type(self).__name__}: unknown link {link!r}{suggest(str(link), list(self.links))} (known: {known})"
            )
        for name, value in self.fixed.items():
            if isinstance(value, bool | str | calls.Call) or not (np.isfinite(value) and value > 0):
                raise RequestError(f"{type(self).__name__}: {name} must be a positive number, not {value!r}")

    @property
    def name(self) -> str:
        """The family's name, as it is written."""
        return type(self).__name__

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the auxiliary parameters that need a prior."""
        return tuple(a for a in self.auxiliaries if getattr(self, a) is None)

    @property
    def fixed(self) -> dict[str, float]:
        """The auxiliary parameters that are fixed, with their values."""
        return {a: getattr(self, a) for a in self.auxiliaries if getattr(self, a) is not None}

    @abstractmethod
    def check_response(self, y: Array, name: str) -> None:
        """Raise `DataError` where the response lies outside the family's support."""

    @abstractmethod
    def log_prob(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        """Log likelihood of each row, shape (..., row)."""

    @abstractmethod
    def gradient(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Derivatives of `log_prob`: in eta (..., row), and in each free auxiliary, summed over rows."""

    @abstractmethod
    def mean(self, eta: Array) -> Array:
        """Expected response, shape of ``eta``."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        """Draw responses, shape of ``eta``."""

    @abstractmethod
    def response_scale(self, y: Array) -> tuple[float, float]:
        """Location and scale of the linear predictor that default priors are scaled by."""

    @abstractmethod
    def start(self, y: Array) -> float:
        """A linear predictor that is sensible for the average row."""

    def __str__(self) -> str:
        settings = [f"{f.name}={getattr(self, f.name)}" for f in fields(self) if getattr(self, f.name) != f.default]
        return f"{self.name}({', '.join(settings)})"


@dataclass(frozen=True)
class Gaussian(Family):
    """Gaussian(sigma): y ~ Normal(eta, sigma).

    log p = -((y - eta) / sigma)^2 / 2 - log sigma - log(2 pi) / 2.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("sigma",)
    links: ClassVar[tuple[str, ...]] = ("identity",)
    sigma: float | None = None
    link: str = "identity"

    def check_response(self, y: Array, name: str) -> None:
        if self.sigma is None and y.size > 1 and np.ptp(y) == 0:
            raise DataError(
                f"the response {name!r} is constant ({y[0]:g}): sigma can't be learned from it; "
                "check the column, or fix sigma with --family 'Gaussian(sigma=...)'"
            )

    def log_prob(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        sigma = auxiliary["sigma"][..., None]
        z = (y - eta) / sigma
        return np.asarray(-0.5 * z * z - np.log(sigma) - 0.5 * _LOG_2PI)

    def gradient(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        sigma = auxiliary["sigma"][..., None]
        z = (y - eta) / sigma
        in_sigma = np.sum((z * z - 1.0) / sigma, axis=-1)
        return z / sigma, dict.fromkeys(self.free, in_sigma)

    def mean(self, eta: Array) -> Array:
        return eta

    def sample(self, rng: np.random.Generator, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        return rng.normal(eta, auxiliary["sigma"][..., None])

    def response_scale(self, y: Array) -> tuple[float, float]:
        return float(np.mean(y)), float(np.std(y)) or 1.0

    def start(self, y: Array) -> float:
        return float(np.mean(y))


@dataclass(frozen=True)
class Bernoulli(Family):
    """Bernoulli(link): y is 1 with probability inverse-link(eta), otherwise 0.

    logit: log p = y eta - log(1 + exp(eta)).
    """

    links: ClassVar[tuple[str, ...]] = ("logit",)
    link: str = "logit"

    def check_response(self, y: Array, name: str) -> None:
        wrong = np.flatnonzero((y != 0) & (y != 1))
        if wrong.size:
            raise DataError(
                f"the response {name!r} must be 0 or 1 for {self.name}; row {wrong[0] + 1} is {y[wrong[0]]:g} "
                f"({wrong.size} such rows): recode it, or choose another family"
            )
        if y.size > 1 and np.ptp(y) == 0:
            raise DataError(f"the response {name!r} is constant ({y[0]:g}): there is nothing to regress")

    def log_prob(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        return np.asarray(y * eta - np.logaddexp(0.0, eta))

    def gradient(self, y: Array, eta: Array, auxiliary: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        return y - self.mean(eta), {}

    def mean(self, eta: Array) -> Array:
        return np.asarray(np.exp(-np.logaddexp(0.0, -eta)))

    def sample(self, rng: np.random.Generator, eta: Array, auxiliary: Mapping[str, Array]) -> Array:
        return (rng.random(eta.shape) < self.mean(eta)).astype(float)

    def response_scale(self, y: Array) -> tuple[float, float]:
        return 0.0, 1.0

    def start(self, y: Array) -> float:
        share = (np.sum(y) + 0.5) / (y.size + 1.0)
        return float(np.log(share / (1.0 - share)))


FAMILIES: dict[str, type[Family]] = {cls.__name__: cls for cls in (Gaussian, Bernoulli)}


def parse(text: str | Family) -> Family:
    """Read a family such as ``"Gaussian(sigma=0.1)"`` or a bare ``"bernoulli"``."""
    if isinstance(text, Family):
        return text
    call = calls.parse(text)
    by_case = {name.lower(): name for name in FAMILIES}
    name = by_case.get(call.name.lower(), call.name)
    return calls.construct(calls.Call(name, call.args, call.kwargs), FAMILIES, "family")
