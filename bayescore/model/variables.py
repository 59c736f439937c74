"""Random variables by name, shape and support: what can be said of them without a prior.

A variable's scalar elements are parameters, and a vector of real numbers holds all of them
through their transforms.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.transforms import REAL, Bounds, Elementwise, Slot, Transform


@dataclass(frozen=True)
class Variable(ABC):
    """A random variable.

    Attributes
    ----------
    name
        As ``beta`` or ``sd(1|county)``.
    shape
        () for a scalar.
    labels
        One an element, in C order; none for a scalar.
    """

    name: str
    shape: tuple[int, ...]
    labels: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many scalar parameters it has."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its scalar parameters, as in ``beta[mom_iq]``."""
        return tuple(f"{self.name}[{label}]" for label in self.labels) if self.shape else (self.name,)

    @property
    @abstractmethod
    def transform(self) -> Transform:
        """From real numbers to its values; what scale they then have is the same in every backend."""

    @property
    def bounds(self) -> tuple[Bounds, ...]:
        """Ends of each element's support, by which it is judged: as it is, as logarithm, as logit."""
        return (REAL,) * self.size

    def check(self, values: Array) -> str | None:
        """What values (..., *shape) have to be together, where they are not."""
        return None


@dataclass(frozen=True)
class Bounded(Variable):
    """A variable whose elements lie between bounds each, and of which no more is known."""

    ends: tuple[Bounds, ...]

    @property
    def transform(self) -> Transform:
        return Elementwise(self.ends)

    @property
    def bounds(self) -> tuple[Bounds, ...]:
        return self.ends


class Sited(ABC):
    """What consists of random variables, in the order of its unconstrained vector."""

    @property
    @abstractmethod
    def sites(self) -> tuple[Variable, ...]:
        """All random variables, each after those that its transform depends on."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all scalar parameters, site by site."""
        return tuple(name for site in self.sites for name in site.parameters)

    @property
    def bounds(self) -> tuple[Bounds, ...]:
        """Ends of each scalar parameter's support."""
        return tuple(bounds for site in self.sites for bounds in site.bounds)

    @property
    def elementwise(self) -> bool:
        """Whether each parameter depends on its own element of the unconstrained vector alone."""
        return all(isinstance(site.transform, Elementwise) for site in self.sites)

    def slots(self) -> tuple[Slot, ...]:
        """The layout of the unconstrained vector."""
        found, start = [], 0
        for site in self.sites:
            found.append(Slot(site.name, start, start + site.size, site.shape, site.transform))
            start += site.size
        return tuple(found)
