"""Do two programs have the same density, up to a constant? Term by term, at points of both priors and posteriors.

The first program is what others are held against, there being no specification.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayescore.agreement.model_check import ModelCheck, ModelVerdict
from bayescore.backend import LogDensity, Precision
from bayescore.density.target import DEEPEST
from bayescore.programs import explaining, structure, words
from bayescore.programs.apart import apart_of
from bayescore.programs.explaining import Two
from bayescore.programs.parts import Parts, cancel, deviation
from bayescore.programs.sides import Held, Point, Sites, latent

LEAST_POINTS = 10
_ROUNDED = 1e-3
"""Share of a term that digits lost in float32 on the way to it may change."""


def check(
    name: str, a: str, looks: dict[str, Sites], at: Sequence[Point], held: dict[str, Held], precision: Precision
) -> ModelCheck:
    """Hold program ``name`` against program ``a``.

    Parameters
    ----------
    looks, held
        Of both, by name.
    at
        The points that densities are held at.
    """
    seen = ModelCheck(name, "not-checked", against=a)
    if name == a:
        return replace(seen, verdict="same", points=len(at), spread=0.0, pattern="what the others are held against")
    found = structure.compare(a, looks[a], name, looks[name])
    sides = [held[a], held[name]]
    text = "; ".join(dict.fromkeys(one.text for one in found[:3]))
    if found and all(one.alone for one in found):
        whole = _Densities(seen, at, sides, precision).result()
        if whole.verdict == "same":
            return replace(
                whole, pattern=f"{text}: a constant of {abs(whole.constant or 0.0):.4g}, which changes nothing"
            )
    if found:
        first = found[0]
        verdict: ModelVerdict = "different" if first.decides else "not-checked"
        return replace(seen, verdict=verdict, site=first.site, pattern=text, code=first.code)
    result = _Densities(seen, at, sides, precision).result()
    again = [side.in_float64 for side in sides]
    if result.verdict == "different" and precision == "float32" and all(again):
        in_float64 = [Held(side.in_float64 or (), None, side.sites) for side in sides]
        if _Densities(seen, at, in_float64, "float64").result().verdict == "same":
            return replace(result, verdict="precision", pattern="float32 loses the digits")
    return result


@dataclass(frozen=True)
class _Densities:
    """Densities of two programs at the same points, the first being what the second is held against."""

    seen: ModelCheck
    at: Sequence[Point]
    sides: Sequence[Held]
    precision: Precision

    def result(self) -> ModelCheck:
        """The verdict: what has no density at a point where the other has, then terms, then what is left."""
        with np.errstate(all="ignore"):
            return self._result()

    def _result(self) -> ModelCheck:
        names = [n for n in self._first(1) if n in self._first(0)]
        where = [k for k in range(len(self.at)) if all(self._density(side, k).by_site for side in (0, 1))]
        if len(where) < len(self.at) and where:
            return self._at_these(where)._result()
        apart = self._one_sided(names)
        if apart is not None:
            return apart
        kept = self._usable()
        if len(kept) < LEAST_POINTS and len(self.at) >= LEAST_POINTS:
            return replace(self.seen, pattern=self._too_few(len(kept)))
        still = self._still(kept)
        if still:
            return replace(
                self.seen, pattern=f"{still} has the same value at all points, so that they say nothing of it"
            )
        terms = {name: Parts.of(name, *self._at(kept), self.precision, counts=self._counts(name)) for name in names}
        return self._judged(terms, kept)

    def _counts(self, name: str) -> bool:
        return any(two.a.support in {"boolean", "integers"} for two in self._two(name))

    def _judged(self, terms: dict[str, Parts], kept: Sequence[int]) -> ModelCheck:
        """By each term's own size, then by what is left of the totals."""
        total = np.array([b.total - a.total for a, b in zip(*self._at(kept), strict=True)])
        spread, constant = float(np.max(np.abs(deviation(total)), initial=0.0)), float(np.median(total))
        seen = replace(self.seen, points=len(kept), spread=spread, constant=constant)
        wrong = {name: term for name, term in terms.items() if term.wrong.size}
        if Parts.rest(*self._at(kept), list(terms), self.precision).wrong.size:
            return replace(seen, verdict="different", pattern="its terms don't add up to its total")
        if cancel(list(wrong.values())):
            other_data = self._other_data(list(terms))
            shared_out = f"{', '.join(wrong)}: shared out differently, but the same in all" if wrong else None
            return replace(seen, verdict="same", pattern=self._constant(terms) or other_data or shared_out)
        worst = next((n for n in wrong if self._explained(n)), max(wrong, key=lambda n: _excess(wrong[n])))
        if all(self._rounded(name, term) for name, term in wrong.items()):
            words = "float32 is used within: digits are lost on the way"
            return replace(seen, verdict="precision", site=worst, pattern=words)
        others = [f"{name} ({self._pattern(name, term)})" for name, term in wrong.items() if name != worst]
        also = f"; also {', '.join(others[:3])}" if others else ""
        pattern = self._pattern(worst, wrong[worst]) + also
        return replace(seen, verdict="different", site=worst, pattern=pattern, apart=apart_of(wrong))

    def _at(self, kept: Sequence[int]) -> tuple[list[LogDensity], list[LogDensity]]:
        """Densities of both at these points."""
        a, b = ([side.densities[k] for k in kept] for side in self.sides)
        return a, b

    def _at_these(self, where: Sequence[int]) -> "_Densities":
        """The same at the points where neither program raises."""
        sides = [Held(tuple(side.densities[k] for k in where), None, side.sites) for side in self.sides]
        return _Densities(self.seen, [self.at[k] for k in where], sides, self.precision)

    def _density(self, side: int, k: int) -> LogDensity:
        return self.sides[side].densities[k]

    def _first(self, side: int) -> list[str]:
        """Names of the terms, in order."""
        densities = self.sides[side].densities
        return next((list(density.by_site) for density in densities if density.by_site), [])

    def _by_site(self, side: int, k: int, name: str) -> float:
        return float((self._density(side, k).by_site or {})[name])

    def _usable(self) -> list[int]:
        """Points where both have a density: those not far out in the tails of both, and the ten highest in any case.

        Where there are many rows draws of a prior are far apart, and yet all that there is to see a prior by.
        """
        totals = np.array([[density.total for density in side.densities] for side in self.sides])
        finite = np.flatnonzero(np.isfinite(totals).all(axis=0))
        below = np.max(totals[:, finite], axis=1, initial=-np.inf, keepdims=True) - totals[:, finite]
        near = finite[np.min(below, axis=0) <= DEEPEST]
        highest = finite[np.argsort(np.max(below, axis=0), kind="stable")[:LEAST_POINTS]]
        return sorted({*near.tolist(), *highest.tolist()})

    def _too_few(self, count: int) -> str:
        return (
            f"{count} of {len(self.at)} points can be used, and {LEAST_POINTS} are needed: "
            "elsewhere a density is not finite"
        )

    def _still(self, kept: Sequence[int]) -> str | None:
        for name in self.at[0] if self.at else ():
            values = np.stack([np.ravel(self.at[k][name]) for k in kept])
            if len(kept) > 1 and values.size and np.all(np.ptp(values, axis=0) == 0):
                return name
        return None

    def _one_sided(self, names: Sequence[str]) -> ModelCheck | None:
        """A term that is finite on one side and not on the other."""
        for name in names:
            for k, point in enumerate(self.at):
                of_a, of_b = (self._by_site(side, k, name) for side in (0, 1))
                if np.isfinite(of_a) == np.isfinite(of_b):
                    continue
                who, bad = (self.seen.contender, of_b) if np.isfinite(of_a) else (self.seen.against, of_a)
                at = f" at {name} = {words.number(point[name])}" if name in point else ""
                if np.isnan(bad) or bad > 0:
                    text = f"in {who} it is {bad:g}{at}, where the other's is finite"
                    return replace(self.seen, verdict="different", site=name, pattern=text)
                text = f"{who} gives it no density{at}, and the other does: another support"
                causes = explaining.causes(self.seen.against, self._two(name))
                return replace(
                    self.seen,
                    verdict="different",
                    site=name,
                    pattern="; ".join([text, *causes[:1]]),
                    code="different-support" if name in point else "different-model",
                )
        return None

    def _two(self, name: str) -> list[Two]:
        """A site of both, at the points that sites are shown at."""
        found = []
        for of_a, of_b in zip(self.sides[0].sites, self.sides[1].sites, strict=False):
            by_a, by_b = ({site.name: site for site in sites} for sites in (of_a, of_b))
            if name in by_a and name in by_b:
                found.append(Two(by_a[name], by_b[name]))
        return found

    def _explained(self, name: str) -> bool:
        two = self._two(name)
        return bool(two) and bool(explaining.causes(self.seen.against, two))

    def _rounded(self, name: str, term: Parts) -> bool:
        two = self._two(name)
        size = np.maximum(np.abs(term.a), np.abs(term.b))
        spread = np.max(np.abs(deviation(term.difference)) / (1.0 + size))
        return bool(two) and bool(spread <= _ROUNDED) and explaining.rounded(two)

    def _constant(self, terms: dict[str, Parts]) -> str | None:
        """Which terms differ by constants, where any does."""
        parts = {name: float(np.median(term.whole)) for name, term in terms.items()}
        told = [f"{n} by {by:+.4g}" for n, by in parts.items() if abs(by) > 1e-6 * (1.0 + np.max(np.abs(terms[n].a)))]
        return f"a constant apart ({', '.join(told)}), which changes no posterior" if told else None

    def _other_data(self, names: Sequence[str]) -> str | None:
        """An observed site whose data are others, in order or in value, which the density does not tell."""
        for name in names:
            two = self._two(name)
            words = explaining.data(self.seen.against, two) if two else None
            if words:
                return f"{name}: {words}, which changes no posterior"
        return None

    def _pattern(self, name: str, term: Parts) -> str:
        """What is other in a term: rows, then its distribution, parameters or data, then its size."""
        two = self._two(name)
        causes = explaining.causes(self.seen.against, two) if two else []
        parts = [*_which_rows(term), *causes[:3]]
        if not causes:
            parts += [*self._counted(term), *self._before(name)]
        return "; ".join(parts) or "another term"

    def _counted(self, term: Parts) -> Iterator[str]:
        """A term that is a multiple of the other's, or nothing at all."""
        factor = term.factor
        if factor in {0.0, np.inf}:
            yield f"it is missing in {self.seen.contender if factor == 0 else self.seen.against}: flat, or masked"
        elif factor is not None:
            twice = {2.0: self.seen.contender, 0.5: self.seen.against}.get(round(factor, 6))
            yield f"it is {factor:.4g} times the other's" + (f": counted twice in {twice}" if twice else "")

    def _before(self, name: str) -> Iterator[str]:
        """What is computed before it and is another already."""
        for of_a, of_b in zip(self.sides[0].sites[:1], self.sides[1].sites[:1], strict=False):
            there = {site.name: site for site in of_b}
            for site in of_a:
                other = there.get(site.name)
                if site.role != "deterministic" or other is None or site.value.shape != other.value.shape:
                    continue
                if not np.allclose(site.value, other.value, rtol=1e-9, atol=1e-300):
                    yield f"{site.name} is another already"
                    return


def _which_rows(term: Parts) -> Iterator[str]:
    if term.rows is None:
        return
    if term.wrong.size < term.a.shape[1]:
        alone = " alone differs" if term.wrong.size == 1 else f" of {term.a.shape[1]} differ"
        yield words.rows(term.wrong, term.rows) + alone
    else:
        yield "all rows"


def _excess(term: Parts) -> float:
    """The largest deviation of a part's difference, over what rounding explains of it."""
    return float(np.max(np.abs(deviation(term.difference)) / term.limit))


def comparable(looks: dict[str, Sites], name: str, a: str) -> bool:
    """Whether densities of two can be held at the same points."""
    return latent(looks[a]).keys() == latent(looks[name]).keys() and structure.comparable(looks[a], looks[name])
