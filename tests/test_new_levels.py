"""Levels that only the new data have: their offsets follow the population, draw by draw."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from declared import LEVELS, problems

from bayescore.backend import BackendInfo, Fit
from bayescore.contract.checked import Checked
from bayescore.contract.new_levels import with_new_levels
from bayescore.exact.backend import ExactBackend
from bayescore.methods import NUTS
from bayescore.model import response
from bayescore.model.data import NEW_LEVEL, Membership
from bayescore.model.posterior import label
from bayescore.regressions.predictions import summarize_predictions

PROBLEMS = {name: stated for name, stated in problems().items() if name.startswith("groups-")}
CHAINS, DRAWS = 4, 500


@cache
def posterior(name):
    """Draws from the priors: every draw has its own sds and correlations."""
    regression = PROBLEMS[name].regression
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(CHAINS * DRAWS):
        values = {}
        for site in regression.sites:
            values[site.name] = np.asarray(site.sample(rng, values))
        draws.append(values)
    stacked = {n: np.stack([v[n] for v in draws]).reshape((CHAINS, DRAWS, *np.shape(draws[0][n]))) for n in draws[0]}
    return label(regression, stacked)


def unknown(data, rows):
    """The same data with these rows' levels unknown."""
    groups = {}
    for key, member in data.groups.items():
        index = member.index.copy()
        index[rows] = NEW_LEVEL
        groups[key] = Membership(index, member.value)
    return replace(data, groups=groups)


@pytest.mark.parametrize("name", PROBLEMS)
def test_new_offsets_whitened_are_standard_normal(name):
    """By each draw's own sds and correlations; every figure within 4.5 standard errors, 1 false alarm in 10^4."""
    stated = PROBLEMS[name]
    before = posterior(name)
    after, rows = with_new_levels(stated.regression, before, unknown(stated.data, [0, 3]), seed=7)
    n = CHAINS * DRAWS
    for term in stated.regression.groups:
        keys, k = term.grouping.keys, len(term.grouping.keys)
        new = np.stack([after.draws[f"offset({key})"][..., -1].ravel() for key in keys])
        sds = np.stack([before.draws[f"sd({key})"].ravel() for key in keys])
        if k > 1:
            cor = before.draws[f"cor({','.join(term.grouping.effects)}|g)"].reshape(n, -1)
            lower = np.zeros((n, k, k))
            lower[:, *np.tril_indices(k, -1)] = cor
            root = np.linalg.cholesky(lower + np.swapaxes(lower, 1, 2) + np.eye(k))
            white = np.linalg.solve(root, (new / sds).T[..., None])[..., 0].T
        else:
            white = new / sds
        assert np.all(np.abs(white.mean(axis=1)) < 4.5 / np.sqrt(n))
        second = white @ white.T / n
        assert np.all(np.abs(second - np.eye(k)) < 4.5 * np.sqrt((1 + np.eye(k)) / n))
        for key in keys:
            assert after.draws[f"offset({key})"].shape == (CHAINS, DRAWS, len(LEVELS) + 1)
            np.testing.assert_array_equal(after.draws[f"offset({key})"][..., :-1], before.draws[f"offset({key})"])
            assert after.labels[f"offset({key})"] == (*LEVELS, "new level")
            assert list(np.flatnonzero(rows.groups[key].index == len(LEVELS))) == [0, 3]
            np.testing.assert_array_equal(rows.groups[key].index[4:], stated.data.groups[key].index[4:])


def test_without_unknown_levels_nothing_is_touched():
    stated = PROBLEMS["groups-correlated-Gaussian"]
    before = posterior("groups-correlated-Gaussian")
    assert with_new_levels(stated.regression, before, stated.data, 0) == (before, stated.data)


def test_only_the_factor_whose_level_is_unknown_is_new():
    """Two terms of one factor: where one knows its level, it keeps it."""
    stated = PROBLEMS["groups-independent-Gaussian"]
    half = replace(stated.data, groups={**unknown(stated.data, [2]).groups, "x1|g": stated.data.groups["x1|g"]})
    _, rows = with_new_levels(stated.regression, posterior("groups-independent-Gaussian"), half, 0)
    assert rows.groups["1|g"].index[2] == len(LEVELS)
    np.testing.assert_array_equal(rows.groups["x1|g"].index, stated.data.groups["x1|g"].index)


def test_the_same_seed_draws_the_same_offsets():
    stated = PROBLEMS["groups-correlated-Gaussian"]
    before, rows = posterior("groups-correlated-Gaussian"), unknown(stated.data, [0])
    first, again, other = (with_new_levels(stated.regression, before, rows, seed)[0] for seed in (1, 1, 2))
    for name in ("offset(1|g)", "offset(x1|g)"):
        np.testing.assert_array_equal(first.draws[name], again.draws[name])
        assert np.all(first.draws[name][..., -1] != other.draws[name][..., -1])


def engine():
    return Checked(ExactBackend(), BackendInfo("engine", lambda precision: ExactBackend(), frozenset()))


def test_a_prediction_for_a_new_level_has_the_populations_spread():
    """eta - x beta - intercept is an offset: its variance given the sd is sd^2, within 4.5 standard errors."""
    stated = PROBLEMS["groups-intercepts-Gaussian"]
    fit, drawn = Fit(stated.regression, NUTS(), None), posterior("groups-intercepts-Gaussian")
    rows = unknown(stated.data, [0])
    found = engine().predict(fit, drawn, rows, seed=3)
    plain = drawn.draws["intercept"] + drawn.draws["beta"] @ rows.x[0]
    z = ((found[..., 0] - plain) / drawn.draws["sd(1|g)"]).ravel()
    assert abs(z.mean()) < 4.5 / np.sqrt(z.size)
    assert abs(np.mean(z**2) - 1) < 4.5 * np.sqrt(2 / z.size)
    known = engine().predict(fit, drawn, stated.data, seed=3)
    np.testing.assert_array_equal(found[..., 1:], known[..., 1:])


def test_a_row_of_a_new_level_is_scored_with_the_offset_it_is_predicted_with():
    """And not with that of some level that happens to be last."""
    stated = PROBLEMS["groups-intercepts-Gaussian"]
    fit, drawn = Fit(stated.regression, NUTS(), None), posterior("groups-intercepts-Gaussian")
    rows = unknown(stated.data, [0]).take([0])
    found = summarize_predictions(engine(), fit, drawn, rows, seed=3)
    wider, known = with_new_levels(stated.regression, drawn, rows, 3)
    values = {n: v.reshape(-1, *v.shape[2:]) for n, v in wider.draws.items()}
    eta = response.linear_predictor(stated.regression, known, values)
    terms = stated.regression.family.log_prob(rows.y, eta, response.given(stated.regression, known, values))
    wanted = np.log(np.mean(np.exp(terms)))
    assert found.score["lpd"] == pytest.approx(wanted)
    assert found.mean[0] == pytest.approx(eta.mean())
