"""The random variables of a regression: what each is called, its prior, its transform.

A `Site` is a variable with a name and a shape; its scalar elements are parameters. Its
prior may depend on sites before it, as the offsets of a group depend on their sd.
Densities are written with autograd's NumPy.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy
from autograd import numpy as np

from bayescore.errors import RequestError
from bayescore.model import distributions
from bayescore.model.arrays import Array
from bayescore.model.distributions import LKJ, AtMeans, Block, Distribution, Horseshoe, Normal, at_zero
from bayescore.model.distributions.base import LOG_2PI
from bayescore.model.transforms import (
    POSITIVE,
    REAL,
    Bounds,
    Correlations,
    Elementwise,
    GroupOffsets,
    Ordered,
    Shrinkage,
    Transform,
    cholesky,
)
from bayescore.model.variables import Variable

Values = Mapping[str, Any]


class Site(Variable):
    """A random variable of a regression, with its prior."""

    @property
    @abstractmethod
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare for it."""

    @property
    def proper(self) -> bool:
        """Whether its prior is a distribution."""
        return True

    @abstractmethod
    def log_prob(self, values: Values) -> Any:
        """Log prior of its values (..., *shape), given the others': shape (...)."""

    @abstractmethod
    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        """Draw its values, given those of sites before it. Improper priors give numbers around 0 or 1."""

    @abstractmethod
    def written(self) -> list[str]:
        """Its prior as on paper."""

    def stated(self) -> dict[str, str]:
        """The prior of each parameter by name."""
        texts = self.written()
        return dict.fromkeys(self.parameters, texts[0].partition(" ~ ")[2] if texts else "")


@dataclass(frozen=True)
class Shift:
    """How far from each element of a site lies what its prior is of: sum_j means[j] beta[j].

    Attributes
    ----------
    coefficients
        The site of the coefficients, whose last axis is the column; it may be the elements' own.
    predictor
        Which linear predictor each element belongs to: a row of the coefficients.
    means
        For each element the columns' means, with the sign in which they count; 0 where the
        prior is of the element itself.
    """

    coefficients: str
    predictor: tuple[int, ...]
    means: tuple[tuple[float, ...], ...]

    def of(self, values: Values, site: Site) -> Any:
        """What is added to values (..., *shape)."""
        means = numpy.array(self.means)
        beta, lead = values[self.coefficients], np.shape(values[site.name])
        lead = lead[: len(lead) - len(site.shape)]
        rows = np.reshape(beta, (*lead, -1, means.shape[1]))[..., list(self.predictor), :]
        return np.reshape(np.sum(rows * means, axis=-1), (*lead, *site.shape))


