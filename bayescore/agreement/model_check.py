"""Is it the same model? Log densities compared at a few points, before any draw is looked at.

A backend's log density may differ from the specification by a constant and by nothing
else. The check is deterministic, takes milliseconds, and sees what draws hardly can.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bayescore.agreement import likelihood_mistakes, prior_mistakes
from bayescore.agreement.mistakes import Term, spread_of
from bayescore.backend import LogDensity, Precision
from bayescore.density.coordinates import constrain, standardizing_matrix
from bayescore.density.empirical_bayes import approximate
from bayescore.density.mode import start_of
from bayescore.density.specification import LogJoint, log_density
from bayescore.model.data import Data
from bayescore.model.distributions import Array
from bayescore.model.regression import Regression
from bayescore.model.transforms import unconstrain

POINTS = 20
LEAST_POINTS = 10
"""Fewer that can be used leave a model unchecked."""
DEEPEST = 1000.0
"""Nats under the highest density after which a point says nothing: there numbers overflow, and no draw comes there."""
_SEED = 20260101
_WIDTHS = (1.0, 0.5, 0.25, 0.125, 1 / 16, 1 / 32, 1 / 64)
"""Shares of their distance from the middle at which points are drawn, as long as too few can be used."""
_BATCHES = 4
"""Sets of candidates of each width."""
_TOLERANCE: dict[Precision, float] = {"float64": 1e-8, "float32": 1e-5}
_FLOAT32_NATS = 0.05
_GRADIENT: dict[Precision, float] = {"float64": 1e-6, "float32": 1e-2}

ModelVerdict = Literal["same", "different", "precision", "not-checked"]
Point = Mapping[str, Array]


@dataclass(frozen=True)
class ModelCheck:
    """What was found of one contender's density.

    Attributes
    ----------
    points
        Number of points that it was held against the specification at; 0 where it was not.
    spread
        Largest deviation of the difference from its median, in nats.
    gradient_spread
        Largest difference of gradients, in nats over the spread of its parameter, as a share
        of 1 plus the largest such gradient of the parameter.
    constant
        The median difference, in nats: dropped normalizations.
    site
        The term that differs most, where the model is another one.
    pattern
        What the difference looks like, in words, or a constant; or why it was not checked.
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
    Those that the check could not use are left out and others drawn, nearer to the middle
    where it has to be; at last there may be fewer than ``count``.
    """
    joint, slots, draw = LogJoint(regression, data), regression.slots(), _candidates(regression, data)
    lows, highs = np.array(regression.bounds, dtype=np.float64).T
    kept: list[Point] = []
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


def usable(totals: Array) -> "np.ndarray":
    """Which points the check can use, by the specification's log densities there: not in its far tails."""
    known = totals[np.isfinite(totals)]
    return np.isfinite(totals) & (totals >= np.max(known, initial=-np.inf) - DEEPEST)


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
    with np.errstate(all="ignore"):
        wanted = [log_density(regression, data, point) for point in at]
    kept: list[int] = np.flatnonzero(usable(np.array([w.total for w in wanted]))).tolist()
    comparison = _Comparison(regression, data, [at[k] for k in kept], [wanted[k] for k in kept])
    empty = comparison.empty(len(at))
    if empty is not None:
        return ModelCheck(contender, "not-checked", pattern=empty)
    result = comparison.result(contender, [found[k] for k in kept], precision)
    if result.verdict == "different" and precision == "float32" and in_float64 is not None:
        again = comparison.result(contender, [in_float64[k] for k in kept], "float64")
        if again.verdict == "same":
            return replace(result, verdict="precision", pattern="float32 loses the digits")
    return result


