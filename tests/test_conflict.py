"""Priors that the data contradict are told, and others are not."""

import numpy as np
import pytest
from declared import example, from_prior, problems
from scipy import stats

from bayescore.model.data import from_arrays
from bayescore.model.distributions import DISTRIBUTIONS
from bayescore.tables import conflict, problem

PROBLEMS = problems()
YEARS = np.arange(2001.0, 2021.0)
TREND = 1.2 + 0.3 * (YEARS - 2000.0) + np.random.default_rng(0).normal(0.0, 0.4, 20)
TABLE = {"y": TREND, "year": YEARS, "g": list("ab") * 10}


def told(formula="y ~ year", table=TABLE, family="Gaussian", **priors):
    warnings = problem.from_table(formula, table, family=family, priors=priors).warnings
    return [text.partition(": ")[2].partition(" ~ ")[0] for text in warnings if text.startswith("prior and data")]


def test_an_intercept_at_the_year_zero_contradicts_a_trend():
    assert told() == []
    assert told(intercept=f"Normal({TREND.mean()}, {2.5 * TREND.std()})") == ["intercept"]
    assert told(intercept=f"AtMeans(Normal({TREND.mean()}, {2.5 * TREND.std()}))") == []
    assert told(intercept="AtMeans(Normal(40, 3))") == ["intercept at the columns' means"]


@pytest.mark.parametrize(
    "prior, away", [("Normal(0, 0.01)", True), ("Normal(0, 0.11)", False), ("Cauchy(0, 0.01)", False)]
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_coefficient_is_judged_by_the_quantiles_of_its_prior(prior, away, sign):
    """Cauchy(0, 0.01) has 0.13 % of its mass beyond 2.4."""
    assert told(table={"y": sign * TREND, "year": YEARS}, beta=prior) == ["beta[year]"] * away


def test_the_error_of_the_estimate_counts():
    """Three points far from the prior, that can't tell."""
    table = {"y": [0.0, 9.0, -5.0, 6.0], "x": [0.0, 0.1, 0.2, 0.3]}
    assert told("y ~ x", table, beta="Normal(0, 0.1)") == []


def test_thresholds_and_levels_are_judged_too():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = np.digitize(2.0 * x + rng.logistic(size=300), [-1.0, 1.5])
    table = {"x": x + 100.0, "y": y, "c": np.array(["a", "b", "c"])[y]}
    for family, response, site in (("ordinal", "y", "threshold"), ("categorical", "c", "intercept")):
        assert told(f"{response} ~ x", table, family) == []
        found = told(f"{response} ~ x", table, family, **{site: "Normal(0, 5)"})
        assert found
        assert all(name.startswith(f"{site}[") for name in found)


def test_slopes_that_differ_by_group_at_the_year_zero_contradict_their_default_priors():
    y = TREND + 0.2 * (YEARS - 2010.0) * (np.arange(20) % 2)
    assert told("y ~ year * g", TABLE | {"y": y}) == ["beta[g[b]]", "beta[year:g[b]]"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_default_priors_contradict_none_of_what_can_be_declared(name):
    assert not [text for text in PROBLEMS[name].warnings if text.startswith("prior and data")]


@pytest.mark.parametrize("name", ["Gaussian-identity", "Bernoulli-logit", "Poisson-log", "Ordinal-logit"])
def test_few_responses_drawn_from_the_priors_contradict_them(name):
    """0.3 % of the coefficients, and where the likelihood is not normal a few more: at most 4 of 60 fits here."""
    stated = PROBLEMS[name]
    alarms = 0
    for seed in range(60):
        data = from_prior(stated, seed)
        absent = bool(stated.data.categories) and len(set(data.observed)) < len(stated.data.categories)
        alarms += 0 if absent else bool(conflict.check(stated.regression, data))
    assert alarms <= 4


def test_a_part_of_many_rows_is_enough():
    rng = np.random.default_rng(2)
    x = rng.normal(size=400_000) + 50.0
    y = rng.poisson(np.exp(0.3 * (x - 50.0))).astype(float)
    stated = problem.from_data(from_arrays(x, y), family="poisson", priors={"intercept": "Normal(0, 1)"})
    assert any(text.startswith("prior and data") for text in stated.warnings)


LAWS = {
    "Normal": lambda p: stats.norm(p.loc, p.scale),
    "StudentT": lambda p: stats.t(p.df, p.loc, p.scale),
    "Cauchy": lambda p: stats.cauchy(p.loc, p.scale),
    "Laplace": lambda p: stats.laplace(p.loc, p.scale),
    "Uniform": lambda p: stats.uniform(p.low, p.high - p.low),
    "Beta": lambda p: stats.beta(p.a, p.b),
}


@pytest.mark.parametrize(
    "name", [n for n, c in DISTRIBUTIONS.items() if c.support in {"real", "interval"} and c.proper]
)
def test_the_quantiles_of_every_prior_of_a_coefficient_are_known(name):
    if name in {"Horseshoe", "AtMeans"}:
        return  # the one has none of its own, the other is judged by what it states
    prior = example(DISTRIBUTIONS[name])
    for share in (0.00135, 0.5, 0.99865):
        assert prior.quantile(share) == pytest.approx(LAWS[name](prior).ppf(share), rel=1e-9)
