"""One small problem for everything that can be declared, made from the core's own registries.

A new family, link or prior is thus tested in every backend without a new test.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bayescore.density.specification import simulate
from bayescore.model.data import Data, Membership
from bayescore.model.distributions import DISTRIBUTIONS, AtMeans, Distribution
from bayescore.model.families import FAMILIES, Family
from bayescore.model.groups import Grouping
from bayescore.regressions.points import prior_draw
from bayescore.tables.problem import Problem, from_data

ROWS = 60
LEVELS = ("a", "b", "c", "d", "e")
NUMBERS = {"df": 5.0, "concentration": 2.5, "rate": 1.5, "low": 0.1, "high": 2.9, "loc": 0.3, "a": 2.0, "b": 3.0}


def problems() -> dict[str, Problem]:
    """By a name that says what is declared."""
    return dict(_families()) | dict(_priors()) | dict(_structures())


def rows(seed: int, groups: bool = False) -> Data:
    """Two columns, offsets, trials, three categories, five levels; no response yet."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.5, 1.0, (ROWS, 2))
    level = rng.integers(0, len(LEVELS), ROWS)
    member = {"1|g": Membership(level, np.ones(ROWS)), "x1|g": Membership(level, x[:, 0])} if groups else {}
    return Data(x, np.zeros(ROWS), ("x1", "x2"), groups=member)


def observed(family: Family, data: Data, seed: int) -> Data:
    """The same rows with a response of the family."""
    rng = np.random.default_rng(seed)
    if family.name == "Binomial":
        data = replace(data, trials=rng.integers(5, 12, ROWS).astype(float))
    if family.categorical:
        data = replace(data, categories=("low", "middle", "high"), y=np.arange(ROWS) % 3.0)
        return replace(data, y=rng.permutation(data.observed))
    eta = 0.2 + data.x @ [0.4, -0.3] + (0.0 if data.offset is None else data.offset)
    given = {name: np.array(2.0) for name in family.auxiliaries}
    given |= {} if data.trials is None else {"trials": data.trials}
    return replace(data, y=family.sample(rng, eta, given))


def _families() -> Iterator[tuple[str, Problem]]:
    for name, cls in FAMILIES.items():
        for link in cls.links:
            family = cls(link=link)  # type: ignore[call-arg]
            yield f"{name}-{link}", from_data(observed(family, rows(1), 2), family=family)
        fixed = dict.fromkeys(cls.auxiliaries, 2.5)
        if fixed:
            yield f"{name}-fixed", from_data(observed(cls(), rows(1), 2), family=cls(**fixed))
        weighted = replace(rows(3), weights=np.random.default_rng(4).uniform(0.2, 2.0, ROWS))
        offset = replace(weighted, offset=np.random.default_rng(5).normal(0.0, 0.3, ROWS))
        yield f"{name}-weights-offset", from_data(observed(cls(), offset, 6), family=cls())


def example(cls: type[Distribution]) -> Distribution:
    """A prior of this kind with telling numbers."""
    from dataclasses import fields

    if cls is AtMeans:
        return AtMeans(example(DISTRIBUTIONS["StudentT"]))
    return cls(**{f.name: NUMBERS.get(f.name, 1.7) for f in fields(cls)})


def _priors() -> Iterator[tuple[str, Problem]]:
    data = observed(FAMILIES["Gaussian"](), rows(7), 8)
    for name, cls in DISTRIBUTIONS.items():
        prior = example(cls)
        if name == "Horseshoe":
            yield f"prior-{name}", from_data(data, priors={"beta": prior})
        if name == "AtMeans":
            yield f"prior-{name}", from_data(data, priors={"intercept": prior})
        elif prior.support == "real" and name != "Horseshoe":
            yield f"prior-coefficient-{name}", from_data(data, priors={"beta[x1]": prior})
        if prior.support == "interval":
            yield f"prior-coefficient-{name}", from_data(data, priors={"beta[x1]": prior})
        if prior.support in {"positive", "interval"} or not prior.proper:
            yield f"prior-auxiliary-{name}", from_data(data, priors={"sigma": prior})


def _structures() -> Iterator[tuple[str, Problem]]:
    yield from _places()
    one, other = Grouping("g", ("1",), LEVELS), Grouping("g", ("x1",), LEVELS)
    both = Grouping("g", ("1", "x1"), LEVELS)
    for name, groupings in {"intercepts": (one,), "independent": (one, other), "correlated": (both,)}.items():
        for family in (FAMILIES["Gaussian"](), FAMILIES["Poisson"]()):
            data = rows(9, groups=True)
            keys = [key for grouping in groupings for key in grouping.keys]
            data = replace(data, groups={key: data.groups[key] for key in keys})
            data = observed(family, data, 10)
            yield f"groups-{name}-{family.name}", from_data(data, family=family, groupings=groupings)
    three = Grouping("g", ("1", "x1", "x2"), LEVELS)
    data = rows(11, groups=True)
    member = Membership(data.groups["1|g"].index, data.x[:, 1])
    data = observed(FAMILIES["Gaussian"](), replace(data, groups={**data.groups, "x2|g": member}), 12)
    yield "groups-three-correlated", from_data(data, groupings=(three,), priors={"cor": "LKJ(2)"})
    for hidden in ((4,), (3, 2)):
        plain = observed(FAMILIES["Gaussian"](), rows(13), 14)
        yield f"network-{'-'.join(map(str, hidden))}", from_data(plain, network=hidden)
    grouped = observed(FAMILIES["Gaussian"](), replace(data, groups={"1|g": data.groups["1|g"]}), 17)
    yield "network-groups", from_data(grouped, groupings=(one,), network=(3,))
    plain = observed(FAMILIES["Bernoulli"](), rows(15), 16)
    yield "network-Bernoulli", from_data(plain, family="Bernoulli", network=(3,))


def _places() -> Iterator[tuple[str, Problem]]:
    """Where priors stand that are at the columns' means, and beside them some that are not."""
    cell = np.arange(ROWS) % 2 == 0
    data = rows(18)
    halves = Data(np.column_stack([cell, ~cell, data.x[:, 0] + 3.0]), data.y, ("g[a]", "g[b]", "x1"))
    for family in (FAMILIES["Gaussian"](), FAMILIES["Poisson"](), FAMILIES["Categorical"]()):
        columns = replace(halves, x=halves.x @ np.diag([1.0, 1.0, 0.1])) if family.name == "Poisson" else halves
        of = replace(observed(family, data, 19), x=columns.x, columns=columns.columns)
        yield f"cells-{family.name}", from_data(of, family=family, intercept=False)
    mixed = observed(FAMILIES["Categorical"](), rows(20), 21)
    yield "Categorical-one-stated", from_data(mixed, family="Categorical", priors={"intercept[middle]": "Normal(0, 2)"})
    ordered = observed(FAMILIES["Ordinal"](), rows(22), 23)
    yield "Ordinal-one-stated", from_data(ordered, family="Ordinal", priors={"threshold[2]": "StudentT(4, 1, 3)"})
    plain = observed(FAMILIES["Gaussian"](), rows(24), 25)
    yield "intercept-at-zero", from_data(plain, priors={"intercept": "Normal(0, 3)"})


def from_prior(problem: Problem, seed: int) -> Data:
    """A response drawn from the model at a draw of its priors."""
    rng = np.random.default_rng(seed)
    return simulate(problem.regression, problem.data, prior_draw(problem.regression, rng), rng)
