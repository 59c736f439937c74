"""Fewer rows that say the same: the sums of squares and likelihoods of all rows, with all their digits."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems

from bayescore.density import reduction
from bayescore.density.specification import likelihood
from bayescore.model.data import from_arrays
from bayescore.tables.default_priors import state


def problem(n=60, p=3, centre=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = centre + rng.normal(size=(n, p))
    y = centre + (x - centre) @ np.arange(1.0, p + 1) + rng.normal(size=n)
    return from_arrays(x, y)


@pytest.mark.parametrize("n, p", [(60, 3), (3, 5), (1, 1), (2, 1), (7, 7), (50, 0)])
def test_sum_of_squares_is_that_of_the_rows(n, p):
    data = problem(n, max(p, 1))
    data = data if p else from_arrays(np.empty((n, 0)), data.y)
    reduced = reduction.reduce(data)
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=4), rng.normal(size=(4, p))
    rows = np.sum((data.y - a[:, None] - b @ data.x.T) ** 2, axis=1)
    np.testing.assert_allclose(reduced.residual_sum_of_squares(a, b), rows, rtol=1e-11)


def test_means_and_sds_are_those_of_the_columns():
    data = problem(100, 4, centre=3.0)
    reduced = reduction.reduce(data)
    np.testing.assert_allclose(reduced.mean, data.x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(reduced.scale, data.x.std(axis=0), rtol=1e-12)
    assert np.isclose(reduced.y_mean, data.y.mean(), rtol=1e-13)


def test_least_squares_from_it_is_plain_least_squares():
    data = problem(200, 5, centre=10.0)
    reduced = reduction.reduce(data)
    b = np.linalg.solve(reduced.r[:-1, :-1], reduced.r[:-1, -1])
    design = np.column_stack([np.ones(200), data.x])
    plain = np.linalg.lstsq(design, data.y, rcond=None)[0]
    np.testing.assert_allclose(b, plain[1:], rtol=1e-9)
    np.testing.assert_allclose(reduced.y_mean - reduced.mean @ b, plain[0], rtol=1e-8)


def test_columns_far_from_zero_keep_their_digits():
    n = 5000
    noise = np.random.default_rng(3).normal(size=(n, 2))
    x = 1e6 + noise
    y = 1e6 + (x - 1e6) @ [1.0, -2.0] + np.random.default_rng(4).normal(size=n)
    reduced = reduction.reduce(from_arrays(x, y))
    wide = np.column_stack([x, y]).astype(np.longdouble)
    centred = (wide - wide.mean(axis=0)).astype(float)
    exact = np.linalg.lstsq(centred[:, :2], centred[:, 2], rcond=None)[0]
    ours = np.linalg.solve(reduced.r[:2, :2], reduced.r[:2, 2])
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-10)
    np.testing.assert_allclose(reduced.scale, centred[:, :2].std(axis=0), rtol=1e-10)


def test_a_sorted_column_far_from_the_rough_mean_keeps_its_digits():
    x = np.concatenate([np.zeros(1), 1e8 + np.random.default_rng(5).normal(size=3000)])
    y = np.random.default_rng(6).normal(size=3001)
    reduced = reduction.reduce(from_arrays(x, y))
    assert np.isclose(reduced.mean[0], np.mean(x.astype(np.longdouble)), rtol=1e-14)


@pytest.mark.parametrize("n", [79, 80, 81, 160, 161, 239])
def test_blocks_of_rows_make_no_difference(monkeypatch, n):
    data = problem(n, 2, centre=5.0)
    whole = reduction.reduce(data)
    monkeypatch.setattr(reduction, "_BLOCK_VALUES", 320)  # 80 rows of 2 + 2 values
    parts = reduction.reduce(data)
    np.testing.assert_allclose(np.abs(parts.r), np.abs(whole.r), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-14)
    assert parts.rows == whole.rows == n


def test_many_columns_and_small_blocks_go_together(monkeypatch):
    monkeypatch.setattr(reduction, "_BLOCK_VALUES", 1)
    data = problem(500, 20)
    b = np.random.default_rng(8).normal(size=20)
    rows = np.sum((data.y - 0.5 - data.x @ b) ** 2)
    assert np.isclose(reduction.reduce(data).residual_sum_of_squares(np.array(0.5), b), rows, rtol=1e-12)


def test_weights_count_rows_and_offsets_are_taken_off():
    data = problem(40, 2, centre=3.0)
    rng = np.random.default_rng(9)
    counts, offset = rng.integers(0, 4, 40), rng.normal(size=40)
    shifted = replace(data, offset=offset)
    many = reduction.reduce(shifted.take(np.repeat(np.arange(40), counts)))
    weighted = reduction.reduce(replace(shifted, weights=counts.astype(float)))
    assert weighted.rows == many.rows == counts.sum()
    np.testing.assert_allclose(weighted.mean, many.mean, rtol=1e-13)
    np.testing.assert_allclose(np.abs(weighted.r), np.abs(many.r), rtol=1e-10, atol=1e-10)
    a, b = 0.3, np.array([1.0, -2.0])
    plain = counts @ (data.y - offset - a - data.x @ b) ** 2
    assert np.isclose(weighted.residual_sum_of_squares(np.array(a), b), plain, rtol=1e-12)


def gaussian(data, intercept=True, family="gaussian"):
    return state(family, data, {}, intercept=intercept)


@pytest.mark.parametrize("spoil", ["plain", "weights", "offset", "both"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n, p, centre", [(60, 3, 0.0), (60, 3, 1e6), (7, 4, 0.0), (10_000, 2, -1e3), (9, 0, 0.0)])
def test_a_gaussian_regressions_rows_come_down_to_p_plus_2(n, p, centre, intercept, spoil):
    data = problem(n, max(p, 1), centre)
    data = data if p else from_arrays(np.empty((n, 0)), data.y)
    rng = np.random.default_rng(10)
    if spoil in {"weights", "both"}:
        data = replace(data, weights=rng.uniform(0.1, 5.0, n))
    if spoil in {"offset", "both"}:
        data = replace(data, offset=rng.normal(size=n))
    regression = gaussian(data, intercept or p == 0)
    few = reduction.compress(regression, data)
    assert few.rows == p + 2
    assert few.requirements == {"feature:weights", "feature:reduction"}
    b = rng.normal(size=p) / (1 + abs(centre))
    values = {"intercept": np.array(0.5), "beta": b, "sigma": np.array(1.3)}
    assert np.isclose(likelihood(regression, few, values), likelihood(regression, data, values), rtol=1e-11)
    assert reduction.compress(regression, few) is few


def test_reduced_rows_keep_their_means_and_sds():
    data = replace(problem(500, 3, 1e6), weights=np.random.default_rng(11).uniform(0.5, 2.0, 500))
    mean, sd = reduction.column_moments(data)
    few = reduction.compress(gaussian(data), data)
    again_mean, again_sd = reduction.column_moments(few)
    np.testing.assert_allclose(mean, np.average(data.x, axis=0, weights=data.weights), rtol=1e-13)
    centred = data.x - np.average(data.x, axis=0, weights=data.weights)
    np.testing.assert_allclose(sd, np.sqrt(np.average(centred**2, axis=0, weights=data.weights)), rtol=1e-9)
    np.testing.assert_allclose(again_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(again_sd, sd, rtol=1e-8)
    assert replace(few, weights=few.weights).stands_for == round(data.weights.sum())


@pytest.mark.parametrize("name, stated", [(n, s) for n, s in problems().items() if n.startswith(("groups", "network"))])
def test_what_depends_on_more_than_the_triangle_is_not_reduced(name, stated):
    assert not reduction.reducible(stated.regression)
    assert reduction.compress(stated.regression, stated.data).ones is None
