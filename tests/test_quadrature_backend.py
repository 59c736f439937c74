"""The exact backend where it integrates numerically: what it refuses, prints and predicts."""

import numpy as np
import pytest

import bayescore
from bayescore.contract.checked import Checked
from bayescore.errors import UnsupportedError
from bayescore.exact import keys, quadrature
from bayescore.exact.quadrature import solve
from bayescore.methods import Exact
from bayescore.model.data import Data, from_arrays
from bayescore.plugins import loading
from bayescore.report.terminal import render
from bayescore.tables.default_priors import state
from bayescore.tables.problem import from_data


def checked():
    registered = loading.load()["exact"]
    return Checked(registered.make(), registered.info)


def test_too_many_unknowns_are_refused_before_any_work():
    rng = np.random.default_rng(0)
    data = from_arrays(rng.normal(size=(20, 3)), rng.integers(0, 2, 20))
    regression = state("Bernoulli", data, {})
    backend = checked()
    with pytest.raises(
        UnsupportedError,
        match=r"^it has no closed form, and 4 unknowns are too many for quadrature \(at most 3\); use nuts",
    ):
        backend.fit(regression, backend.build_data(regression, data), Exact(), seed=0)


def test_what_takes_too_many_points_is_refused_with_its_error(monkeypatch):
    monkeypatch.setattr(quadrature, "_MOST_ROWS", 1)
    monkeypatch.setattr(quadrature, "_LEAST_NODES", 1_000)
    data = from_arrays(np.linspace(-1, 1.3, 12), (np.arange(12) > 5).astype(float))
    with pytest.raises(UnsupportedError, match=r"finds .* only to [\d.]+ posterior sds with \d+ points"):
        solve(state("Bernoulli", data, {"beta": "StudentT(3, 0, 1000)"}), data)


def test_the_backend_fits_draws_and_predicts_categories():
    rng = np.random.default_rng(2)
    y = rng.permutation(np.arange(30) % 3.0)
    data = Data(rng.normal(size=(30, 1)), y, ("x",), categories=("low", "middle", "high"))
    problem = from_data(data, family="Ordinal")
    backend = checked()
    fit = backend.fit(problem.regression, backend.build_data(problem.regression, data), Exact(500), seed=0)
    drawn = backend.sample_posterior(fit, seed=1)
    assert drawn.shape == (1, 500)
    np.testing.assert_array_equal(drawn.moments.mean_error, 0.0)
    mean = backend.predict(fit, drawn, data, kind="mean", seed=2)
    np.testing.assert_allclose(mean.sum(axis=-1), 1.0, rtol=1e-12)
    assert mean.shape == (1, 500, 30, 3)


def test_the_error_is_printed(only_core):
    rng = np.random.default_rng(1)
    data = from_arrays(rng.normal(size=(25, 2)), rng.integers(0, 2, 25))
    result = bayescore.compare(from_data(data, family="Bernoulli"), ["exact"])
    figures = result.document["contenders"][0]["diagnostics"]
    assert 0 < figures["quadrature_error"] < 1e-8
    assert f"quadrature error {figures['quadrature_error']:.0e} sd" in render(result.document, width=160, full=True)


def test_keys_know_their_indices_and_neighbours():
    indices = np.array([[0, -3, 7], [-1, 5, -200_000]])
    packed = np.sort(keys.packed(indices))
    assert {tuple(keys.index(packed, axis)[i] for axis in range(3)) for i in range(2)} == set(map(tuple, indices))
    around = keys.widened(packed, 3, -1, 1)
    assert around.size == 54
    assert keys.find(packed, around)[1].all()
    assert not keys.find(packed + 2, around)[1].any()
    assert set(keys.index(keys.doubled(packed, 1), 1)) == {-6, 10}
