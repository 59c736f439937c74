"""The reduced data: the same sums of squares as row by row, with all their digits."""

import numpy as np
import pytest

from bayescore import reduction
from bayescore.data import from_arrays


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
    residual = a[:, None] + b @ data.x.T - data.y
    in_a, in_b = reduced.gradient(a, b)
    np.testing.assert_allclose(in_a, residual.sum(axis=1), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(in_b, residual @ data.x, rtol=1e-10, atol=1e-10)


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
