"""What a wrong likelihood looks like: the likeliest mistakes, tried out one after another."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import combinations

import numpy as np

from bayescore.density import specification
from bayescore.density.terms import OTHER, READINGS, Term, spread_of
from bayescore.errors import DataError, RequestError
from bayescore.model import response
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families import FAMILIES, Family
from bayescore.model.regression import Regression

Values = Mapping[str, Array]
Guess = tuple[Regression, Data, Values, str]

_MOST_ROWS = 100_000
"""Beyond, only what needs no second look at the rows is tried."""
_MOST_COLUMNS = 10
_ELSE = "another likelihood: its rows, columns, scale or link"


def name(regression: Regression, data: Data, values: Values, term: Term) -> str:
    """The mistake that explains the likelihood, in words.

    Parameters
    ----------
    values
        Of all sites, shape (n, *site shape).
    """
    if term.is_(np.zeros(len(term.wanted))):
        return "as if no row counted: the likelihood is left out"
    small = data.rows <= _MOST_ROWS
    with np.errstate(all="ignore"):
        for guesses in (_data, _auxiliaries) if small else ():
            for guess in guesses(regression, data, values):
                if _explains(guess, term):
                    return guess[-1]
        if term.count is not None:
            return _counted(term.count, regression, data)
        if not small:
            return _ELSE
        odd = _rows(regression, data, values, term)
        if odd:
            return odd
        for guesses in (_families, _predictor):
            for guess in guesses(regression, data, values):
                if _explains(guess, term):
                    return guess[-1]
    return _ELSE


def _explains(guess: Guess, term: Term) -> bool:
    regression, data, values, _ = guess
    candidate = np.asarray(specification.likelihood(regression, data, values))
    return spread_of(candidate - term.wanted) > term.limit and term.is_(candidate)


def _data(regression: Regression, data: Data, values: Values) -> Iterator[Guess]:
    """Parts of the data that are not heeded."""
    if data.offset is not None:
        yield regression, replace(data, offset=None), values, "as if there were no offset"
        yield regression, replace(data, offset=-data.offset), values, "the offset is taken off, not added"
        if np.all(data.offset > 0):
            yield regression, replace(data, offset=np.log(data.offset)), values, "as if the offset were its logarithm"
        yield regression, replace(data, offset=np.exp(data.offset)), values, "as if the offset were its exponential"
    if data.weights is not None:
        yield regression, replace(data, weights=None), values, "as if there were no weights"
        yield regression, replace(data, weights=1.0 / data.weights), values, "as if the weights were their inverses"
        yield regression, replace(data, weights=data.weights**2), values, "as if the weights were their squares"
    if regression.categories:
        turned = replace(data, y=len(regression.categories) - 1 - data.observed)
        yield regression, turned, values, "the response's categories are in reverse order"
    for key, member in data.groups.items():
        count = len(values[f"offset({key})"][0])
        for step in (1, -1):
            moved = replace(member, index=(member.index + step) % count)
            yield (
                regression,
                replace(data, groups={**data.groups, key: moved}),
                values,
                f"the levels of {key} are off by one",
            )


def _auxiliaries(regression: Regression, data: Data, values: Values) -> Iterator[Guess]:
    """Sigma read as something else, as a precision; and the others."""
    for auxiliary in regression.family.auxiliaries:
        for how, become, mistake in READINGS.get(auxiliary, OTHER):
            said = f"as if {auxiliary} were {how.format(auxiliary)}: {mistake}?"
            if auxiliary in regression.family.free:
                yield regression, data, {**values, auxiliary: become(values[auxiliary])}, said
            else:
                fixed = np.float64(regression.family.fixed[auxiliary])
                said = f"as if {auxiliary} were {float(become(fixed)):.4g} = {how.format(f'{fixed:g}')}: {mistake}?"
                family = replace(regression.family, **{auxiliary: float(become(fixed))})
                yield replace(regression, family=family), data, values, said


def _counted(factor: float, regression: Regression, data: Data) -> str:
    times = f"the likelihood is counted {factor:.4g} times"
    if np.isclose(factor * data.rows, 1.0):
        return f"{times}: an average over the {data.rows} rows, not their sum"
    sigma = regression.family.fixed.get("sigma")
    if regression.family.name == "Gaussian" and sigma is not None and factor > 0:
        return f"{times}, or sigma is {sigma / np.sqrt(factor):.4g} instead of {sigma:g}"
    return times


def _rows(regression: Regression, data: Data, values: Values, term: Term) -> str | None:
    """Rows that don't count, or count twice."""
    eta = response.linear_predictor(regression, data, values)
    rows = regression.family.log_prob(data.observed, eta, response.given(regression, data, values))
    rows = np.asarray(rows if data.weights is None else rows * data.weights)
    for sign, what in ((-1.0, "did not count"), (1.0, "counted twice")):
        one = term.which(term.wanted[:, None] + sign * rows)
        if one is not None:
            return f"as if row {one + 1} {what}"
        for order, which in ((rows, "first"), (rows[:, ::-1], "last")):
            several = term.which(term.wanted[:, None] + sign * np.cumsum(order, axis=1))
            if several is not None:
                return f"as if the {which} {several + 1} rows {what}"
    return None


def _families(regression: Regression, data: Data, values: Values) -> Iterator[Guess]:
    """Another link, or another family with the same parameters."""
    own = regression.family
    for link in own.links:
        if link != own.link_name:
            yield replace(regression, family=replace(own, link=link)), data, values, f"as if the link were {link}"  # type: ignore[call-arg]
    for cls in FAMILIES.values():
        other = None if cls is type(own) else _as(cls, own, data)
        if other is not None and other.predictors == own.predictors and set(other.free) <= set(own.free):
            given = {name: regression.auxiliary[name] for name in other.free}
            yield (
                replace(regression, family=other, auxiliary=given),
                data,
                values,
                f"as if the family were {cls.__name__}",
            )


def _as(cls: type[Family], own: Family, data: Data) -> Family | None:
    """Another family of the same link and fixed parameters, if these data could be its."""
    known = {f.name for f in fields(cls)}
    if cls.categorical or own.categorical or own.link_name not in cls.links:
        return None
    try:
        other = cls(**{k: v for k, v in {"link": own.link_name, **own.fixed}.items() if k in known})
        other.check_response(data)
    except (RequestError, DataError):
        return None
    return other


def _predictor(regression: Regression, data: Data, values: Values) -> Iterator[Guess]:
    """A part of the linear predictor that is left out or turned; columns in another order."""
    for site in regression.sites:
        if site.name not in regression.family.free and site.name != "threshold":
            left = {**values, site.name: 0.0 * values[site.name]}
            yield regression, data, left, f"as if {site.name} were left out of the linear predictor"
    if len(data.columns) > _MOST_COLUMNS:
        return
    for j, column in enumerate(data.columns):
        for factor, words in ((0.0, "is left out"), (-1.0, "has the other sign")):
            x = data.x.copy()
            x[:, j] *= factor
            yield regression, replace(data, x=x), values, f"the column {column} {words}"
    for a, b in combinations(range(len(data.columns)), 2):
        order = list(range(len(data.columns)))
        order[a], order[b] = b, a
        swapped = replace(data, x=data.x[:, order])
        yield regression, swapped, values, f"the columns {data.columns[a]} and {data.columns[b]} are swapped"
