"""Priors that the data contradict: where a coefficient's prior and the likelihood pull it far apart.

The likelihood's own estimate of the coefficients is its mode with flat priors on all of
them, the other priors as stated, group effects around their likeliest sds; its error is
that of Laplace's method there. A coefficient whose prior has median m and lies with
Phi(3) = 0.99865 of its mass within 3 s of m on the estimate's side is in conflict if
|estimate - m| > 3 sqrt(s^2 + error^2): for a Normal prior the estimate's own distribution
under prior and model (Box 1980, *Sampling and Bayes' inference in scientific modelling and
robustness*), which 0.3 % of honest priors exceed. By its quantiles a heavy-tailed prior
bears what it says it bears. `AtMeans` is judged by the linear predictor at the means.
Where the likelihood has no maximum, there is nothing to compare a prior with.
"""

from dataclasses import replace

import numpy as np

from bayescore.density.coordinates import standardizing_matrix
from bayescore.density.empirical_bayes import approximate
from bayescore.density.mode import start_of
from bayescore.density.reduction import reducible
from bayescore.density.specification import LogJoint
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions import Distribution, Flat, Horseshoe, at_zero
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent, Thresholds

_SDS = 3.0
_FAR = 0.9986501019683699
"""Phi(3)."""
_MOST_UNKNOWNS = 200
_MOST_VALUES = 2_000_000
"""Rows times unknowns squared; of more rows a part is looked at, whose estimate has a larger error."""
_FEWEST_ROWS = 20
"""A coefficient."""


def check(regression: Regression, data: Data) -> list[str]:
    """Return a warning for each coefficient whose prior and the likelihood lie more than three sds apart."""
    sites = _sites(regression)
    size = len(regression.parameters)
    if not sites or all(not prior.proper for site in sites for prior in site.priors):
        return []
    if size > _MOST_UNKNOWNS:
        return [f"whether priors contradict the data was not looked for: {size} parameters are too many"]
    flat = _flat(regression)
    found = _estimate(flat, _part(regression, data, size))
    if found is None:
        return []
    value, slope, cov = *_values(flat, found[0]), found[1]
    slots = {slot.site: slot for slot in flat.slots()}
    warnings = []
    for site in sites:
        of = np.zeros((site.size, size))
        of[:, slots[site.name].start : slots[site.name].stop] = np.eye(site.size)
        if site.shift is not None:
            first, p = slots[site.shift.coefficients].start, len(regression.columns)
            for k, (row, means) in enumerate(zip(site.shift.predictor, site.shift.means, strict=True)):
                of[k, first + row * p : first + (row + 1) * p] += means
        errors = np.sqrt(np.einsum("ki,ij,kj->k", of @ slope, cov, of @ slope))
        for line, prior, at, error in zip(site.lines(), site.priors, of @ value, errors, strict=True):
            away = _distance(at_zero(prior), float(at), float(error)) if prior.proper else 0.0
            if away > _SDS:
                warnings.append(
                    f"prior and data contradict each other: {line} lies {away:.3g} sds from what the data alone say, "
                    f"{at:.4g} (se {error:.2g}); widen it, or centre the columns where it is of an intercept"
                )
    return warnings


def _distance(prior: Distribution, estimate: float, error: float) -> float:
    """How many sds of prior and estimate together lie between the two."""
    median = prior.quantile(0.5)
    far = prior.quantile(_FAR if estimate > median else 1.0 - _FAR)
    return abs(estimate - median) / float(np.hypot((far - median) / _SDS, error))


def _values(regression: Regression, u: Array) -> tuple[Array, Array]:
    """The parameters at u, and their slopes in u, shapes (d,) and (d, d); positive ones as they stand in u."""
    value, slope = u.copy(), np.eye(u.size)
    for slot in regression.slots():
        if slot.site == "threshold":
            steps = np.append(1.0, np.exp(u[slot.start + 1 : slot.stop]))
            slope[slot.start : slot.stop, slot.start : slot.stop] = np.tril(np.tile(steps, (steps.size, 1)))
            value[slot.start : slot.stop] = u[slot.start] + np.append(0.0, np.cumsum(steps[1:]))
    return value, slope


def _sites(regression: Regression) -> list[Independent]:
    """Coefficients with a prior each."""
    found = [s.independent if isinstance(s, Thresholds) else s for s in regression.sites]
    names = {"intercept", "beta", "threshold"} if regression.network is None else set()
    return [site for site in found if isinstance(site, Independent) and site.name in names]


def _flat(regression: Regression) -> Regression:
    """The same with flat priors on the coefficients, but for a horseshoe."""

    def flat(priors: tuple[Distribution, ...]) -> tuple[Distribution, ...]:
        return tuple(prior if isinstance(prior, Horseshoe) else Flat() for prior in priors)

    given = regression.intercept
    intercept = flat(given) if isinstance(given, tuple) else None if given is None else Flat()
    return replace(regression, intercept=intercept, beta=flat(regression.beta), thresholds=flat(regression.thresholds))


def _part(regression: Regression, data: Data, size: int) -> Data:
    """As many rows, spread over all of them, as can be looked at quickly."""
    most = max(_MOST_VALUES // size**2, _FEWEST_ROWS * size)
    return data if reducible(regression) or data.rows <= most else data.take(slice(None, None, -(-data.rows // most)))


def _estimate(regression: Regression, data: Data) -> tuple[Array, Array] | None:
    """The likelihood's mode and its covariance, in order of the flat regression's parameters; or None."""
    basis = standardizing_matrix(regression, data)
    found = approximate(LogJoint(regression, data), start_of(regression, data), basis)
    if found is None:
        return None
    return found[0], basis @ np.linalg.inv(found[1]) @ basis.T
