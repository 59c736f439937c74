"""What a comparison judges: random variables, and what is known of their joint density.

A regression is a target (`bayescore.regressions.target`). Whoever has another one states its
sites and as much of the rest as he knows: what isn't known can't be judged, and is not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bayescore.backend import LogDensity
from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import flatten
from bayescore.density.terms import Term
from bayescore.methods import Estimand, Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import NOTHING, Bounds
from bayescore.model.variables import Bounded, Sited, Variable

Values = Mapping[str, Array]
DEEPEST = 1000.0
"""Nats under the highest density after which a point says nothing: there numbers overflow, and no draw comes there."""


class Quantities(NamedTuple):
    """Scalar quantities that are judged: their names, and the ends of their supports."""

    parameters: tuple[str, ...]
    bounds: tuple[Bounds, ...]


class Guided(NamedTuple):
    """A guide's coordinates, its iterates, and whether they are averaged."""

    coordinates: Coordinates
    iterates: Mapping[str, Array]
    averaged: bool


class Target(Sited):
    """Random variables and their joint density, in the constrained space and without Jacobian."""

    def log_density(self, values: Values) -> LogDensity:
        """The density that others are held against, at one point, term by term."""
        raise NotImplementedError

    def log_joint(self, posterior: Posterior) -> Array | None:
        """Log joint density of draws, shape (chain, draw); None where it isn't known."""
        return None

    def gradient(self, shares: Values = NOTHING) -> Callable[[Array], Array] | None:
        """Slopes of the unconstrained density, of and at vectors (..., d); None where they aren't known.

        Parameters
        ----------
        shares
            How centred the offsets of groups are (`bayescore.model.transforms.GroupOffsets`).
        """
        return None

    def coordinates(self, method: Method) -> Coordinates | None:
        """Those that a method's guide works in; None where nobody knows."""
        return None

    def mistake(self, term: str, values: Values, found: Term) -> str:
        """What a term looks like that is not this target's, in words.

        Parameters
        ----------
        values
            Of all sites at the n points, shape (n, *site shape).
        """
        return "another term"

    def remark(self, term: str, found: Term) -> str | None:
        """What is worth a word of a term that differs by a constant, if anything."""
        return None

    def point_scale(self, estimand: Estimand, points: Sequence[Posterior]) -> Array | None:
        """The sds that point estimates of what is judged are measured in, shape (k,); None where there are none."""
        return None

    @property
    def identified(self) -> bool:
        """Whether its parameters themselves are judged."""
        return True

    @property
    def interchangeable(self) -> frozenset[str]:
        """Parameters that can make good for one another, so that others may come to the same predictions."""
        return frozenset()

    @property
    def quantities(self) -> Quantities:
        """What is judged: the parameters, or what they come to where they are not identified."""
        return Quantities(self.parameters, self.bounds)

    def judged(self, posterior: Posterior, guided: Guided | None = None) -> Posterior:
        """A posterior's draws of the quantities; for a guide its moments are found with their errors."""
        return posterior

    def flat(self, values: Values) -> Array:
        """The quantities of values (draw, *site shape), shape (draw, k)."""
        return flatten(self, values)


@dataclass(frozen=True)
class Scalars(Target):
    """Scalar parameters of which nothing is known but their names and supports."""

    names: tuple[str, ...]
    ends: tuple[Bounds, ...]

    @property
    def sites(self) -> tuple[Variable, ...]:
        return tuple(Bounded(name, (), (), (ends,)) for name, ends in zip(self.names, self.ends, strict=True))


def usable(totals: Array) -> "np.ndarray":
    """Which points can be used, by a target's log densities there: not those in its far tails."""
    known = totals[np.isfinite(totals)]
    return np.isfinite(totals) & (totals >= np.max(known, initial=-np.inf) - DEEPEST)
