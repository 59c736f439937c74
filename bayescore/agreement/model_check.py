"""Is it the same model? Log densities compared at a few points, before any draw is looked at.

A backend's log density may differ from the specification by a constant and by nothing
else. The check is deterministic, takes milliseconds, and sees what draws hardly can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayescore.backend import LogDensity, Precision
from bayescore.coordinates import constrain, standardizing_matrix
from bayescore.data import Data
from bayescore.density import LogJoint, log_density
from bayescore.distributions import Array
from bayescore.empirical_bayes import approximate
from bayescore.mode import start_of
from bayescore.regression import Regression

POINTS = 20
_SEED = 20260101
_TOLERANCE: dict[Precision, float] = {"float64": 1e-8, "float32": 1e-5}
_FLOAT32_NATS = 0.05
_GRADIENT: dict[Precision, float] = {"float64": 1e-6, "float32": 1e-2}
_PATTERN = 1e-6

ModelVerdict = Literal["same", "different", "precision", "not-checked"]
Point = Mapping[str, Array]


@dataclass(frozen=True)
class ModelCheck:
    """What was found of one contender's density.

    Attributes
    ----------
    points
        Number of points.
    spread
        Largest deviation of the difference from its median, in nats.
    gradient_spread
        Largest difference of gradients, as a share of 1 plus the largest gradient.
    constant
        The median difference, in nats: dropped normalizations.
    site
        The term that differs most, where the model is another one.
    pattern
        What the difference looks like, in words.
    """

    contender: str
    verdict: ModelVerdict
    points: int = 0
    spread: float | None = None
    gradient_spread: float | None = None
    constant: float | None = None
    site: str | None = None
    pattern: str | None = None


def points(regression: Regression, data: Data, count: int = POINTS) -> list[Point]:
    """Points around the posterior: mode + 2 L t, t of Student's t with 5 degrees of freedom.

    Where there is no mode they are draws from the priors, and around zero from flat ones.
    """
    rng = np.random.default_rng(_SEED)
    basis = standardizing_matrix(regression, data)
    found = approximate(LogJoint(regression, data), start_of(regression, data), basis)
    if found is not None:
        mode, precision = found
        root = basis @ np.linalg.inv(np.linalg.cholesky(precision)).T
        u = mode + 2.0 * rng.standard_t(5, (count, mode.size)) @ root.T
        return [constrain(regression.slots(), row) for row in u]
    return [prior_draw(regression, rng) for _ in range(count)]


def prior_draw(regression: Regression, rng: np.random.Generator) -> Point:
    """Every site's values, drawn from the priors in order."""
    values: dict[str, Array] = {}
    for site in regression.sites:
        values[site.name] = np.asarray(site.sample(rng, values), dtype=np.float64)
    return values


def check(
    contender: str,
    regression: Regression,
    data: Data,
    at: Sequence[Point],
    found: Sequence[LogDensity],
    *,
    precision: Precision = "float64",
    in_float64: Sequence[LogDensity] | None = None,
) -> ModelCheck:
    """Hold a backend's densities against the specification.

    Parameters
    ----------
    at, found
        The points and what the backend says there.
    in_float64
        For a float32 backend the same in float64: where that passes, a failure is one of
        precision.
    """
    wanted = [log_density(regression, data, point) for point in at]
    result = _compare(contender, at, wanted, found, precision)
    if result.verdict == "different" and precision == "float32" and in_float64 is not None:
        again = _compare(contender, at, wanted, in_float64, "float64")
        if again.verdict == "same":
            return ModelCheck(**{**vars(result), "verdict": "precision", "pattern": "float32 loses the digits"})
    return result


