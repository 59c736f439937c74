"""From a family, data and some priors to a complete regression: default priors for the rest."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayescore.density.reduction import column_moments, triangular_factor
from bayescore.errors import RequestError, suggest
from bayescore.model import distributions, families, network
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions import LKJ, AtMeans, Distribution, HalfNormal, Normal
from bayescore.model.families import Family
from bayescore.model.groups import Grouping, GroupTerm
from bayescore.model.network import Network
from bayescore.model.regression import Regression

Priors = Mapping[str, Distribution]


def state(
    family: Family | str,
    data: Data,
    priors: Mapping[str, Distribution | str],
    *,
    intercept: bool = True,
    groupings: Sequence[Grouping] = (),
    hidden: tuple[int, ...] = (),
) -> Regression:
    """State a regression from priors by site (``beta``) or by parameter (``beta[x]``).

    A parameter's own prior wins over its site's, and both over the default ones.

    Parameters
    ----------
    hidden
        Hidden units of each layer of a network in the linear predictor's place.

    Raises
    ------
    RequestError
        A prior names no parameter of this regression, or does not fit it.
    """
    family = families.parse(family).for_data(data)
    if hidden:
        network.check_hidden(hidden, len(data.columns))
    chosen = _Chosen(
        {name: distributions.parse(prior) for name, prior in priors.items()},
        default_priors(family, data, intercept=intercept, groupings=groupings, hidden=hidden),
        family,
    )
    levels = data.categories[1:] if family.by_level else ()
    own = intercept and not family.thresholds and not hidden
    stated = Regression(
        family,
        data.columns,
        (chosen.each("intercept", levels) if levels else chosen.one("intercept")) if own else None,
        () if hidden else chosen.each("beta", _coefficients(data.columns, levels)),
        {name: chosen.one(name) for name in family.free},
        chosen.each("threshold", _numbers(len(data.categories) - 1)) if family.thresholds else (),
        tuple(_group_term(grouping, chosen) for grouping in groupings),
        _network(hidden, data.columns, chosen) if hidden else None,
        data.categories if family.categorical else (),
        means_of(data, constant=intercept or family.thresholds or bool(hidden)),
    )
    chosen.check_all_used()
    return stated


class _Chosen:
    """Looks priors up by parameter, site and default, and remembers which were asked for."""

    def __init__(self, given: Priors, defaults: Priors, family: Family) -> None:
        self.given, self.defaults, self.family = given, defaults, family
        self.known: dict[str, None] = {}

    def one(self, name: str, site: str | None = None) -> Distribution:
        """The prior of a parameter, or of its site."""
        names = [name] if site is None else [name, site]
        self.known |= dict.fromkeys(names)
        for source in (self.given, self.defaults):
            for known in names:
                if known in source:
                    return source[known]
        raise RequestError(f"no prior for {name}: give one with --prior '{name} ~ Normal(0, 10)'")

    def each(self, site: str, labels: Sequence[str]) -> tuple[Distribution, ...]:
        """The priors of a site's elements."""
        return tuple(self.one(f"{site}[{label}]", site) for label in labels)

    def check_all_used(self) -> None:
        """Refuse priors of what is no parameter."""
        for name in self.given:
            if name not in self.known:
                reason = " (it is fixed by the family)" if name in self.family.fixed else ""
                raise RequestError(
                    f"a prior is given for {name!r}, which is no parameter of this regression{reason}"
                    f"{suggest(name, list(self.known))} (parameters: {', '.join(self.known)})"
                )


def _coefficients(columns: tuple[str, ...], levels: Sequence[str]) -> list[str]:
    return [f"{level},{column}" for level in levels for column in columns] if levels else list(columns)


def _numbers(count: int) -> list[str]:
    return [str(k + 1) for k in range(count)]


def _group_term(grouping: Grouping, chosen: _Chosen) -> GroupTerm:
    sds = tuple(chosen.one(f"sd({key})", "sd") for key in grouping.keys)
    if len(sds) == 1:
        return GroupTerm(grouping, sds)
    name = f"cor({','.join(grouping.effects)}|{grouping.factor})"
    prior = chosen.one(name, "cor")
    if not isinstance(prior, LKJ):
        raise RequestError(f"{name} is a correlation, and its prior {prior} is not: use LKJ(1)")
    return GroupTerm(grouping, sds, prior)


def _network(hidden: tuple[int, ...], columns: tuple[str, ...], chosen: _Chosen) -> Network:
    priors = {}
    for name, shape in network.shapes(hidden, len(columns)).items():
        labels = [",".join(map(str, index)) for index in np.ndindex(shape)]
        priors[name] = chosen.each(name, labels)
    return Network(hidden, priors)