@dataclass(frozen=True)
class _Comparison:
    """The specification's densities at the points that can be used."""

    regression: Regression
    data: Data
    at: Sequence[Point]
    wanted: Sequence[LogDensity]

    def empty(self, count: int) -> str | None:
        """Why nothing follows from these points, of ``count``, if nothing does."""
        if len(self.at) < LEAST_POINTS:
            return (
                f"{len(self.at)} of {count} points can be used, and {LEAST_POINTS} are needed: elsewhere the "
                f"specification is not finite, or lies {DEEPEST:g} nats under its highest"
            )
        for site in self.regression.sites:
            still = np.ptp([np.ravel(point[site.name]) for point in self.at], axis=0) == 0
            if still.any():
                return f"{site.parameters[int(np.argmax(still))]} has the same value at all points"
        return None

    def result(self, contender: str, found: Sequence[LogDensity], precision: Precision) -> ModelCheck:
        """Judge each term against its own size, then what the terms don't hold, then gradients."""
        with np.errstate(invalid="ignore"):  # infinities of a backend's
            return self._result(contender, found, precision)

    def _result(self, contender: str, found: Sequence[LogDensity], precision: Precision) -> ModelCheck:
        terms = {name: self._term(name, found, precision) for name in self.wanted[0].by_site}
        total = np.array([f.total - w.total for f, w in zip(found, self.wanted, strict=True)])
        gradient, where = self._gradient(found)
        seen = ModelCheck(contender, "different", len(self.at), spread_of(total), gradient, float(np.median(total)))
        wrong = [name for name, term in terms.items() if term.wrong]
        if wrong and not _cancel([terms[name] for name in wrong]):
            worst = max(wrong, key=lambda name: terms[name].excess)
            return replace(seen, site=worst, pattern=self._pattern(worst, terms[worst]))
        size = 1.0 + max(abs(w.total) for w in self.wanted)
        rest = total - sum(term.difference for term in terms.values())
        if not spread_of(rest) <= _limit(size, precision):
            return replace(seen, pattern="its terms don't add up to its total")
        if gradient is not None and not gradient <= _GRADIENT[precision]:
            return replace(seen, site=where, pattern="its gradient is not that of its density")
        halves = (prior_mistakes.unfolded(site, terms[site.name]) for site in self.regression.sites)
        return replace(seen, verdict="same", pattern=next(filter(None, halves), None))

    def _term(self, name: str, found: Sequence[LogDensity], precision: Precision) -> Term:
        own = np.array([w.by_site[name] for w in self.wanted])
        size = 1.0 + float(np.max(np.abs(own)))
        return Term(np.array([f.by_site[name] for f in found]), own, _limit(size, precision))

    def _gradient(self, found: Sequence[LogDensity]) -> tuple[float | None, str | None]:
        """Largest difference of gradients as `ModelCheck` has it, and the site where it is."""
        worst, where = None, None
        for site in self.regression.sites:
            ours = [w.gradient[site.name] for w in self.wanted if w.gradient is not None]
            theirs = [f.gradient[site.name] for f in found if f.gradient is not None]
            if len(theirs) < len(ours):
                continue
            scale = np.std([point[site.name] for point in self.at], axis=0)
            largest = np.max(np.abs(ours), axis=0) * scale
            apart = np.max(np.abs(np.asarray(theirs) - ours), axis=0) * scale
            share = float(np.max(apart / (1.0 + largest)))
            if worst is None or not share <= worst:
                worst, where = share, site.name
        return worst, where

    def _pattern(self, name: str, term: Term) -> str:
        """What a term looks like that is not the specification's."""
        odd = np.flatnonzero(~np.isfinite(term.found))
        if odd.size:
            return f"it is {term.found[odd[0]]} at {odd.size} of {len(self.at)} points where it should be finite"
        values = {site.name: np.stack([point[site.name] for point in self.at]) for site in self.regression.sites}
        if name == "likelihood":
            return likelihood_mistakes.name(self.regression, self.data, values, term)
        site = next(site for site in self.regression.sites if site.name == name)
        return prior_mistakes.name(site, values, term)


def _limit(size: float, precision: Precision) -> float:
    limit = _TOLERANCE[precision] * size
    return min(limit, _FLOAT32_NATS) if precision == "float32" else limit


def _cancel(terms: Sequence[Term]) -> bool:
    """Whether terms differ by what the others make good: shared out differently, but the same density."""
    together = sum(term.difference for term in terms)
    return bool(spread_of(np.asarray(together)) <= sum(term.limit for term in terms))
