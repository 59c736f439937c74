"""What an inference leaves behind: a way to draw, and its record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import scale_matrix
from bayescore.model.arrays import Array
from bayescore.model.posterior import Moments
from bayescore.model.regression import Regression

Draws = tuple[Mapping[str, Array], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Found:
    """The end of a fit.

    Attributes
    ----------
    draw
        Takes a seed; gives each site's values (chain, draw, *site shape) and sample
        statistics (chain, draw).
    moments
        Of the regression's parameters, or None where they are not known.
    losses, iterates, seconds
        As in `bayescore.backend.Fit`.
    """

    draw: Callable[[int], Draws]
    moments: Callable[[Regression], Moments] | None = None
    losses: Array | None = None
    iterates: Mapping[str, Array] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def point(values: Mapping[str, Array], losses: Array) -> Found:
    """A point estimate: one draw, whatever the seed."""
    one = {name: np.asarray(value)[None, None] for name, value in values.items()}
    return Found(lambda seed: (one, {}), losses=losses)


def gaussian_draws(coordinates: Coordinates, estimate: Mapping[str, Array], draws: int) -> Callable[[int], Draws]:
    """Independent draws of z ~ Normal(loc, L L'), with the log density of the values they stand for.

    Parameters
    ----------
    estimate
        ``loc``, ``log_scale`` and perhaps ``lower``, as in `bayescore.density.guide`.
    """
    loc, root = estimate["loc"], scale_matrix(estimate)
    constant = np.sum(np.log(np.diag(root))) + 0.5 * loc.size * np.log(2.0 * np.pi)

    def draw(seed: int) -> Draws:
        noise = np.random.default_rng(seed).standard_normal((1, draws, loc.size))
        values, log_det = coordinates.mapped(loc + noise @ root.T)
        return values, {"log_q": -0.5 * np.sum(noise**2, axis=-1) - constant - log_det}

    return draw
