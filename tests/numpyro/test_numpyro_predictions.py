"""Predictions of every family, against the core's mean and samples."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems
from numpyro_support import TOY, backend, fitted

from bayescore.backend import Fit
from bayescore.methods import NUTS, SVI
from bayescore.model import posterior
from bayescore.model.data import from_arrays
from bayescore.model.response import given, linear_predictor

PROBLEMS = problems()
FAMILIES = [name for name in PROBLEMS if name.endswith("-weights-offset")]
LINKS = ["Bernoulli-probit", "Bernoulli-cloglog", "Binomial-cloglog"]
STRUCTURES = ["groups-three-correlated", "groups-intercepts-Poisson", "network-3-2", "network-Bernoulli"]


def likely(regression, rng):
    """Values at which every family is well-behaved."""
    values = {site.name: rng.uniform(0.1, 0.5, site.shape) for site in regression.sites}
    values |= {name: np.asarray(rng.uniform(2.0, 4.0)) for name in regression.family.free}
    return values | ({"threshold": np.array([-0.5, 0.8])} if regression.thresholds else {})


def predicted(name, values, kind, rows=10):
    """Predictions at values (chain, draw, ...) of a problem's first rows."""
    regression = PROBLEMS[name].regression
    new = replace(PROBLEMS[name].data.take(slice(rows)), y=None)
    fit = Fit(regression, NUTS(), None)
    return new, backend().backend.predict(fit, posterior.label(regression, values), new, kind=kind, seed=0)


@pytest.mark.parametrize("name", [*FAMILIES, *LINKS, *STRUCTURES])
def test_the_mean_is_the_cores(name):
    regression = PROBLEMS[name].regression
    rng = np.random.default_rng(0)
    draws = [[likely(regression, rng) for _ in range(3)] for _ in range(2)]
    values = {site: np.array([[draw[site] for draw in chain] for chain in draws]) for site in draws[0][0]}
    new, got = predicted(name, values, "mean")
    want = regression.family.mean(linear_predictor(regression, new, values), given(regression, new, values))
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_responses_have_the_cores_mean_and_sd(name):
    """4000 responses a row from both: means within 5 standard errors, sds within 15 %."""
    regression = PROBLEMS[name].regression
    values = likely(regression, np.random.default_rng(1))
    many = {site: np.broadcast_to(value, (1, 4000, *value.shape)) for site, value in values.items()}
    new, got = predicted(name, many, "response", rows=3)
    eta = linear_predictor(regression, new, many)
    want = regression.family.sample(np.random.default_rng(2), eta, given(regression, new, many))
    assert got.shape == want.shape == (1, 4000, 3)
    error = np.sqrt((got.var(axis=1) + want.var(axis=1)) / 4000)
    assert np.all(np.abs(got.mean(axis=1) - want.mean(axis=1)) < 5 * error)
    np.testing.assert_allclose(got.std(axis=1), want.std(axis=1), rtol=0.15)


def test_a_new_level_is_one_more_offset():
    """Offsets may have more levels than the regression says: rows find theirs by index."""
    regression = PROBLEMS["groups-intercepts-Gaussian"].regression
    values = {site.name: np.ones((1, 2, *site.shape)) for site in regression.sites}
    values["offset(1|g)"] = np.broadcast_to(np.arange(7.0), (1, 2, 7))
    data = PROBLEMS["groups-intercepts-Gaussian"].data
    member = replace(data.groups["1|g"], index=np.full(data.rows, 6))
    new = replace(data, y=None, groups={"1|g": member})
    fit = Fit(regression, NUTS(), None)
    got = backend().backend.predict(fit, posterior.label(regression, values), new, seed=0)
    np.testing.assert_allclose(got, np.broadcast_to(1.0 + data.x.sum(axis=1) + 6.0, got.shape), rtol=1e-12)


def test_predictions_keep_chains_draws_and_rows_whatever_the_blocks(monkeypatch):
    from bayescore_numpyro import predict

    numpyro = backend()
    fit, posterior = fitted(TOY, SVI(steps=50, draws=300))
    new = from_arrays(np.linspace(6, 7, 20))
    want = posterior.draws["intercept"][..., None] + posterior.draws["beta"] @ new.x.T
    np.testing.assert_allclose(numpyro.predict(fit, posterior, new, seed=0), want, rtol=1e-12)
    monkeypatch.setattr(predict, "_BLOCK_VALUES", 20 * 128)
    np.testing.assert_allclose(numpyro.predict(fit, posterior, new, seed=0), want, rtol=1e-12)
    drawn = numpyro.predict(fit, posterior, new, kind="response", seed=0)
    noise = drawn - want
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert len(np.unique(noise)) == noise.size
    np.testing.assert_array_equal(drawn, numpyro.predict(fit, posterior, new, kind="response", seed=0))
