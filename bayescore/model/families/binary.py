"""Families of successes: Bernoulli and binomial, with three links."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
from autograd import numpy as np

from bayescore.errors import DataError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families.base import Family, Given, Sides, refuse
from bayescore.model.special_functions import log_gamma, log_ndtr, softplus

_LINKS = ("logit", "probit", "cloglog")
_LARGEST = 700.0


def log_probabilities(link: str, eta: Any) -> tuple[Any, Any]:
    """Log of the probability of success and of failure.

    logit: p = 1 / (1 + exp(-eta)). probit: p = Phi(eta), the standard normal distribution
    function. cloglog: p = 1 - exp(-exp(eta)).
    """
    return log_success(link, eta), -_hazard(eta) if link == "cloglog" else log_success(link, -eta)


def log_success(link: str, eta: Any) -> Any:
    """Log of the probability of success."""
    if link == "logit":
        return -softplus(-eta)
    if link == "probit":
        return log_ndtr(eta)
    return np.where(eta < -30.0, eta, np.log(-np.expm1(-np.maximum(_hazard(eta), 1e-300))))


def _hazard(eta: Any) -> Any:
    return np.exp(np.minimum(eta, _LARGEST))


class _Successes(Family):
    discrete: ClassVar[bool] = True

    def mean(self, eta: Any, given: Given) -> Any:
        return np.exp(log_success(self.link_name, eta)) * given.get("trials", 1.0)

    def sides(self, data: Data) -> Sides:
        trials = 1.0 if data.trials is None else data.trials
        some, lacking = numpy.flatnonzero(data.observed > 0), numpy.flatnonzero(data.observed < trials)
        signs = numpy.repeat([1.0, -1.0], [some.size, lacking.size])
        parts = "the zeros of {y} from the ones" if data.trials is None else "the failures of {y} from the successes"
        return Sides(numpy.concatenate([some, lacking]), signs[:, None], parts)

    def start(self, data: Data) -> float:
        trials = numpy.ones(data.rows) if data.trials is None else data.trials
        w = numpy.ones(data.rows) if data.weights is None else data.weights
        p = float((w @ data.observed + 0.5) / (w @ trials + 1.0))
        if self.link_name == "cloglog":
            return float(numpy.log(-numpy.log1p(-p)))
        logit = float(numpy.log(p) - numpy.log1p(-p))
        return logit if self.link_name == "logit" else 0.6 * logit


@dataclass(frozen=True)
class Bernoulli(_Successes):
    """Bernoulli(link): y is 1 with probability p = inverse-link(eta), otherwise 0.

    log p(y) = y log p + (1 - y) log(1 - p).
    """

    links: ClassVar[tuple[str, ...]] = _LINKS
    written: ClassVar[str] = "Bernoulli({mean})"
    link: str = "logit"

    def check_response(self, data: Data) -> None:
        y = data.observed
        refuse(data, self, (y != 0) & (y != 1), "0 or 1")

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        if self.link == "cloglog":
            success, failure = log_probabilities(self.link, eta)
            return np.where(y == 1, success, failure)
        return log_success(self.link, np.where(y == 1, eta, -eta))  # of many draws that is half the work

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        return (rng.random(eta.shape) < self.mean(eta, {})).astype(float)


@dataclass(frozen=True)
class Binomial(_Successes):
    """Binomial(link): y successes in n trials, each with probability p = inverse-link(eta).

    log p(y) = log C(n, y) + y log p + (n - y) log(1 - p), C the binomial coefficient.
    """

    links: ClassVar[tuple[str, ...]] = _LINKS
    linear: ClassVar[bool] = True
    written: ClassVar[str] = "Binomial(trials, {mean})"
    link: str = "logit"

    def check_response(self, data: Data) -> None:
        y, n = data.observed, data.trials
        if n is None:
            raise DataError(f"Binomial needs the trials of {data.response!r}: write 'proportion(y, n) ~ ...'")
        rows = numpy.flatnonzero((n < 1) | (n != numpy.round(n)))
        if rows.size:
            raise DataError(
                f"the trials must be whole numbers of at least 1; row {rows[0] + 1} is {n[rows[0]]:g} "
                f"({rows.size} such rows): mend it"
            )
        refuse(data, self, (y < 0) | (y != numpy.round(y)), "a whole number of successes")
        refuse(data, self, y > n, "at most the trials")

    def log_prob(self, y: Array, eta: Any, given: Given) -> Any:
        n = given["trials"]
        success, failure = log_probabilities(self.link, eta)
        ways = log_gamma(n + 1.0) - log_gamma(y + 1.0) - log_gamma(n - y + 1.0)
        return ways + y * success + (n - y) * failure

    def sample(self, rng: numpy.random.Generator, eta: Array, given: Given) -> Array:
        n = numpy.broadcast_to(given.get("trials", 1.0), eta.shape)
        return rng.binomial(n.astype(int), self.mean(eta, {})).astype(float)
