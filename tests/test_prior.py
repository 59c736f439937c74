"""Draws from the priors, against the priors' own densities; what they expect of the response."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescore as bc
from bayescore.errors import RequestError

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "y": RNG.normal(size=30),
        "x": RNG.normal(3.0, 2.0, size=30),
        "z": RNG.normal(size=30),
        "count": RNG.poisson(3.0, size=30),
        "g": list("abc") * 10,
        "size": pd.Categorical(list("lmhl" * 7 + "lm"), categories=list("lmh"), ordered=True),
    }
)
PRIORS = {
    "intercept": "Normal(1, 2)",
    "beta[x]": "Laplace(0, 1)",
    "beta[z]": "StudentT(4, 0, 2)",
    "sigma": "Exponential(3)",
}


def same(found: np.ndarray, law: Any) -> bool:
    """At a rate of false alarms of 1e-5."""
    return stats.kstest(np.ravel(found), law.cdf).pvalue > 1e-5


def test_draws_are_of_the_priors():
    prior = bc.from_table("y ~ x + z + (x | g)", TABLE, priors=PRIORS | {"sd": "HalfNormal(2)", "cor": "LKJ(2)"})
    draws = prior.sample_prior(4000, seed=1).draws
    assert same(draws["intercept"], stats.norm(1, 2))
    assert same(draws["beta"][..., 0], stats.laplace(0, 1))
    assert same(draws["beta"][..., 1], stats.t(4, 0, 2))
    assert same(draws["sigma"], stats.expon(scale=1 / 3))
    assert same(draws["sd(x|g)"], stats.halfnorm(scale=2))
    assert same((draws["cor(1,x|g)"] + 1) / 2, stats.beta(2, 2))
    assert same(draws["offset(1|g)"][..., 2] / draws["sd(1|g)"], stats.norm(0, 1))
    given = draws["cor(1,x|g)"]
    z = draws["offset(x|g)"][..., 0] / draws["sd(x|g)"] - given * draws["offset(1|g)"][..., 0] / draws["sd(1|g)"]
    assert same(z / np.sqrt(1 - given**2), stats.norm(0, 1))


def test_an_intercept_at_the_means_is_drawn_there():
    problem = bc.from_table("y ~ x", TABLE, priors={"intercept": "AtMeans(Normal(5, 1))", "beta": "Normal(0, 10)"})
    draws = problem.sample_prior(4000, seed=2).draws
    assert same(draws["intercept"] + draws["beta"][..., 0] * TABLE.x.mean(), stats.norm(5, 1))


def test_thresholds_of_different_priors_are_drawn_in_order_and_not_sorted():
    priors = {"threshold[1]": "Normal(0, 0.1)", "threshold[2]": "Normal(0, 3)"}
    problem = bc.from_table("size ~ 1", TABLE, family="Ordinal", priors=priors)
    low, high = np.moveaxis(problem.sample_prior(4000, seed=3).draws["threshold"][0], -1, 0)
    # given that it is the larger one, the second is |Normal(0, 3)| up to a tenth
    assert np.all(low < high)
    assert stats.kstest(high, stats.halfnorm(scale=3).cdf).statistic < 0.05
    sorted_ = np.sort(np.random.default_rng(0).normal(0, [0.1, 3.0], size=(4000, 2)))[:, 1]
    assert stats.kstest(sorted_, stats.halfnorm(scale=3).cdf).statistic > 0.3  # what sorting would give
    hopeless = bc.from_table(
        "size ~ 1", TABLE, family="Ordinal", priors={"threshold[1]": "Normal(9, 1)", "threshold[2]": "Normal(-9, 1)"}
    )
    with pytest.raises(RequestError, match="hardly ever in order"):
        hopeless.sample_prior(3)


def test_responses_are_those_of_the_draws():
    problem = bc.from_table(
        "y ~ x", TABLE, family="Gaussian(sigma=0.5)", priors=dict.fromkeys(("intercept", "beta"), "Normal(0, 1)")
    )
    found = problem.prior_predictive(4000, seed=4)
    assert found.drawn.shape == (4000, 30)
    assert same(found.drawn[:, 7], stats.norm(0, np.sqrt(1 + TABLE.x[7] ** 2 + 0.25)))
    again = problem.prior_predictive(4000, seed=4)
    np.testing.assert_array_equal(found.drawn, again.drawn)
    row = found.summary().loc["mean"]
    assert row["data"] == TABLE.y.mean()
    assert row["below"] == np.mean(found.drawn.mean(axis=1) < TABLE.y.mean())


def test_statistics_of_categories_are_their_shares():
    found = bc.from_table("size ~ x", TABLE, family="Ordinal").prior_predictive(200).summary()
    assert list(found.index) == ["share of l", "share of m", "share of h"]
    np.testing.assert_allclose(found["data"].sum(), 1.0)


@pytest.mark.parametrize("family", ["Poisson", "NegativeBinomial", "Gamma", "Beta", "Exponential", "StudentT"])
def test_priors_that_reach_beyond_what_exponentials_hold_are_drawn_from(family):
    response = {"Beta": "share", "Gamma": "positive", "Exponential": "positive", "StudentT": "y"}.get(family, "count")
    table = TABLE.assign(share=0.5 + 0.1 * np.tanh(TABLE.y), positive=TABLE["count"] + 1.0)
    wide = {"intercept": "Normal(0, 1000)", "beta": "Normal(0, 1000)"}
    found = bc.from_table(f"{response} ~ x", table, family=family, priors=wide).prior_predictive(50)
    assert not np.isnan(found.drawn).any()
    assert found.summary().loc["mean", "q50"] >= (-np.inf if family == "StudentT" else 0.0)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda p: p.sample_prior(0), "from 1 to 100000, not 0"),
        (lambda p: p.sample_prior("many"), "not 'many'"),
        (lambda p: p.prior_predictive(5, seed=-1), "a seed is a whole number"),
        (lambda p: bc.from_table("y ~ x", TABLE, priors={"beta": "Flat()"}).sample_prior(), "the prior of beta is no"),
    ],
)
def test_what_can_not_be_drawn_is_told_in_one_line(ask, said):
    with pytest.raises(RequestError, match=said) as raised:
        ask(bc.from_table("y ~ x", TABLE))
    assert "\n" not in str(raised.value)
