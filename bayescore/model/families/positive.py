"""Families of a positive response, or one between 0 and 1: gamma, exponential, beta."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
from autograd import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families.base import Family, Given, refuse, refuse_overflow
from bayescore.model.families.counts import log_mean
from bayescore.model.special_functions import log_beta, log_gamma, softplus


class _Positive(Family):
    def check_response(self, data: Data) -> None:
        refuse(data, self, data.observed <= 0, "positive")
        refuse_overflow(data)

    def mean(self, eta: Any, given: Given) -> Any:
        return np.exp(eta)

    def scale(self, data: Data) -> tuple[float, float]:
        return log_mean(data), 1.0

    def start(self, data: Data) -> float:
        return log_mean(data)


@dataclass(frozen=True)
class Gamma(_Positive):
    """Gamma(concentration): y > 0 with mean m = exp(eta) and variance m^2 / c.

    log p(y) = c log(c / m) - log G(c) + (c - 1) log y - c y / m, c the concentration and G
    the gamma function.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("concentration",)
    links: ClassVar[tuple[str, ...]] = ("log",)
    written: ClassVar[str] = "Gamma({concentration}, {concentration} / {mean})"
    concentration: float | None = None
    link: str = "log"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        c = given["concentration"]
        return c * (np.log(c) - eta) - log_gamma(c) + (c - 1.0) * np.log(y) - c * y * np.exp(-eta)

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        c = numpy.broadcast_to(given["concentration"], eta.shape)
        return rng.gamma(c, numpy.exp(eta) / c)


@dataclass(frozen=True)
class Exponential(_Positive):
    """Exponential(): y > 0 with mean m = exp(eta).

    log p(y) = -log m - y / m.
    """

    links: ClassVar[tuple[str, ...]] = ("log",)
    written: ClassVar[str] = "Exponential(1 / {mean})"
    link: str = "log"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        return -eta - y * np.exp(-eta)

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        return rng.exponential(numpy.exp(eta))


@dataclass(frozen=True)
class Beta(Family):
    """Beta(concentration): 0 < y < 1 with mean m = 1 / (1 + exp(-eta)) and variance m (1 - m) / (1 + c).

    log p(y) = (m c - 1) log y + ((1 - m) c - 1) log(1 - y) - log B(m c, (1 - m) c), c the
    concentration and B the beta function.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("concentration",)
    links: ClassVar[tuple[str, ...]] = ("logit",)
    written: ClassVar[str] = "Beta({mean} {concentration}, (1 - {mean}) {concentration})"
    concentration: float | None = None
    link: str = "logit"

    def check_response(self, data: Data) -> None:
        refuse(data, self, (data.observed <= 0) | (data.observed >= 1), "between 0 and 1, ends excluded,")

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        c = given["concentration"]
        a, b = c * np.exp(-softplus(-eta)), c * np.exp(-softplus(eta))
        return (a - 1.0) * np.log(y) + (b - 1.0) * np.log1p(-y) - log_beta(a, b)

    def mean(self, eta: Any, given: Given) -> Any:
        return np.exp(-softplus(-eta))

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        c, mean = given["concentration"], self.mean(eta, given)
        least = numpy.finfo(numpy.float64).tiny  # far out a mean is 0 or 1 in floating point
        return rng.beta(numpy.maximum(c * mean, least), numpy.maximum(c * (1.0 - mean), least))

    def start(self, data: Data) -> float:
        mean = float(numpy.mean(data.observed))
        return float(numpy.log(mean) - numpy.log1p(-mean))
