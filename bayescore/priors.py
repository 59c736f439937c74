"""From a family, data and some priors to a complete regression: default priors for the rest."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayescore import distributions, families, network
from bayescore.data import Data
from bayescore.distributions import LKJ, Distribution, HalfNormal, Normal
from bayescore.errors import RequestError, suggest
from bayescore.families import Family
from bayescore.groups import Grouping, GroupTerm
from bayescore.network import Network
from bayescore.reduction import column_moments
from bayescore.regression import Regression

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
    levels = data.categories[1:] if family.predictors > 1 else ()
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
    )
    chosen.check_all_used()
    return stated


class _Chosen:
    """Looks priors up by parameter, site and default, and remembers which were asked for."""

    def __init__(self, given: Priors, defaults: Priors, family: Family) -> None:
        self.given, self.defaults, self.family = given, defaults, family
        self.known: list[str] = []

    def one(self, name: str, site: str | None = None) -> Distribution:
        """The prior of a parameter, or of its site."""
        names = [name] if site is None else [name, site]
        self.known += [known for known in names if known not in self.known]
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
                    f"{suggest(name, self.known)} (parameters: {', '.join(self.known)})"
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
    """Weakly informative priors, scaled to the data.

    With location and scale of the family (mean and sd of y for a Gaussian or Student's t,
    log mean of y and 1 for a log link, otherwise 0 and 1): intercept ~ Normal(location,
    2.5 scale), beta[j] ~ Normal(0, 2.5 scale / sd(x_j)), sigma ~ Exponential(1 / scale),
    df and concentration ~ Gamma(2, 0.1), thresholds ~ Normal(0, 5), sds of groups ~
    HalfNormal(2.5 scale / sd of what varies), correlations ~ LKJ(1). A constant column
    counts with sd 1. A network's weights have sd 1 over the root of the number of their
    inputs, in units of the inputs' sds in the first layer, of the scale in the last one;
    biases ~ Normal(0, 1), in the first layer with room for the inputs' means, and
    Normal(location, scale) in the last.
    """
    location, scale = family.scale(data)
    priors: dict[str, Distribution] = {name: family.default_prior(name, scale) for name in family.free}
    if hidden:
        priors |= _network_defaults(data, hidden, location, scale)
    else:
        priors |= _linear_defaults(family, data, intercept, location, scale)
    for grouping in groupings:
        for key in grouping.keys:
            value = data.groups[key].value
            sd = _or_one(float(np.std(value)), float(np.mean(value)))
            priors[f"sd({key})"] = HalfNormal(2.5 * scale / sd)
    return priors | {"cor": LKJ(1.0)}


def _linear_defaults(
    family: Family, data: Data, intercept: bool, location: float, scale: float
) -> dict[str, Distribution]:
    priors: dict[str, Distribution] = {}
    if intercept:
        priors["intercept"] = Normal(location if family.predictors == 1 else 0.0, 2.5 * scale)
    for name, sd in zip(data.columns, _sds(data), strict=True):
        labels = [f"{level},{name}" for level in data.categories[1:]] if family.predictors > 1 else [name]
        priors |= {f"beta[{label}]": Normal(0.0, 2.5 * scale / sd) for label in labels}
    return priors | ({"threshold": Normal(0.0, 5.0)} if family.thresholds else {})


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
    spread = float(np.sqrt(np.mean((data.x.mean(axis=0) / sds) ** 2)))
    priors["layer0.bias"] = Normal(0.0, float(np.hypot(1.0, spread)))
    return priors


def _sds(data: Data) -> list[float]:
    """Sd of each column, or 1 for a constant one."""
    mean, sds = column_moments(data)
    return [_or_one(float(sd), float(m)) for sd, m in zip(sds, mean, strict=True)]


def _or_one(sd: float, mean: float) -> float:
    """An sd, or 1 where it is nothing but rounding."""
    return sd if sd > 1e-12 * abs(mean) else 1.0
