"""Points around a regression's posterior, at which log densities are compared before anything is fitted."""

from collections.abc import Callable

import numpy as np

from bayescore.density.coordinates import constrain, standardizing_matrix
from bayescore.density.empirical_bayes import approximate
from bayescore.density.mode import start_of
from bayescore.density.specification import LogJoint
from bayescore.density.target import Values, usable
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.transforms import unconstrain

POINTS = 20
_SEED = 20260101
_WIDTHS = (1.0, 0.5, 0.25, 0.125, 1 / 16, 1 / 32, 1 / 64)
"""Shares of their distance from the middle at which points are drawn, as long as too few can be used."""
_BATCHES = 4
"""Sets of candidates of each width."""


def points(regression: Regression, data: Data, count: int = POINTS) -> list[Values]:
    """Points around the posterior: mode + 2 L t, t of Student's t with 5 degrees of freedom.

    Where there is no mode they are draws from the priors, and around zero from flat ones.
    Those that the check could not use are left out and others drawn, nearer to the middle
    where it has to be; at last there may be fewer than ``count``.
    """
    joint, slots, draw = LogJoint(regression, data), regression.slots(), _candidates(regression, data)
    lows, highs = np.array(regression.bounds, dtype=np.float64).T
    kept: list[Values] = []
    totals: list[float] = []
    for width in np.repeat(_WIDTHS, _BATCHES):
        with np.errstate(all="ignore"):
            values = constrain(slots, draw(count, float(width)))
            total = joint(values)
        flat = np.concatenate([np.reshape(value, (count, -1)) for value in values.values()], axis=1)
        total = np.where(np.all((flat > lows) & (flat < highs), axis=1), total, np.nan)
        kept += [{name: value[k] for name, value in values.items()} for k in range(count)]
        totals += list(total)
        found = np.flatnonzero(usable(np.array(totals)))
        if len(found) >= count:
            break
    return [kept[k] for k in found[:count]]


def _candidates(regression: Regression, data: Data) -> Callable[[int, float], Array]:
    """Draws so many unconstrained vectors (count, d), at a share of the distance from the middle."""
    rng = np.random.default_rng(_SEED)
    basis, start, slots = standardizing_matrix(regression, data), start_of(regression, data), regression.slots()
    found = approximate(LogJoint(regression, data), start, basis)
    if found is None:

        def of_priors(count: int, width: float) -> Array:
            drawn = [prior_draw(regression, rng) for _ in range(count)]
            stacked = {site.name: np.stack([one[site.name] for one in drawn]) for site in regression.sites}
            return np.asarray(start + width * (unconstrain(slots, stacked, np) - start))

        return of_priors
    mode, precision = found
    root = basis @ np.linalg.inv(np.linalg.cholesky(precision)).T
    return lambda count, width: mode + 2.0 * width * rng.standard_t(5, (count, mode.size)) @ root.T


def prior_draw(regression: Regression, rng: np.random.Generator) -> Values:
    """Every site's values, drawn from the priors in order."""
    values: dict[str, Array] = {}
    for site in regression.sites:
        values[site.name] = np.asarray(site.sample(rng, values), dtype=np.float64)
    return values
