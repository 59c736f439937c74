"""A term of a log density that is not the specification's, and whether a mistake explains it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayescore.model.arrays import Array

_EXACT = 1e-6
_ROUGH = 1e-2
"""Share of a difference that a mistake may leave unexplained, by rounding at the most."""


def spread_of(difference: Array) -> float:
    """Largest deviation from the median along the first axis; infinite where there is a NaN or an infinity."""
    if not np.all(np.isfinite(difference)):
        return float("inf")
    return float(np.max(np.abs(difference - np.median(difference))))


@dataclass(frozen=True)
class Term:
    """A term at n points.

    Attributes
    ----------
    found, wanted
        What a backend says and what the specification does, shape (n,), in nats.
    limit
        The spread of their difference that rounding explains.
    """

    found: Array
    wanted: Array
    limit: float

    @property
    def difference(self) -> Array:
        """Found less wanted."""
        with np.errstate(invalid="ignore"):
            return self.found - self.wanted

    @property
    def excess(self) -> float:
        """Spread of the difference over its limit."""
        return spread_of(self.difference) / self.limit

    @property
    def wrong(self) -> bool:
        """Whether it is another term than the specification's, a constant aside."""
        return self.excess > 1.0

    @cached_property
    def rest(self) -> float:
        """The spread that a mistake may leave."""
        spread = spread_of(self.difference)
        return max(_EXACT * spread, min(self.limit, _ROUGH * spread))

    def is_(self, candidate: Array) -> bool:
        """Whether it is this term, shape (n,) or (), up to a constant."""
        return spread_of(self.found - candidate) <= self.rest

    def which(self, candidates: Array) -> int | None:
        """The first of the terms (n, k) that it is, up to a constant."""
        apart = self.found[:, None] - candidates
        spread = np.max(np.abs(apart - np.median(apart, axis=0)), axis=0, initial=0.0)
        fitting = np.flatnonzero(spread <= self.rest)
        return int(fitting[0]) if fitting.size else None

    @cached_property
    def count(self) -> float | None:
        """How many times the specification's term it is, or None."""
        centred = self.wanted - self.wanted.mean()
        if not np.any(centred):
            return None
        factor = float(centred @ self.found / (centred @ centred))
        return factor if self.is_(factor * self.wanted) else None


Reading = tuple[str, Callable[[Any], Any], str]
"""A number taken for another: how it is written, what it becomes, and the likely mistake."""

SCALE: tuple[Reading, ...] = (
    ("1 / {}", lambda v: 1.0 / v, "an inverse scale"),
    ("1 / {}^2", lambda v: v**-2.0, "a precision given for it"),
    ("{}^2", lambda v: v**2.0, "a variance given for it"),
    ("1 / sqrt({})", lambda v: v**-0.5, "taken for a precision"),
    ("sqrt({})", lambda v: v**0.5, "taken for a variance"),
    ("exp({})", np.exp, "taken for its logarithm"),
)
OTHER: tuple[Reading, ...] = (
    ("1 / {}", lambda v: 1.0 / v, "its inverse"),
    ("{}^2", lambda v: v**2.0, "its square"),
    ("sqrt({})", lambda v: v**0.5, "its root"),
)
READINGS: dict[str, tuple[Reading, ...]] = {
    "scale": SCALE,
    "sigma": SCALE,
    "rate": (("1 / {}", lambda v: 1.0 / v, "a scale for a rate"), *OTHER[1:]),
    "loc": (("0", lambda v: 0.0 * v, "left out"), ("-{}", lambda v: -v, "its sign")),
}
