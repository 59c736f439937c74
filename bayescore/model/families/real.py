"""Families of a real response: Gaussian and Student's t."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
from autograd import numpy as np

from bayescore.errors import DataError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions.base import LOG_2PI, LOG_PI
from bayescore.model.families.base import Family, Given
from bayescore.model.special_functions import log_gamma


class _Location(Family):
    """A real response around eta."""

    def check_response(self, data: Data) -> None:
        y = data.observed
        if "sigma" in self.free and y.size > 1 and numpy.ptp(y) == 0:
            raise DataError(
                f"the response {data.response!r} is constant ({y[0]:g}): sigma can't be learned from it; "
                f"check the column, or fix sigma with --family '{self.name}(sigma=...)'"
            )

    def mean(self, eta: Any, given: Given) -> Any:
        return eta

    def scale(self, data: Data) -> tuple[float, float]:
        y = data.observed if data.offset is None else data.observed - data.offset
        ones = numpy.ones(y.size) if data.ones is None else data.ones
        weights = numpy.ones(y.size) if data.weights is None else data.weights
        total = float(weights @ ones**2)
        mean = float((weights * ones) @ y / total)
        sd = float(numpy.sqrt(weights @ (y - mean * ones) ** 2 / total))
        return mean, sd if sd > 1e-12 * abs(mean) else self.fixed.get("sigma") or abs(mean) or 1.0

    def start(self, data: Data) -> float:
        return self.scale(data)[0]


@dataclass(frozen=True)
class Gaussian(_Location):
    """Gaussian(sigma): y ~ Normal(eta, sigma).

    log p = -((y - eta) / sigma)^2 / 2 - log sigma - log(2 pi) / 2.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("sigma",)
    links: ClassVar[tuple[str, ...]] = ("identity",)
    written: ClassVar[str] = "Normal({mean}, {sigma})"
    sigma: float | None = None
    link: str = "identity"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        z = (y - eta) / given["sigma"]
        return -0.5 * z * z - np.log(given["sigma"]) - 0.5 * LOG_2PI

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        return rng.normal(eta, given["sigma"])


@dataclass(frozen=True)
class StudentT(_Location):
    """StudentT(df, sigma): (y - eta) / sigma is Student's t with df degrees of freedom.

    log p = log G((df + 1) / 2) - log G(df / 2) - log(pi df) / 2 - log sigma
    - (df + 1) / 2 log(1 + ((y - eta) / sigma)^2 / df), G the gamma function.
    """

    auxiliaries: ClassVar[tuple[str, ...]] = ("sigma", "df")
    links: ClassVar[tuple[str, ...]] = ("identity",)
    written: ClassVar[str] = "StudentT({df}, {mean}, {sigma})"
    df: float | None = None
    sigma: float | None = None
    link: str = "identity"

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        df, sigma = given["df"], given["sigma"]
        z = (y - eta) / sigma
        constant = log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * (np.log(df) + LOG_PI) - np.log(sigma)
        return constant - 0.5 * (df + 1) * np.log1p(z * z / df)

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        noise = rng.standard_t(numpy.broadcast_to(given["df"], eta.shape))
        return numpy.asarray(eta + given["sigma"] * noise)