def _compare(
    contender: str, at: Sequence[Point], wanted: Sequence[LogDensity], found: Sequence[LogDensity], precision: Precision
) -> ModelCheck:
    difference = np.array([f.total - w.total for f, w in zip(found, wanted, strict=True)])
    size = 1.0 + max(abs(w.total) for w in wanted)
    constant = float(np.median(difference))
    spread = _spread(difference)
    limit = _TOLERANCE[precision] * size
    if precision == "float32":
        limit = min(limit, _FLOAT32_NATS)
    gradient, gradient_site = _gradient_spread(wanted, found)
    same_gradient = gradient is None or gradient <= _GRADIENT[precision]
    verdict: ModelVerdict = "same" if spread <= limit and same_gradient else "different"
    if verdict == "same":
        return ModelCheck(contender, "same", len(at), spread, gradient, constant)
    site, pattern = _offender(at, wanted, found, _TOLERANCE[precision])
    if site is None:
        site, pattern = gradient_site, "its gradient is not that of its density"
    return ModelCheck(contender, "different", len(at), spread, gradient, constant, site, pattern)


def _spread(difference: Array) -> float:
    if not np.all(np.isfinite(difference)):
        return float("inf")
    return float(np.max(np.abs(difference - np.median(difference))))


def _gradient_spread(wanted: Sequence[LogDensity], found: Sequence[LogDensity]) -> tuple[float | None, str | None]:
    """Largest difference of gradients over 1 plus the largest gradient, and the site where it is."""
    worst, where = None, None
    for w, f in zip(wanted, found, strict=True):
        if w.gradient is None or f.gradient is None:
            continue
        largest = max(float(np.max(np.abs(g), initial=0.0)) for g in w.gradient.values())
        for site, g in w.gradient.items():
            difference = float(np.max(np.abs(np.asarray(f.gradient[site]) - g), initial=0.0)) / (1.0 + largest)
            if worst is None or not difference <= worst:
                worst, where = difference, site
    return worst, where


def _offender(
    at: Sequence[Point], wanted: Sequence[LogDensity], found: Sequence[LogDensity], tolerance: float
) -> tuple[str | None, str | None]:
    """The term whose differences vary most, and what they look like."""
    worst, site = 0.0, None
    differences = {}
    for name in wanted[0].by_site:
        own = np.array([w.by_site[name] for w in wanted])
        differences[name] = np.array([f.by_site[name] for f in found]) - own
        excess = _spread(differences[name]) / (tolerance * (1.0 + np.max(np.abs(own))))
        if excess > 1.0 and not excess <= worst:
            worst, site = excess, name
    if site is None:
        return None, None
    if site == "likelihood":
        terms = np.array([w.by_site[site] for w in wanted])
        return site, _likelihood_pattern(differences[site], terms)
    values = np.stack([np.atleast_1d(point[site]) for point in at])
    return site, _prior_pattern(differences[site], values)


def _prior_pattern(difference: Array, x: Array) -> str:
    candidates = {"a pure theta^2 pattern: another scale of a normal prior": [x**2], "linear in theta": [x]}
    if np.all(x > 0):
        candidates |= {
            "linear in log theta: a Jacobian, or another shape": [np.log(x)],
            "a pure 1 / theta pattern: another scale of an inverse prior": [1.0 / x],
            "linear in theta and log theta: another Gamma": [x, np.log(x)],
            "in log theta and 1 / theta: another inverse Gamma": [np.log(x), 1.0 / x],
        }
    candidates |= {"linear and quadratic in theta: another location": [x, x**2]}
    for words, columns in candidates.items():
        if _explains(difference, np.column_stack([np.ones(len(x)), *columns])):
            return words
    return "another family of prior"


def _likelihood_pattern(difference: Array, terms: Array) -> str:
    design = np.column_stack([np.ones(terms.size), terms])
    if _explains(difference, design):
        factor = 1.0 + float(np.linalg.lstsq(design, difference, rcond=None)[0][1])
        return f"the likelihood is counted {factor:.4g} times"
    return "another likelihood: its rows, columns, scale or link"


def _explains(difference: Array, design: Array) -> bool:
    """Whether a linear model leaves next to nothing of the differences; needs points to spare."""
    if design.shape[0] < design.shape[1] + 3 or not np.all(np.isfinite(difference)):
        return False
    scale = np.abs(design).max(axis=0)
    fitted = design / scale @ np.linalg.lstsq(design / scale, difference, rcond=None)[0]
    return bool(np.max(np.abs(difference - fitted)) <= _PATTERN * _spread(difference))
