"""Is it the same model? Log densities compared at a few points, before any draw is looked at.

A backend's log density may differ from the specification by a constant and by nothing
else. The check is deterministic, takes milliseconds, and sees what draws hardly can.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NotRequired, TypedDict

import numpy as np

from bayescore.backend import LogDensity, Precision
from bayescore.density import gradients
from bayescore.density.target import DEEPEST, Target, usable
from bayescore.density.terms import Term, spread_of
from bayescore.model.arrays import Array
from bayescore.model.transforms import unconstrain

LEAST_POINTS = 10
"""Fewer that can be used leave a model unchecked."""
_TOLERANCE: dict[Precision, float] = {"float64": 1e-8, "float32": 1e-5}
_FLOAT32_NATS = 0.05
_GRADIENT: dict[Precision, float] = {"float64": 1e-6, "float32": 1e-2}

WHOLE = "looked at as a whole: it gives no terms by site"
Slopes = Literal["constrained", "unconstrained", "without the Jacobian"]
_TAKEN_FOR: dict[Slopes, str] = {
    "constrained": "that of the constrained values: gradient_of='constrained'",
    "unconstrained": "that of the unconstrained numbers: gradient_of='unconstrained'",
    "without the Jacobian": "that of the unconstrained numbers, the Jacobian of the transforms left out",
}

ModelVerdict = Literal["same", "different", "precision", "not-checked"]
Point = Mapping[str, Array]
_MOST_APART = 30


class RowApart(TypedDict):
    """A row of an observed or sampled site: its place in the site's shape, and its spread in nats."""

    row: str
    spread: float | None


