"""The log density: row by row, from rows taken together, and its gradient."""

from dataclasses import replace

import numpy as np
import pytest
from autograd import grad
from declared import LEVELS, problems
from scipy import special, stats

from bayescore.density import specification
from bayescore.density.specification import LogJoint, likelihood, log_density, simulate
from bayescore.errors import DataError
from bayescore.model import response
from bayescore.model.data import Data, Membership, from_arrays
from bayescore.model.response import linear_predictor
from bayescore.tables.default_priors import state

MIXED = {"beta[a]": "Normal(1, 2)", "beta[b]": "StudentT(3, 0, 2)", "beta[c]": "Flat()", "intercept": "Cauchy(0, 5)"}
PRIORS = {"gaussian": {"sigma": "HalfCauchy(2)"}, "Gaussian(sigma=0.7)": {}, "bernoulli": {}}
MODELS = [(family, intercept) for family in PRIORS for intercept in (True, False)]


def case(family, intercept, centre=0.0, n=40):
    rng = np.random.default_rng(0)
    x = centre + rng.normal(size=(n, 3))
    y = (rng.random(n) < 0.5).astype(float) if family == "bernoulli" else rng.normal(size=n)
    priors = {name: prior for name, prior in MIXED.items() if intercept or name != "intercept"} | PRIORS[family]
    data = from_arrays(x, y, columns=("a", "b", "c"))
    return state(family, data, priors, intercept=intercept), data


def some_values(regression, shape=(), seed=1):
    rng = np.random.default_rng(seed)
    drawn = {site.name: rng.normal(0, 0.5, (*shape, *site.shape)) for site in regression.sites}
    return {name: np.exp(v) if name == "sigma" else v for name, v in drawn.items()}


def drawn_from_priors(regression, shape, seed=1):
    """Values of every site, of any regression."""
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(int(np.prod(shape))):
        values = {}
        for site in regression.sites:
            values[site.name] = np.asarray(site.sample(rng, values), dtype=float)
        draws.append(values)
    return {n: np.stack([v[n] for v in draws]).reshape((*shape, *np.shape(draws[0][n]))) for n in draws[0]}


@pytest.mark.parametrize("family, intercept", MODELS)
def test_it_is_the_sum_of_scipys_terms(family, intercept):
    regression, data = case(family, intercept)
    values = some_values(regression)
    a, b, _ = values["beta"]
    eta = data.x @ values["beta"] + values.get("intercept", 0.0)
    terms = {"beta": stats.norm(1, 2).logpdf(a) + stats.t(3, 0, 2).logpdf(b)}
    if intercept:
        terms["intercept"] = stats.cauchy(0, 5).logpdf(values["intercept"])
    if family == "bernoulli":
        terms["likelihood"] = np.sum(data.y * eta - np.log1p(np.exp(eta)))
    else:
        sigma = values.get("sigma", 0.7)
        terms["likelihood"] = stats.norm(eta, sigma).logpdf(data.y).sum()
        if "sigma" in values:
            terms["sigma"] = stats.halfcauchy(scale=2).logpdf(sigma)
    found = log_density(regression, data, values)
    assert set(found.by_site) == set(terms)
    for name, term in terms.items():
        assert np.isclose(found.by_site[name], term, rtol=1e-11), name
    assert np.isclose(found.total, sum(terms.values()), rtol=1e-12)


@pytest.mark.parametrize("centre", [0.0, 1e5])
@pytest.mark.parametrize("family, intercept", MODELS)
def test_the_reduced_data_give_the_same_as_the_rows(family, intercept, centre):
    if family == "bernoulli" and centre:
        return  # not reduced
    regression, data = case(family, intercept, centre)
    values = some_values(regression)
    values["beta"] = values["beta"] / (1 + centre)
    rows = log_density(regression, data, values)
    joint = LogJoint(regression, data)
    assert joint.data.rows == (40 if family == "bernoulli" else 5)
    assert np.isclose(joint(values), rows.total, rtol=1e-10)
    slopes = grad(joint.terms)(values)
    for name, slope in rows.gradient.items():
        np.testing.assert_allclose(slopes[name], slope, rtol=1e-7, atol=1e-6, err_msg=name)
    alone = LogJoint(regression, data, prior=False)(values)
    assert np.isclose(alone, rows.by_site["likelihood"], rtol=1e-10)


