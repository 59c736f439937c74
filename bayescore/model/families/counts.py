"""Families of counts: Poisson and negative binomial."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
from autograd import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families.base import Family, Given, Sides, refuse, refuse_overflow
from bayescore.model.special_functions import log_gamma


def log_mean(data: Data) -> float:
    """Log of the responses' sum over that of the exposures exp(offset), weighted.

    Where all responses are 0 they count as half a one together: a location in the units of
    the exposures, which are all the units that counts have.
    """
    w = numpy.ones(data.rows) if data.weights is None else data.weights
    offset = numpy.zeros(data.rows) if data.offset is None else data.offset
    largest, furthest = float(numpy.max(data.observed)) or 1.0, float(numpy.max(offset))
    total = float(w @ (data.observed / largest)) or 0.5 * float(w.mean())
    return float(numpy.log(largest) - furthest + numpy.log(total / (w @ numpy.exp(offset - furthest))))


_LARGEST = 9e18
"""Of a mean that whole numbers of 64 bits can be drawn around; beyond, sds are less than 1e-9 of it."""


def poisson(rng: numpy.random.Generator, mean: Array) -> Array:
    """Counts of these means; one that is too large for a count stands for its own."""
    known = mean <= _LARGEST
    return numpy.where(known, rng.poisson(numpy.where(known, mean, 0.0)), mean)


class _Counts(Family):
    discrete: ClassVar[bool] = True

    def check_response(self, data: Data) -> None:
        y = data.observed
        refuse(data, self, (y < 0) | (y != numpy.round(y)), "a whole number of at least 0")
        refuse_overflow(data)

    def mean(self, eta: Any, given: Given) -> Any:
        return np.exp(eta)

    def sides(self, data: Data) -> Sides:
        positive, zero = numpy.flatnonzero(data.observed > 0), numpy.flatnonzero(data.observed == 0)
        signs = numpy.repeat([1.0, -1.0, -1.0], [positive.size, positive.size, zero.size])
        return Sides(numpy.concatenate([positive, positive, zero]), signs[:, None], "zeros of {y} from other counts")

    def scale(self, data: Data) -> tuple[float, float]:
        return log_mean(data), 1.0

    def start(self, data: Data) -> float:
        return log_mean(data)


@dataclass(frozen=True)
class Poisson(_Counts):
    """Poisson(): y is a count with mean exp(eta).

    log p(y) = y eta - exp(eta) - log y!.
    """

    links: ClassVar[tuple[str, ...]] = ("log",)
    linear: ClassVar[bool] = True
    written: ClassVar[str] = "Poisson({mean})"
    link: str = "log"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        return y * eta - np.exp(eta) - log_gamma(y + 1.0)

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        return poisson(rng, numpy.exp(eta))


@dataclass(frozen=True)
class NegativeBinomial(_Counts):
    """NegativeBinomial(concentration): a count with mean m = exp(eta) and variance m + m^2 / c.

    log p(y) = log G(y + c) - log G(c) - log y! + c log(c / (c + m)) + y log(m / (c + m)),
    c the concentration and G the gamma function.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("concentration",)
    links: ClassVar[tuple[str, ...]] = ("log",)
    written: ClassVar[str] = "NegativeBinomial({mean}, {concentration})"
    concentration: float | None = None
    link: str = "log"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        c = given["concentration"]
        both = np.logaddexp(np.log(c), eta)
        ways = log_gamma(y + c) - log_gamma(c) - log_gamma(y + 1.0)
        return ways + c * (np.log(c) - both) + y * (eta - both)

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        c = numpy.broadcast_to(given["concentration"], eta.shape)
        return poisson(rng, rng.gamma(c, numpy.exp(eta) / c))
