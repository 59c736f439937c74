"""What an inference leaves behind: a way to draw, and its record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bayescore.coordinates import Coordinates
from bayescore.distributions import Array

Draws = tuple[Array, Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Outcome:
    """The end of a fit.

    Attributes
    ----------
    coordinates
        Those that it worked in.
    draw
        Takes a seed; gives z (chain, draw, d) and sample statistics (chain, draw).
    losses, iterates, seconds
        As in `bayescore.backend.Fit`.
    """

    coordinates: Coordinates
    draw: Callable[[int], Draws]
    losses: Array | None = None
    iterates: Mapping[str, Array] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def point(coordinates: Coordinates, z: Array, losses: Array) -> Outcome:
    """A point estimate: one draw, whatever the seed."""
    return Outcome(coordinates, lambda seed: (z[None, None], {}), losses)