@pytest.mark.parametrize("family, intercept", MODELS)
def test_gradient_is_the_slope(family, intercept):
    regression, data = case(family, intercept)
    values = some_values(regression)
    slopes = log_density(regression, data, values).gradient
    assert set(slopes) == {site.name for site in regression.sites}
    for site in regression.sites:
        assert slopes[site.name].shape == site.shape
        for index in np.ndindex(site.shape):
            ahead, behind = ({k: np.array(v) for k, v in values.items()} for _ in range(2))
            ahead[site.name][index] += 1e-6
            behind[site.name][index] -= 1e-6
            slope = (log_density(regression, data, ahead).total - log_density(regression, data, behind).total) / 2e-6
            np.testing.assert_allclose(slopes[site.name][index], slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
@pytest.mark.parametrize("family, intercept", MODELS)
def test_many_draws_at_once_are_the_draws_one_by_one(monkeypatch, family, intercept, block):
    monkeypatch.setattr(specification, "_BLOCK_VALUES", block)
    regression, data = case(family, intercept)
    joint = LogJoint(regression, data)
    values = some_values(regression, (2, 5))
    together = joint(values)
    assert together.shape == (2, 5)
    for i, j in np.ndindex(2, 5):
        alone = log_density(regression, data, {name: v[i, j] for name, v in values.items()}).total
        assert np.isclose(together[i, j], alone, rtol=1e-11)


PROBLEMS = problems()


@pytest.mark.parametrize("name", PROBLEMS)
def test_many_draws_of_whatever_can_be_declared_are_the_draws_one_by_one(monkeypatch, name):
    stated = PROBLEMS[name]
    monkeypatch.setattr(specification, "_BLOCK_VALUES", 4 * stated.data.rows)
    values = drawn_from_priors(stated.regression, (2, 3))
    together = LogJoint(stated.regression, stated.data)(values)
    assert together.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        alone = log_density(stated.regression, stated.data, {n: v[i, j] for n, v in values.items()})
        assert np.isclose(together[i, j], alone.total, rtol=1e-9)
        assert np.isclose(sum(alone.by_site.values()), alone.total)


def test_an_intercept_alone_has_a_density():
    data = from_arrays(np.empty((10, 0)), np.arange(10.0))
    regression = state("gaussian", data, {"intercept": "Normal(0, 10)", "sigma": "Exponential(1)"})
    values = {"intercept": np.array(4.0), "sigma": np.array(3.0)}
    expected = stats.norm(4, 3).logpdf(data.y).sum() + stats.norm(0, 10).logpdf(4) + stats.expon(scale=1).logpdf(3)
    assert np.isclose(log_density(regression, data, values).total, expected, rtol=1e-12)
    assert np.isclose(LogJoint(regression, data)(values), expected, rtol=1e-12)


def test_weights_multiply_and_offsets_are_added():
    regression, data = case("Gaussian(sigma=0.7)", True)
    rng = np.random.default_rng(2)
    weights, offset = rng.uniform(0.1, 3.0, data.rows), rng.normal(size=data.rows)
    values = some_values(regression)
    eta = data.x @ values["beta"] + values["intercept"] + offset
    terms = stats.norm(eta, 0.7).logpdf(data.y)
    both = replace(data, weights=weights, offset=offset)
    assert np.isclose(likelihood(regression, both, values), weights @ terms, rtol=1e-12)
    assert np.isclose(likelihood(regression, replace(data, offset=offset), values), terms.sum(), rtol=1e-12)
    for part in (both, replace(data, offset=offset), replace(data, weights=weights)):
        assert np.isclose(
            LogJoint(regression, part, prior=False)(values), likelihood(regression, part, values), rtol=1e-11
        )


@pytest.mark.parametrize("weight", [1.0, 2.0, 5.0])
def test_a_weight_counts_rows(weight):
    regression, data = case("bernoulli", True, n=12)
    values = some_values(regression)
    many = data.take(np.repeat(np.arange(12), int(weight)))
    weighted = replace(data, weights=np.full(12, weight))
    assert np.isclose(likelihood(regression, weighted, values), likelihood(regression, many, values), rtol=1e-12)


def test_trials_belong_to_their_rows():
    data = Data(np.zeros((3, 0)), np.array([0.0, 2.0, 7.0]), (), trials=np.array([1.0, 4.0, 7.0]))
    regression = state("Binomial", data, {"intercept": "Normal(0, 2)"})
    wanted = stats.binom([1, 4, 7], special.expit(0.4)).logpmf([0, 2, 7]).sum()
    assert np.isclose(likelihood(regression, data, {"intercept": np.array(0.4)}), wanted, rtol=1e-12)


def test_the_levels_of_a_categorical_response_have_predictors_of_their_own():
    stated = PROBLEMS["Categorical-softmax"]
    values = drawn_from_priors(stated.regression, (2, 3))
    offset = np.linspace(-1.0, 1.0, stated.data.rows)
    eta = linear_predictor(stated.regression, replace(stated.data, offset=offset), values)
    assert eta.shape == (2, 3, stated.data.rows, 2)
    for k in range(2):
        own = values["intercept"][1, 2, k] + stated.data.x @ values["beta"][1, 2, k] + offset
        np.testing.assert_allclose(eta[1, 2, :, k], own, rtol=1e-12)
    whole = np.column_stack([np.zeros(stated.data.rows), eta[1, 2]])
    terms = special.log_softmax(whole, axis=1)[np.arange(stated.data.rows), stated.data.y.astype(int)]
    one = {name: v[1, 2] for name, v in values.items()}
    assert np.isclose(likelihood(stated.regression, replace(stated.data, offset=offset), one), terms.sum(), rtol=1e-12)


def test_an_ordinal_response_has_thresholds_and_no_intercept():
    stated = PROBLEMS["Ordinal-logit"]
    assert [site.name for site in stated.regression.sites] == ["beta", "threshold"]
    values = drawn_from_priors(stated.regression, ())
    upto = stats.logistic.cdf(values["threshold"] - (stated.data.x @ values["beta"])[:, None])
    probability = np.diff(upto, axis=1, prepend=0.0, append=1.0)
    terms = np.log(probability[np.arange(stated.data.rows), stated.data.y.astype(int)])
    assert np.isclose(likelihood(stated.regression, stated.data, values), terms.sum(), rtol=1e-9)


def test_the_offsets_of_a_rows_levels_are_added():
    stated = PROBLEMS["groups-three-correlated"]
    values = drawn_from_priors(stated.regression, (2,))
    eta = linear_predictor(stated.regression, stated.data, values)
    x, index = stated.data.x, stated.data.groups["1|g"].index
    assert set(index) == set(range(len(LEVELS)))
    own = values["intercept"][1] + x @ values["beta"][1] + values["offset(1|g)"][1, index]
    own = own + x[:, 0] * values["offset(x1|g)"][1, index] + x[:, 1] * values["offset(x2|g)"][1, index]
    np.testing.assert_allclose(eta[1], own, rtol=1e-12)


def test_a_group_without_a_column_of_its_own_moves_its_rows_alone():
    stated = PROBLEMS["groups-intercepts-Gaussian"]
    values = drawn_from_priors(stated.regression, ())
    before = linear_predictor(stated.regression, stated.data, values)
    values["offset(1|g)"] = values["offset(1|g)"] + np.array([0.0, 0.0, 1.5, 0.0, 0.0])
    moved = linear_predictor(stated.regression, stated.data, values) - before
    np.testing.assert_allclose(moved, 1.5 * (stated.data.groups["1|g"].index == 2), atol=1e-12)


def test_rows_without_a_response_have_no_likelihood():
    regression, data = case("gaussian", True)
    with pytest.raises(DataError, match="these rows have no response"):
        likelihood(regression, replace(data, y=None), some_values(regression))


@pytest.mark.parametrize("name", ["Gaussian-weights-offset", "groups-correlated-Poisson", "Ordinal-logit"])
def test_a_simulated_response_is_drawn_around_its_mean(name):
    """Of 4000 copies of one row, within 4.5 standard errors."""
    stated = PROBLEMS[name]
    row = stated.data.take(np.zeros(4000, dtype=int))
    values = {n: np.asarray(v) for n, v in drawn_from_priors(stated.regression, (), seed=3).items()}
    eta = linear_predictor(stated.regression, row, values)
    mean = stated.regression.family.mean(eta, response.given(stated.regression, row, values))
    drawn = simulate(stated.regression, row, values, np.random.default_rng(4))
    assert drawn.columns == row.columns
    if mean.ndim == 2:
        mean, seen = mean[0], np.bincount(drawn.y.astype(int), minlength=3) / 4000
        assert np.all(np.abs(seen - mean) <= 4.5 * np.sqrt(mean * (1 - mean) / 4000))
    else:
        assert abs(drawn.y.mean() - mean[0]) <= 4.5 * drawn.y.std() / np.sqrt(4000)


def test_a_membership_beyond_the_levels_is_no_ones():
    stated = PROBLEMS["groups-intercepts-Gaussian"]
    values = drawn_from_priors(stated.regression, ())
    beyond = {"1|g": Membership(np.full(stated.data.rows, 5), np.ones(stated.data.rows))}
    with pytest.raises(IndexError):
        linear_predictor(stated.regression, replace(stated.data, groups=beyond), values)