@dataclass(frozen=True)
class Independent(Site):
    """Elements with a prior each.

    Attributes
    ----------
    support
        Of the site itself; a prior may narrow it.
    priors
        One an element, in C order.
    shift
        What `AtMeans` among them is of, where there is one.
    """

    support: Literal["real", "positive"]
    priors: tuple[Distribution, ...]
    shift: Shift | None = None

    def __post_init__(self) -> None:
        for prior, name in zip(self.priors, self.parameters, strict=True):
            self._check(prior, name)

    def _check(self, prior: Distribution, name: str) -> None:
        advice = "use Normal or StudentT" if self.support == "real" else "use HalfNormal or Exponential"
        if isinstance(prior, Horseshoe):
            raise RequestError(f"Horseshoe() is a prior of all coefficients together, not of {name}: {advice}")
        if isinstance(prior, AtMeans) and self.support == "real" and self.shift is None:
            raise RequestError(f"AtMeans() is a prior of an intercept, not of {name}: {advice}")
        low = float(prior.bounds[0])
        narrows = prior.support == "interval" and (self.support == "real" or low >= 0)
        if prior.support == self.support or not prior.proper or narrows:
            return
        raise RequestError(
            f"{name} is {self.support}, but its prior {prior} is for {_support_of(prior)} values: {advice}"
        )

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its priors, those of one kind stacked into one; of `AtMeans` what is stated at the means."""
        return tuple(distributions.stack([at_zero(prior) for prior in self.priors]))

    @cached_property
    def bounds(self) -> tuple[Bounds, ...]:
        natural = POSITIVE if self.support == "positive" else REAL
        return tuple((float(p.bounds[0]), float(p.bounds[1])) if p.proper else natural for p in self.priors)

    @cached_property
    def transform(self) -> Transform:
        return Elementwise(self.bounds[:1] if len(set(self.bounds)) == 1 else self.bounds)

    @property
    def requirements(self) -> frozenset[str]:
        role = "auxiliary" if self.support == "positive" else "coefficient"
        kinds = {type(prior) for given in self.priors for prior in (given, at_zero(given))}
        return frozenset(f"prior:{role}:{kind.__name__}" for kind in kinds)

    @property
    def proper(self) -> bool:
        return all(prior.proper for prior in self.priors)

    def log_prob(self, values: Values) -> Any:
        value = values[self.name]
        if self.shift is not None:
            value = value + self.shift.of(values, self)
        if not self.shape:
            return at_zero(self.priors[0]).log_prob(value)
        flat = np.reshape(value, (*np.shape(value)[: np.ndim(value) - len(self.shape)], self.size))
        parts = (block.prior.log_prob(flat[..., block.positions]) for block in self.blocks)
        return sum(np.sum(part, axis=-1) for part in parts)

    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        drawn = [float(p.sample(rng, ())) if p.proper else self._about(rng) for p in self.priors]
        value = numpy.reshape(numpy.array(drawn), self.shape)
        return value if self.shift is None else value - self.shift.of({**values, self.name: value}, self)

    def _about(self, rng: numpy.random.Generator) -> float:
        return float(numpy.exp(rng.normal()) if self.support == "positive" else rng.normal())

    def written(self) -> list[str]:
        if self.size > 1 and len(set(self.priors)) == 1:
            return [self._written(f"{self.name}[j]" if len(self.shape) == 1 else self.name, self.priors[0])]
        return self.lines()

    def lines(self) -> list[str]:
        """The prior of each element as on paper."""
        return [self._written(name, prior) for name, prior in zip(self.parameters, self.priors, strict=True)]

    def _written(self, name: str, prior: Distribution) -> str:
        where = " at the columns' means" if isinstance(prior, AtMeans) else ""
        return f"{name}{where} ~ {at_zero(prior).brief}"

    def stated(self) -> dict[str, str]:
        return {name: str(prior) for name, prior in zip(self.parameters, self.priors, strict=True)}


def _support_of(prior: Distribution) -> str:
    return {"interval": "bounded", "correlation": "correlation"}.get(prior.support, prior.support)


@dataclass(frozen=True)
class Thresholds(Site):
    """Increasing thresholds: the product of their priors on the ordered vectors, not normalized."""

    priors: tuple[Distribution, ...]
    shift: Shift | None = None

    def __post_init__(self) -> None:
        _ = self.independent  # refuses what it would
        if any(prior.support != "real" for prior in self.priors):
            raise RequestError(f"{self.name} increases from -inf to inf: use Normal or StudentT priors")

    @cached_property
    def independent(self) -> Independent:
        """The same without the order."""
        return Independent(self.name, self.shape, self.labels, "real", self.priors, self.shift)

    @property
    def transform(self) -> Transform:
        return Ordered()

    @property
    def requirements(self) -> frozenset[str]:
        return self.independent.requirements

    @property
    def proper(self) -> bool:
        return self.independent.proper

    def log_prob(self, values: Values) -> Any:
        return self.independent.log_prob(values)

    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        return numpy.sort(self.independent.sample(rng, values))

    def check(self, values: Array) -> str | None:
        return None if numpy.all(numpy.diff(values, axis=-1) >= 0.0) else "values that increase"

    def written(self) -> list[str]:
        return [*self.independent.written(), f"{self.name}[1] < {self.name}[2] < ..."]

    def stated(self) -> dict[str, str]:
        return self.independent.stated()


@dataclass(frozen=True)
class Correlation(Site):
    """The correlations of k effects, (0, 1), (0, 2), (1, 2), ..., under LKJ."""

    k: int
    prior: LKJ

    @property
    def transform(self) -> Transform:
        return Correlations(self.k)

    @property
    def bounds(self) -> tuple[Bounds, ...]:
        return ((-1.0, 1.0),) * self.size

    @property
    def requirements(self) -> frozenset[str]:
        return frozenset({"prior:correlation:LKJ"})

    def log_prob(self, values: Values) -> Any:
        value = values[self.name]
        flat = value if self.shape else value[..., None]
        log_det = sum(2.0 * np.log(row[-1]) for row in cholesky(flat, self.k, np))
        return (self.prior.concentration - 1.0) * log_det - self.prior.log_constant(self.k)

    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        partial = []
        for row in range(1, self.k):
            for column in range(row):
                b = float(self.prior.concentration) + (self.k - 2 - column) / 2
                partial.append(2.0 * rng.beta(b, b) - 1.0)
        drawn = self.transform.forward(numpy.arctanh(numpy.array(partial)), {}, numpy)[0]
        return numpy.reshape(drawn, self.shape)

    def check(self, values: Array) -> str | None:
        matrix = numpy.broadcast_to(
            numpy.eye(self.k), (*values.shape[: -1 if self.shape else None], self.k, self.k)
        ).copy()
        row, column = numpy.triu_indices(self.k, 1)
        matrix[..., row, column] = matrix[..., column, row] = values if self.shape else values[..., None]
        least = numpy.linalg.eigvalsh(matrix).min()
        return None if least > -1e-6 else "correlations of a positive definite matrix"

    def written(self) -> list[str]:
        return [f"{self.name} ~ {self.prior}"]


@dataclass(frozen=True)
class Offsets(Site):
    """What a group effect adds in each level; effects of one term follow from those before.

    The density is that of the offsets themselves, Normal(0, D R D) a level, factored into
    each effect's given the ones before it.

    Attributes
    ----------
    given
        The sites that it depends on, and how.
    """

    given: GroupOffsets

    @property
    def transform(self) -> Transform:
        return self.given

    @property
    def requirements(self) -> frozenset[str]:
        return frozenset({"feature:groups"})

    def log_prob(self, values: Values) -> Any:
        mean, sd = self.given.law(values, np)
        z = (values[self.name] - mean) / sd
        return np.sum(-0.5 * z * z - np.log(sd), axis=-1) - 0.5 * self.size * LOG_2PI

    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        mean, sd = self.given.law(values, numpy)
        return numpy.asarray(mean + sd * rng.standard_normal(self.shape))

    def written(self) -> list[str]:
        sd = self.given.sds[-1]
        if self.given.correlation is None:
            return [f"{self.name}[l] ~ Normal(0, {sd})"]
        last = len(self.given.offsets) + 1 == self.given.size
        names = ", ".join([*self.given.offsets, self.name])
        sds = ", ".join(self.given.sds)
        return [f"({names})[l] ~ MultivariateNormal(0, D R D), D = diag({sds}), R of {self.given.correlation}"] * last


@dataclass(frozen=True)
class Shrunken(Site):
    """Coefficients under a regularized horseshoe, given its scales."""

    prior: Horseshoe
    given: Shrinkage

    @property
    def transform(self) -> Transform:
        return self.given

    @property
    def requirements(self) -> frozenset[str]:
        return frozenset({"prior:coefficient:Horseshoe"})

    def log_prob(self, values: Values) -> Any:
        scales = self.given.scales(values, np)
        return np.sum(Normal(0.0, 1.0).log_prob(values[self.name] / scales) - np.log(scales), axis=-1)

    def sample(self, rng: numpy.random.Generator, values: Values) -> Array:
        return rng.normal(0.0, self.given.scales(values, numpy), self.shape)

    def written(self) -> list[str]:
        g, local, slab = self.given.global_scale, self.given.local, self.given.slab
        return [f"{self.name}[j] ~ Normal(0, {g} {local}[j] / sqrt(1 + ({g} {local}[j])^2 / {slab}))"]
