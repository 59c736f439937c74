"""A prior of an intercept, stated where the data are."""

from dataclasses import dataclass

import numpy

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.distributions.base import Distribution
from bayescore.printable import shown


@dataclass(frozen=True)
class AtMeans(Distribution):
    """AtMeans(prior): of an intercept, the prior of the linear predictor at the columns' means.

    With means m_j of the columns, intercept + sum_j m_j beta[j] has the prior, so that the
    intercept's density, given the coefficients, is the prior's moved by -sum_j m_j beta[j].
    A prior of the intercept itself is one of the linear predictor where all columns are 0,
    which may lie far from the data, as the year 0 does.

    Attributes
    ----------
    prior
        ``Normal``, ``StudentT`` or another one of all numbers.
    """

    prior: Distribution

    def __post_init__(self) -> None:
        prior = self.prior
        if not isinstance(prior, Distribution):
            raise RequestError(f"AtMeans: write the prior as a call, AtMeans(Normal(0, 5)), not {shown(prior)}")
        if prior.support != "real" or not prior.proper or type(prior).__name__ in {"AtMeans", "Horseshoe"}:
            raise RequestError(f"AtMeans: {prior} is not a prior of all real numbers; use Normal or StudentT")

    def log_prob(self, x: Array) -> Array:
        """Not one of an intercept alone: `bayescore.model.sites.Independent` has it, given the coefficients."""
        raise NotImplementedError

    def sample(self, rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw the linear predictor at the means."""
        return self.prior.sample(rng, shape)

    def __str__(self) -> str:
        return f"AtMeans({self.prior})"

    @property
    def brief(self) -> str:
        return f"AtMeans({self.prior.brief})"


def at_zero(prior: Distribution) -> Distribution:
    """The distribution that is stated, whatever it is of."""
    return prior.prior if isinstance(prior, AtMeans) else prior
