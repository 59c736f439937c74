"""The log density: row by row, from the reduced data, and its gradient."""

import numpy as np
import pytest
from scipy import stats

from bayescore import density
from bayescore.data import from_arrays
from bayescore.density import LogJoint, log_density
from bayescore.regression import state

MIXED = {"beta[a]": "Normal(1, 2)", "beta[b]": "StudentT(3, 0, 2)", "beta[c]": "Flat()", "intercept": "Cauchy(0, 5)"}
PRIORS = {"gaussian": {"sigma": "HalfCauchy(2)"}, "Gaussian(sigma=0.7)": {}, "bernoulli": {}}
MODELS = [(family, intercept) for family in PRIORS for intercept in (True, False)]


def case(family, intercept, centre=0.0, n=40):
    rng = np.random.default_rng(0)
    x = centre + rng.normal(size=(n, 3))
    y = (rng.random(n) < 0.5).astype(float) if family == "bernoulli" else rng.normal(size=n)
    priors = {name: prior for name, prior in MIXED.items() if intercept or name != "intercept"} | PRIORS[family]
    return state(family, ("a", "b", "c"), priors, intercept=intercept), from_arrays(x, y, columns=("a", "b", "c"))


def some_values(regression, shape=(), seed=1):
    rng = np.random.default_rng(seed)
    drawn = {site.name: rng.normal(0, 0.5, (*shape, *site.shape)) for site in regression.sites}
    return {name: np.exp(v) if name == "sigma" else v for name, v in drawn.items()}


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
    assert np.isclose(joint(values), rows.total, rtol=1e-10)
    slopes = joint.gradient(values)
    for name, slope in rows.gradient.items():
        np.testing.assert_allclose(slopes[name], slope, rtol=1e-7, atol=1e-6, err_msg=name)
    alone = LogJoint(regression, data, prior=False)(values)
    assert np.isclose(alone, rows.by_site["likelihood"], rtol=1e-10)


@pytest.mark.parametrize("with_prior", [True, False])
@pytest.mark.parametrize("family, intercept", MODELS)
def test_gradient_is_the_slope(family, intercept, with_prior):
    regression, data = case(family, intercept)
    joint = LogJoint(regression, data, prior=with_prior)
    values = some_values(regression)
    slopes = joint.gradient(values)
    assert set(slopes) == {site.name for site in regression.sites}
    for site in regression.sites:
        assert slopes[site.name].shape == site.shape
        for index in np.ndindex(site.shape):
            ahead, behind = ({k: np.array(v) for k, v in values.items()} for _ in range(2))
            ahead[site.name][index] += 1e-6
            behind[site.name][index] -= 1e-6
            slope = (joint(ahead) - joint(behind)) / 2e-6
            np.testing.assert_allclose(slopes[site.name][index], slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
@pytest.mark.parametrize("family, intercept", MODELS)
def test_many_draws_at_once_are_the_draws_one_by_one(monkeypatch, family, intercept, block):
    monkeypatch.setattr(density, "_BLOCK_VALUES", block)
    regression, data = case(family, intercept)
    joint = LogJoint(regression, data)
    values = some_values(regression, (2, 5))
    together = joint(values)
    assert together.shape == (2, 5)
    for i, j in np.ndindex(2, 5):
        alone = log_density(regression, data, {name: v[i, j] for name, v in values.items()}).total
        assert np.isclose(together[i, j], alone, rtol=1e-11)


def test_an_intercept_alone_has_a_density():
    data = from_arrays(np.empty((10, 0)), np.arange(10.0))
    regression = state("gaussian", (), {"intercept": "Normal(0, 10)", "sigma": "Exponential(1)"})
    values = {"intercept": np.array(4.0), "sigma": np.array(3.0)}
    expected = stats.norm(4, 3).logpdf(data.y).sum() + stats.norm(0, 10).logpdf(4) + stats.expon(scale=1).logpdf(3)
    assert np.isclose(log_density(regression, data, values).total, expected, rtol=1e-12)
    assert np.isclose(LogJoint(regression, data)(values), expected, rtol=1e-12)
