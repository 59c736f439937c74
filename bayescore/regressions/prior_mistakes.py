"""What a wrong prior looks like: the likeliest mistakes, tried out one after another.

Each says what the term would be if that mistake had been made, by the stated priors
themselves, so that a new distribution needs nothing here. The first that explains the
term up to a constant is named, with the number that it must have been.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any

import numpy as np

from bayescore.density.terms import OTHER, READINGS, SCALE, Reading, Term, spread_of
from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.distributions import DISTRIBUTIONS, Distribution, Horseshoe
from bayescore.model.distributions.at_means import at_zero
from bayescore.model.distributions.base import LOG_2
from bayescore.model.sites import Correlation, Independent, Site, Thresholds
from bayescore.model.transforms import POSITIVE, REAL

Values = Mapping[str, Array]
Guess = tuple[Array, str]
"""What the term would be, shape (n,), and in words why."""

_MOST_ALONE = 50
"""Elements that are each looked at alone; beyond, only what is the same for all."""
_MOST_FITTED = 20
_ANY_SIGN = {"loc", "low", "high"}
_COUNTS = (2.0, 3.0, 0.5, -1.0)
"""How many times a prior may be counted by mistake; for a normal one any other number looks like another scale."""
_STARTS = (0.0, -2.0, 2.0)


@dataclass(frozen=True)
class _Element:
    """A parameter with a prior of its own, and what its share of the term is under another."""

    name: str
    prior: Distribution
    under: Callable[[Distribution], Array]

    @property
    def own(self) -> Array:
        """As it is stated."""
        return self.under(self.prior)


def name(site: Site, values: Values, term: Term) -> str:
    """The mistake that explains a site's term, in words.

    Parameters
    ----------
    values
        Of all sites, shape (n, *site shape).
    """
    elements = _elements(site, values)
    with np.errstate(all="ignore"):
        for guesses in (_shared(site, values, term), _misread(elements, term), _others(site, values)):
            for candidate, words in guesses:
                if spread_of(candidate - term.wanted) > term.limit and term.is_(candidate):
                    return words
        counted = None if term.count is None else f"the prior is counted {term.count:.4g} times"
        if counted and any(np.isclose(float(term.count or 0.0), factor) for factor in _COUNTS):
            return counted
        return _fitted(elements, term) or counted or _shape(values[site.name], term)


def unfolded(site: Site, term: Term) -> str | None:
    """Whether a term lacks what makes half a distribution one, which changes nothing."""
    halves = sum(type(p).__name__.startswith("Half") for p in getattr(site, "priors", ()))
    constant = float(np.median(term.difference)) + halves * LOG_2
    return f"{site.name} is without the log 2 of a half prior" if halves and abs(constant) <= term.limit else None


def _elements(site: Site, values: Values) -> list[_Element]:
    if isinstance(site, Correlation):
        return [_Element(site.name, site.prior, lambda p: np.asarray(replace(site, prior=p).log_prob(values)))]  # type: ignore[arg-type]
    if not isinstance(site, Independent | Thresholds):
        return []
    value = values[site.name] if site.shift is None else values[site.name] + site.shift.of(values, site)
    columns = np.reshape(value, (len(value), -1)).T
    priors = [at_zero(prior) for prior in site.priors]

    def under(x: Array) -> Callable[[Distribution], Array]:
        return lambda prior: np.asarray(prior.log_prob(x))

    return [_Element(n, p, under(x)) for n, p, x in zip(site.parameters, priors, columns, strict=True)]


def _shared(site: Site, values: Values, term: Term) -> Iterator[Guess]:
    """Mistakes that know nothing of the prior: it is forgotten, or of the transformed parameter."""
    nothing = np.zeros(len(term.wanted))
    yield nothing, "as if it had no prior"
    flat = np.reshape(values[site.name], (len(nothing), -1))
    log_det = np.asarray(site.transform.forward(site.transform.inverse(flat, values, np), values, np)[1]) + nothing
    kind = {POSITIVE: "logarithm"}.get(site.bounds[0], "transform")
    yield term.wanted + log_det, f"the Jacobian of its {kind} is in it, as in a density of the unconstrained parameter"
    yield term.wanted - log_det, f"the Jacobian of its {kind} is taken off"
    if isinstance(site, Independent | Thresholds) and site.shift is not None:
        stated = [at_zero(prior) for prior in site.priors]
        of_itself = np.sum([p.log_prob(flat[:, j]) for j, p in enumerate(stated)], axis=0)
        yield of_itself, "as if the prior were of the parameter itself, not at the columns' means"
    if isinstance(site, Independent) and site.bounds[0] != REAL:
        u = site.transform.inverse(flat, values, np)
        of_u = np.sum([p.log_prob(u[:, j]) for j, p in enumerate(site.priors)], axis=0)
        yield of_u, f"as if the prior were that of its {kind}, without a Jacobian"
        yield of_u - log_det, f"as if the prior were that of its {kind}"


def _misread(elements: Sequence[_Element], term: Term) -> Iterator[Guess]:
    """One number of the priors taken for another thing, of all elements or of one; priors in another order."""
    if len(elements) > 1:
        for change, words in _readings([e.prior for e in elements]):
            yield _under(elements, change), words
    if len(elements) > _MOST_ALONE:
        return
    for element in elements:
        rest = term.wanted - element.own
        whose = f" of {element.name}" if len(elements) > 1 else ""
        if whose:
            yield rest, f"as if {element.name} had no prior"
        for change, words in _readings([element.prior]):
            yield rest + _under([element], change), words.replace(" were", f"{whose} were", 1)
    turned = [e.prior for e in elements[::-1]]
    yield np.sum([e.under(p) for e, p in zip(elements, turned, strict=True)], axis=0), "its priors in reverse order"
    for a, b in combinations(elements, 2):
        swapped = a.under(b.prior) + b.under(a.prior) - a.own - b.own
        yield term.wanted + swapped, f"the priors of {a.name} and {b.name} are swapped"


def _under(elements: Sequence[_Element], change: Callable[[Distribution], Distribution]) -> Array:
    try:
        return np.asarray(np.sum([e.under(change(e.prior)) for e in elements], axis=0))
    except RequestError:  # no such distribution
        return np.full_like(elements[0].own, np.nan)


def _readings(priors: Sequence[Distribution]) -> Iterator[tuple[Callable[[Distribution], Distribution], str]]:
    """Ways to misread a number of these priors, which must all have it."""
    for field in fields(priors[0]):
        if all(any(f.name == field.name for f in fields(p)) for p in priors):
            for how, become, mistake in READINGS.get(field.name, OTHER):
                stated = {float(getattr(p, field.name)) for p in priors}
                yield _reader(field.name, become), _said(field.name, stated, (how, become, mistake))


def _reader(field: str, become: Callable[[Any], Any]) -> Callable[[Distribution], Distribution]:
    return lambda prior: replace(prior, **{field: float(become(np.float64(getattr(prior, field))))})


def _said(field: str, stated: set[float], reading: Reading) -> str:
    how, become, mistake = reading
    if len(stated) > 1:
        each = f"each {field} v" if "{}" in how else f"each {field}"
        return f"as if {each} were {how.format('v')}: {mistake}?"
    value = stated.pop()
    new, written = float(become(np.float64(value))), how.format(f"{value:g}")
    equals = "" if written == f"{new:g}" else f" = {written}"
    return f"as if the {field} were {new:.4g}{equals} instead of {value:g}: {mistake}?"


def _others(site: Site, values: Values) -> Iterator[Guess]:
    """Mistakes in what the prior depends on: the sd of a group, the correlations of its effects."""
    for other, value in values.items():
        if other == site.name:
            continue
        for how, become, mistake in SCALE:
            changed = {**values, other: become(value)}
            yield np.asarray(site.log_prob(changed)), f"as if {other} were {how.format(other)}: {mistake}?"
        yield np.asarray(site.log_prob({**values, other: 0.0 * value})), f"as if {other} were 0"


def _fitted(elements: Sequence[_Element], term: Term) -> str | None:
    """The numbers that the priors must have had: one of them in all elements or in one, then all of them."""
    priors = {e.prior for e in elements}
    if len({type(p) for p in priors}) == 1:
        for field in fields(elements[0].prior):
            found = _fit(elements, (field.name,), np.zeros(len(term.wanted)), term)
            if found is not None:
                return _say_number(elements, field.name, found)
    if 1 < len(elements) <= _MOST_FITTED:
        for element in elements:
            for field in fields(element.prior):
                found = _fit([element], (field.name,), term.wanted - element.own, term)
                if found is not None:
                    return _say_number([element], field.name, found, f" of {element.name}")
    if len(priors) == 1:
        stated = priors.pop()
        for prior in (stated, *_relatives(stated)):
            alike = [replace(e, prior=prior) for e in elements]
            names = tuple(f.name for f in fields(prior))
            found = _fit(alike, names, np.zeros(len(term.wanted)), term)
            if found is not None:
                return f"as if it were {_rounded(found[0])} instead of {stated}"
    return None


def _relatives(stated: Distribution) -> Iterator[Distribution]:
    """Other distributions on the same support, by the same numbers where they have them."""
    own = {f.name: float(getattr(stated, f.name)) for f in fields(stated)}
    own |= {"rate": 1.0 / own["scale"]} if "scale" in own and "rate" not in own else {}
    own |= {"scale": 1.0 / own["rate"]} if "rate" in own and "scale" not in own else {}
    usual = {"loc": 0.0, "df": 3.0, "concentration": 1.0}
    for cls in sorted(DISTRIBUTIONS.values(), key=lambda cls: len(fields(cls))):  # the simplest first
        names = {f.name for f in fields(cls)}
        if cls not in (type(stated), Horseshoe) and cls.support == stated.support and names <= {*own, *usual}:
            yield cls(**{n: own.get(n, usual.get(n)) for n in names})


def _fit(elements: Sequence[_Element], names: tuple[str, ...], rest: Array, term: Term) -> list[Distribution] | None:
    """Priors of other numbers that make the term, by least squares: locations are moved, all else is multiplied."""
    from scipy.optimize import least_squares

    unit = [max(abs(float(getattr(e.prior, "scale", 1.0))), 1e-300) for e in elements]

    def changed(t: Array) -> list[Distribution]:
        found = []
        for element, scale in zip(elements, unit, strict=True):
            own = {n: float(getattr(element.prior, n)) for n in names}
            new = {n: v + scale * t[k] if n in _ANY_SIGN else v * np.exp(t[k]) for k, (n, v) in enumerate(own.items())}
            found.append(replace(element.prior, **new))
        return found

    def apart(t: Array) -> Array:
        try:
            candidate = rest + np.sum([e.under(p) for e, p in zip(elements, changed(t), strict=True)], axis=0)
        except (RequestError, OverflowError):
            return np.full(len(rest), 1e100)
        left = term.found - candidate
        return np.asarray(np.nan_to_num(left - left.mean(), nan=1e100, posinf=1e100, neginf=-1e100))

    for start in _STARTS if names else ():
        at = least_squares(apart, np.full(len(names), start), xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac").x
        if spread_of(apart(at)) <= term.rest:
            return changed(at)
    return None


def _rounded(prior: Distribution) -> str:
    return str(replace(prior, **{f.name: float(f"{getattr(prior, f.name):.4g}") for f in fields(prior)}))


def _say_number(elements: Sequence[_Element], field: str, found: Sequence[Distribution], whose: str = "") -> str:
    stated = {float(getattr(e.prior, field)) for e in elements}
    new = float(getattr(found[0], field))
    first = float(getattr(elements[0].prior, field))
    if len(stated) == 1:
        return f"as if the {field}{whose} were {new:.4g} instead of {first:g}"
    if field in _ANY_SIGN:
        return f"as if each {field} were moved, the first from {first:g} to {new:.4g}"
    return f"as if each {field} were {new / first:.4g} times as large"


def _shape(x: Array, term: Term) -> str:
    """Where no distribution of ours fits: in what the difference is linear."""
    flat = np.reshape(x, (len(x), -1))
    shapes = {"the parameter": [flat], "the parameter and its square": [flat, flat**2]}
    if np.all(flat > 0):
        shapes |= {"its logarithm": [np.log(flat)], "its inverse": [1.0 / flat]}
    for what, columns in shapes.items():
        design = np.column_stack([np.ones(len(x)), *columns])
        design = design / np.abs(design).max(axis=0)
        if len(x) >= design.shape[1] + 3:
            fitted = design @ np.linalg.lstsq(design, term.difference, rcond=None)[0]
            if spread_of(term.difference - fitted) <= term.rest:
                return f"another prior, whose logarithm differs by what is linear in {what}"
    return "another family of prior"