class Apart(TypedDict):
    """A term that differs: at each point by how much, less the median, in nats; its rows, where they are known.

    ``rows`` are those that differ most, of so many as ``rows_of`` says.
    """

    site: str
    points: list[float | None]
    rows: NotRequired[list[RowApart]]
    rows_of: NotRequired[int]


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
    code
        The reason's, where the model is another one for another reason than its density.
    against
        What it was held against.
    apart
        Where it differs the terms that do, the one that differs most first.
    """

    contender: str
    verdict: ModelVerdict
    points: int = 0
    spread: float | None = None
    gradient_spread: float | None = None
    constant: float | None = None
    site: str | None = None
    pattern: str | None = None
    code: str = "different-model"
    against: str = "the specification"
    apart: Sequence[Apart] = ()


def check(
    contender: str,
    target: Target,
    at: Sequence[Point],
    found: Sequence[LogDensity],
    *,
    precision: Precision = "float64",
    in_float64: Sequence[LogDensity] | None = None,
) -> ModelCheck:
    """Hold densities against a target's own.

    Parameters
    ----------
    at, found
        The points and what the backend says there.
    in_float64
        For a float32 backend the same in float64: where that passes, a failure is one of
        precision.
    """
    with np.errstate(all="ignore"):
        wanted = [target.log_density(point) for point in at]
    kept: list[int] = np.flatnonzero(usable(np.array([w.total for w in wanted]))).tolist()
    comparison = _Comparison(target, [at[k] for k in kept], [wanted[k] for k in kept])
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

    target: Target
    at: Sequence[Point]
    wanted: Sequence[LogDensity]

    def empty(self, count: int) -> str | None:
        """Why nothing follows from these points, of ``count``, if nothing does."""
        if len(self.at) < LEAST_POINTS:
            return (
                f"{len(self.at)} of {count} points can be used, and {LEAST_POINTS} are needed: elsewhere the "
                f"specification is not finite, or lies {DEEPEST:g} nats under its highest"
            )
        for site in self.target.sites:
            still = np.ptp([np.ravel(point[site.name]) for point in self.at], axis=0) == 0
            if still.any():
                return f"{site.parameters[int(np.argmax(still))]} has the same value at all points"
        return None

    def result(self, contender: str, found: Sequence[LogDensity], precision: Precision) -> ModelCheck:
        """Judge each term against its own size, then what the terms don't hold, then gradients."""
        with np.errstate(invalid="ignore"):  # infinities of a backend's
            return self._result(contender, found, precision)

    def _result(self, contender: str, found: Sequence[LogDensity], precision: Precision) -> ModelCheck:
        terms = self._terms(found, precision)
        total = np.array([f.total - w.total for f, w in zip(found, self.wanted, strict=True)])
        gradient, where = self._gradient(found)
        seen = ModelCheck(contender, "different", len(self.at), spread_of(total), gradient, float(np.median(total)))
        wrong = [name for name, term in terms.items() if term.wrong]
        if wrong and not _cancel([terms[name] for name in wrong]):
            worst = max(wrong, key=lambda name: terms[name].excess)
            apart = apart_of({name: terms[name].difference for name in wrong})
            return replace(seen, site=worst, pattern=self._pattern(worst, terms[worst]), apart=apart)
        size = 1.0 + max(abs(w.total) for w in self.wanted)
        rest = total - sum(term.difference for term in terms.values())
        if not spread_of(rest) <= _limit(size, precision):
            apart = apart_of({"log joint": total})
            return replace(seen, pattern="its terms don't add up to its total" if terms else WHOLE, apart=apart)
        if gradient is not None and not gradient <= _GRADIENT[precision]:
            return replace(seen, site=where, pattern=self._mistake_of_gradient(found, precision))
        remarks = (self.target.remark(name, term) for name, term in terms.items())
        return replace(seen, verdict="same", pattern=next(filter(None, remarks), None if terms else WHOLE))

    def _terms(self, found: Sequence[LogDensity], precision: Precision) -> dict[str, Term]:
        """Each term, if the target and the backend tell them apart."""
        wanted, got = ([d.by_site for d in side if d.by_site is not None] for side in (self.wanted, found))
        terms: dict[str, Term] = {}
        for name in wanted[0] if len(wanted) == len(got) == len(self.at) else ():
            own = np.array([w[name] for w in wanted])
            limit = _limit(1.0 + float(np.max(np.abs(own))), precision)
            terms[name] = Term(np.array([g[name] for g in got]), own, limit)
        return terms

    def _gradient(self, found: Sequence[LogDensity], of: Slopes | None = None) -> tuple[float | None, str | None]:
        """Largest difference of gradients as `ModelCheck` has it, and the site where it is.

        Parameters
        ----------
        of
            What the backend's gradients are taken for; by default what they say that they are.
        """
        ours, theirs = (_stacked([d.gradient for d in side]) for side in (self.wanted, found))
        if ours is None or theirs is None:
            return None, None
        worst, where = 0.0, None
        at, ours = self._slopes(of or found[0].gradient_of, ours)
        for name, wanted in ours.items():
            scale = np.std(at[name], axis=0)
            largest = np.max(np.abs(wanted), axis=0) * scale
            apart = np.max(np.abs(theirs[name] - wanted), axis=0) * scale
            share = float(np.max(apart / (1.0 + largest)))
            share = math.inf if math.isnan(share) else share
            if where is None or not share <= worst:
                worst, where = share, name
        return worst, where

    def _slopes(self, of: Slopes, slopes: Point) -> tuple[Point, Point]:
        """The points and the specification's derivatives at them, shape (n, *site shape), in a space."""
        if of == "constrained":
            return self.values, slopes
        slots = self.target.slots()
        u = gradients.by_site(slots, unconstrain(slots, self.values, np))
        return u, gradients.unconstrained(slots, self.values, slopes, jacobian=of == "unconstrained")

    def _mistake_of_gradient(self, found: Sequence[LogDensity], precision: Precision) -> str:
        """What a gradient is that is not the one that it says to be."""
        for of, words in _TAKEN_FOR.items():
            share, _ = self._gradient(found, of)
            if share is not None and share <= _GRADIENT[precision]:
                return f"its gradient is {words}"
        return "its gradient is not that of its density"

    @cached_property
    def values(self) -> Point:
        """Of each site, shape (n, *site shape)."""
        return {site.name: np.stack([point[site.name] for point in self.at]) for site in self.target.sites}

    def _pattern(self, name: str, term: Term) -> str:
        """What a term looks like that is not the specification's."""
        odd = np.flatnonzero(~np.isfinite(term.found))
        if odd.size:
            return f"it is {term.found[odd[0]]} at {odd.size} of {len(self.at)} points where it should be finite"
        return self.target.mistake(name, self.values, term)


def apart_of(differences: Mapping[str, Array]) -> list[Apart]:
    """Terms by how far they differ at the points, shape (n,), a constant aside: the furthest first."""
    far = sorted(differences, key=lambda name: -spread_of(differences[name]))[:_MOST_APART]
    with np.errstate(invalid="ignore"):
        return [
            Apart(site=name, points=(differences[name] - np.median(differences[name])).tolist())
            for name in far
            if spread_of(differences[name]) > 0
        ]


def _stacked(points: Sequence[Point | None]) -> Point | None:
    """What is given by site at each of n points, shape (n, *site shape); None where it isn't given at all of them."""
    given = [point for point in points if point is not None]
    return {name: np.stack([p[name] for p in given]) for name in given[0]} if len(given) == len(points) else None


def _limit(size: float, precision: Precision) -> float:
    limit = _TOLERANCE[precision] * size
    return min(limit, _FLOAT32_NATS) if precision == "float32" else limit


def _cancel(terms: Sequence[Term]) -> bool:
    """Whether terms differ by what the others make good: shared out differently, but the same density."""
    together = sum(term.difference for term in terms)
    return bool(spread_of(np.asarray(together)) <= sum(term.limit for term in terms))