def default_priors(
    family: Family,
    data: Data,
    *,
    intercept: bool = True,
    groupings: Sequence[Grouping] = (),
    hidden: tuple[int, ...] = (),
) -> dict[str, Distribution]:
    """Weakly informative priors, scaled to the data: no posterior depends on the units of a column or the response.

    With location and scale of the linear predictor (`bayescore.model.families.Family.scale`: mean
    and sd of y for a Gaussian or Student's t, log mean of y and 1 for a log link, otherwise
    0 and 1, less the mean of the offset): intercept ~ AtMeans(Normal(location, 2.5 scale)),
    beta[j] ~ Normal(0, 2.5 scale / sd(x_j)), thresholds ~ AtMeans(Normal(0, 5)), sigma ~
    Exponential(1 / scale), df and concentration ~ Gamma(2, 0.1), sds of groups ~
    HalfNormal(2.5 scale / sd of what varies), correlations ~ LKJ(1). A constant counts with
    its size for its sd. A network's weights have sd 1 over the root of the number of their
    inputs, in units of the inputs' sds in the first layer, of the scale in the last one;
    biases ~ Normal(0, 1), in the first layer at the inputs' means, and Normal(location,
    scale) in the last.

    Without an intercept, columns that add up to 1, as the cells of a factor do, take its
    place, each with the intercept's prior at the others' means over its own rows
    (`cells`). Where there are none, the predictor is 0 where all columns are: the scale is
    then hypot(location, scale), and that of x_j is its root mean square.
    """
    location, scale = family.scale(data)
    constant = intercept or family.thresholds or bool(hidden) or cells(data).any()
    scale = scale if constant else float(np.hypot(location, scale))
    priors: dict[str, Distribution] = {name: family.default_prior(name, scale) for name in family.free}
    if hidden:
        priors |= _network_defaults(data, hidden, location, scale)
    elif intercept or family.thresholds:
        priors |= _linear_defaults(family, data, _sds(data), scale)
        priors["threshold"] = _at_means(data, Normal(0.0 - location, 5.0))
        priors["intercept"] = _at_means(data, Normal(location, 2.5 * scale))
    else:
        priors |= _cell_defaults(family, data, location, scale)
    for grouping in groupings:
        for key in grouping.keys:
            mean, sd = _moments(data, data.groups[key].value)
            priors[f"sd({key})"] = HalfNormal(2.5 * scale / _unit(sd, mean))
    return priors | {"cor": LKJ(1.0)}


def _at_means(data: Data, prior: Distribution) -> Distribution:
    return AtMeans(prior) if data.columns else prior


def _linear_defaults(family: Family, data: Data, units: Sequence[float], scale: float) -> dict[str, Distribution]:
    """Of each coefficient: Normal(0, 2.5 scale / the column's unit)."""
    priors: dict[str, Distribution] = {}
    for name, unit in zip(data.columns, units, strict=True):
        labels = _coefficients((name,), data.categories[1:] if family.by_level else ())
        priors |= {f"beta[{label}]": Normal(0.0, 2.5 * scale / unit) for label in labels}
    return priors


def _cell_defaults(family: Family, data: Data, location: float, scale: float) -> dict[str, Distribution]:
    """The same without an intercept."""
    places = cells(data)
    if not places.any():
        mean, sds = column_moments(data)
        return _linear_defaults(family, data, [_unit(float(rms), 0.0) for rms in np.hypot(mean, sds)], scale)
    priors = _linear_defaults(family, data, _sds(data), scale)
    own: Distribution = Normal(location, 2.5 * scale)
    for name in np.array(data.columns, dtype=object)[places]:
        labels = _coefficients((name,), data.categories[1:] if family.by_level else ())
        priors |= {f"beta[{label}]": own if places.all() else AtMeans(own) for label in labels}
    return priors


def cells(data: Data) -> "np.ndarray":
    """Which columns add up to 1 in every row, and so take an intercept's place: bool, shape (p,)."""
    mean, sd = column_moments(data)
    rms = np.hypot(mean, sd)
    known = np.flatnonzero(rms > 0)
    found = np.zeros(rms.size, dtype=bool)
    if not known.size:
        return found
    ones = np.ones(data.rows) if data.ones is None else data.ones
    triangle = triangular_factor(np.column_stack([data.x[:, known] / rms[known], ones]))
    shares = np.linalg.lstsq(triangle[:, :-1], triangle[:, -1], rcond=1e-10)[0]
    found[known[np.abs(shares / rms[known] - 1.0) < 1e-6]] = True
    whole = np.allclose(data.x[:, found].sum(axis=1), ones, rtol=0.0, atol=1e-9)
    return found if whole else np.zeros(rms.size, dtype=bool)


def means_of(data: Data, *, constant: bool) -> dict[str, tuple[float, ...]]:
    """Where `AtMeans` is: the columns' means by ``1``; without a constant, those over the rows of each cell."""
    if constant:
        return {"1": tuple(map(float, column_moments(data)[0]))}
    places = cells(data)
    found = {}
    for k in np.flatnonzero(places):
        ones = np.ones(data.rows) if data.ones is None else data.ones
        weights = (np.ones(data.rows) if data.weights is None else data.weights) * data.x[:, k]
        found[data.columns[k]] = tuple(map(float, np.where(places, 0.0, weights @ data.x / (weights @ ones))))
    return found


def _network_defaults(data: Data, hidden: tuple[int, ...], location: float, scale: float) -> dict[str, Distribution]:
    priors: dict[str, Distribution] = {}
    sds = np.array(_sds(data))
    for layer, width in enumerate((len(data.columns), *hidden)):
        last = layer == len(hidden)
        unit = (scale if last else 1.0) / float(np.sqrt(width))
        priors[f"layer{layer}.weight"] = Normal(0.0, unit)
        priors[f"layer{layer}.bias"] = Normal(location if last else 0.0, scale if last else 1.0)
    for j, sd in enumerate(sds):
        for unit_ in range(hidden[0]):
            priors[f"layer0.weight[{unit_},{j}]"] = Normal(0.0, 1.0 / float(np.sqrt(sds.size)) / float(sd))
    priors["layer0.bias"] = AtMeans(Normal(0.0, 1.0))
    return priors


def _sds(data: Data) -> list[float]:
    """Sd of each column, or the size of a constant one."""
    mean, sds = column_moments(data)
    return [_unit(float(sd), float(m)) for sd, m in zip(sds, mean, strict=True)]


def _moments(data: Data, values: Array) -> tuple[float, float]:
    """Weighted mean and sd."""
    mean = float(np.average(values, weights=data.weights))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=data.weights)))


def _unit(sd: float, mean: float) -> float:
    """An sd; where it is nothing but rounding the size of the constant, and 1 for a column of zeros."""
    return sd if sd > 1e-12 * abs(mean) else abs(mean) or 1.0
