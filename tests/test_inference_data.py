"""Posteriors to and from ArviZ."""

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import xarray as xr
from declared import problems

import bayescore
from bayescore import inference_data
from bayescore.density.guide import gaussian_moments
from bayescore.errors import DataError
from bayescore.exact.posterior import solve
from bayescore.methods import Kind
from bayescore.model.posterior import Posterior, label
from bayescore.regressions.points import prior_draw
from bayescore.tables import problem
from bayescore.tables.default_priors import state

RNG = np.random.default_rng(0)
DATA = bayescore.from_arrays(RNG.normal(size=(5, 2)), RNG.normal(size=5), columns=("mom_iq", "log(x)"))
REGRESSION = state("gaussian", DATA, {"intercept": "Flat()", "beta": "Flat()", "sigma": "Flat()"})
PROBLEMS = {
    name: stated
    for name, stated in problems().items()
    if name.startswith(("groups", "network", "prior-Horseshoe")) or name in {"Categorical-softmax", "Ordinal-logit"}
}


def posterior(stats=True):
    draws = {site.name: np.exp(RNG.normal(size=(4, 10, *site.shape))) for site in REGRESSION.sites}
    kept = {"diverging": np.zeros((4, 10), dtype=bool), "energy": RNG.normal(size=(4, 10))} if stats else {}
    return label(REGRESSION, draws, sample_stats=kept)


def assert_same(a, b):
    assert list(a.draws) == list(b.draws)
    for name, values in a.draws.items():
        np.testing.assert_array_equal(values, b.draws[name])
    assert dict(a.labels) == dict(b.labels)
    assert set(a.sample_stats) == set(b.sample_stats)
    for name, values in a.sample_stats.items():
        np.testing.assert_array_equal(values, b.sample_stats[name])
    assert a.kind == b.kind
    assert_same_moments(a.moments, b.moments)


def assert_same_moments(a, b):
    assert type(a) is type(b)
    for part in fields(a) if a is not None else ():
        assert_equal(getattr(a, part.name), getattr(b, part.name))


def assert_equal(a, b):
    assert type(a) is type(b)
    np.testing.assert_array_equal(a, b)


def test_parameters_are_named_and_keep_their_order():
    assert list(posterior().parameters()) == ["intercept", "beta[mom_iq]", "beta[log(x)]", "sigma"]
    assert posterior().shape == (4, 10)


@pytest.mark.parametrize("stats", [True, False])
def test_a_datatree_holds_all_of_it(stats):
    before = posterior(stats)
    tree = bayescore.to_datatree(before)
    assert tree["posterior"]["beta"].dims == ("chain", "draw", "coef")
    assert list(tree["posterior"]["coef"].values) == ["mom_iq", "log(x)"]
    assert_same(bayescore.from_arviz(tree), before)


def test_a_file_holds_all_of_it(tmp_path):
    before = posterior()
    path = tmp_path / "fit.nc"
    bayescore.save(before, path)
    assert_same(bayescore.load(path), before)
    path.unlink()  # it was closed


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("known", [False, True])
def test_the_kind_and_the_moments_are_kept(tmp_path, kind, known):
    """Each number to the last bit, what is unknown as unknown."""
    error = 0.1 * RNG.random(4)
    full = gaussian_moments(REGRESSION, RNG.normal(size=4), np.diag(RNG.random(4)), np.diag(error**2), error)
    full = replace(full, log_joint=-1.25, log_joint_error=0.1, log_evidence=None, quadrature_error=1e-7)
    before = replace(posterior(), moments=full if known or kind == "exact" else None, kind=kind)
    bayescore.save(before, tmp_path / "fit.nc")
    after = bayescore.load(tmp_path / "fit.nc")
    assert_same(after, before)
    assert after.estimand == (kind if kind in {"mle", "map"} else "posterior")


@pytest.mark.parametrize("sigma", [None, 0.1])
def test_an_exact_posterior_is_the_same_after_a_file(tmp_path, sigma):
    toy = problem.from_data(problem.toy().data, family="Gaussian" if sigma is None else f"Gaussian(sigma={sigma})")
    before = solve(toy.regression, toy.data).sample(100, 0)
    bayescore.save(before, tmp_path / "exact.nc")
    after = bayescore.load(tmp_path / "exact.nc")
    assert after.kind == "exact"
    assert_same(after, before)
    bayescore.save(after, tmp_path / "again.nc")
    assert_same(bayescore.load(tmp_path / "again.nc"), before)


def test_kinds_that_cant_be_are_refused(tmp_path):
    with pytest.raises(DataError, match="can't be of the kind 'bogus'"):
        replace(posterior(), kind="bogus")
    with pytest.raises(DataError, match="an exact posterior has moments"):
        replace(posterior(), kind="exact")
    tree = bayescore.to_datatree(posterior())
    tree["posterior"].attrs["bayescore_kind"] = "exact"
    with pytest.raises(DataError, match="an exact posterior has moments"):
        bayescore.from_arviz(tree)
    tree["moments"] = xr.DataTree(xr.Dataset({"mean": ("parameter", np.ones(4))}))
    with pytest.raises(DataError, match="the group 'moments' is not one that bayescore wrote"):
        bayescore.from_arviz(tree)


def test_a_strangers_file_holds_chains():
    """Whatever else is in it."""
    tree = bayescore.to_datatree(posterior())
    del tree["posterior"].attrs["bayescore_kind"]
    tree["moments"] = xr.DataTree(xr.Dataset({"of": 1.0}))
    assert bayescore.from_arviz(tree).kind == "chains"


def test_inference_data_of_old_is_read():
    before = posterior()
    coords = {"chain": range(4), "draw": range(10), "coef": ["mom_iq", "log(x)"]}
    dims = {name: ["chain", "draw", "coef"][: v.ndim] for name, v in before.draws.items()}
    dataset = xr.Dataset({name: (dims[name], v) for name, v in before.draws.items()}, coords=coords)
    stats = xr.Dataset({name: (["chain", "draw"], v) for name, v in before.sample_stats.items()})
    assert_same(bayescore.from_arviz(SimpleNamespace(posterior=dataset, sample_stats=stats)), before)
    alone = bayescore.from_arviz(SimpleNamespace(posterior=dataset.transpose("draw", "coef", "chain")))
    np.testing.assert_array_equal(alone.draws["beta"], before.draws["beta"])


def test_what_has_no_posterior_is_refused(tmp_path):
    with pytest.raises(DataError, match="no group 'posterior'"):
        bayescore.from_arviz(xr.DataTree())
    with pytest.raises(DataError, match="no group 'posterior'"):
        bayescore.from_arviz(SimpleNamespace(posterior=xr.Dataset({"a": ("x", [1.0])})))
    cube = xr.Dataset({"cov": (["chain", "draw", "i", "j", "k"], np.zeros((1, 2, 3, 3, 2)))})
    with pytest.raises(DataError, match="'cov' has 3 dimensions beside chain and draw; at most two are read"):
        bayescore.from_arviz(SimpleNamespace(posterior=cube))


@pytest.mark.parametrize("name", PROBLEMS)
def test_draws_of_whatever_can_be_declared_are_kept_in_a_file(name, tmp_path):
    regression = PROBLEMS[name].regression
    rng = np.random.default_rng(0)
    draws = [prior_draw(regression, rng) for _ in range(6)]
    stacked = {n: np.stack([d[n] for d in draws]).reshape((2, 3, *np.shape(draws[0][n]))) for n in draws[0]}
    before = label(regression, stacked)
    bayescore.save(before, tmp_path / "fit.nc")
    assert_same(bayescore.load(tmp_path / "fit.nc"), before)


def test_a_matrix_is_kept_along_its_levels_and_columns():
    """Whose names may have commas of their own."""
    levels, columns = ("b, or so", "c"), ("x", "poly(x,2)", "z")
    labels = tuple(f"{level},{column}" for level in levels for column in columns)
    before = Posterior({"beta": RNG.normal(size=(1, 4, 2, 3))}, {"beta": labels})
    tree = bayescore.to_datatree(before)
    assert tree["posterior"]["beta"].dims == ("chain", "draw", "beta_row", "coef")
    assert tuple(tree["posterior"]["beta_row"].values) == levels
    assert tuple(tree["posterior"]["coef"].values) == columns
    assert_same(bayescore.from_arviz(tree), before)


def test_an_unnamed_matrix_is_read_by_numbers():
    matrix = xr.Dataset({"weight": (["chain", "draw", "i", "j"], RNG.normal(size=(1, 5, 2, 3)))})
    found = bayescore.from_arviz(SimpleNamespace(posterior=matrix))
    assert found.labels == {"weight": ("0,0", "0,1", "0,2", "1,0", "1,1", "1,2")}
    np.testing.assert_array_equal(found.parameters()["weight[1,0]"], matrix["weight"].values[:, :, 1, 0])


@pytest.mark.parametrize("content", [b"", b"not a netCDF file", None])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "fit.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"can't read .*fit\.nc"):
        inference_data.load(path)


def test_moments_of_a_gaussian_are_log_normal_where_a_parameter_is_positive():
    mean, cov = np.array([1.0, 2.0, 3.0, -0.5]), np.diag([0.1, 0.2, 0.3, 0.4]) ** 2
    error = np.full(4, 0.01)
    moments = gaussian_moments(REGRESSION, mean, cov, np.diag(error**2), error)
    drawn = np.exp(np.random.default_rng(1).normal(-0.5, 0.4, 400_000))
    assert moments.names == REGRESSION.parameters
    assert np.isclose(moments.mean[3], drawn.mean(), rtol=5e-3)
    assert np.isclose(moments.sd[3], drawn.std(), rtol=1e-2)
    np.testing.assert_array_equal(moments.mean[:3], mean[:3])
    np.testing.assert_allclose(moments.sd[:3], [0.1, 0.2, 0.3])


def test_an_intercept_alone_has_no_labels():
    regression = problem.from_data(bayescore.from_arrays(np.empty((3, 0)), [1, 2, 4])).regression
    draws = {"intercept": np.zeros((1, 5)), "sigma": np.ones((1, 5))}
    after = bayescore.from_arviz(bayescore.to_datatree(label(regression, draws)))
    assert dict(after.labels) == {}
    assert isinstance(after, Posterior)


def test_a_slash_in_a_name_survives_the_file(tmp_path) -> None:
    draws = {"offset(I(x / 2)|g)": np.zeros((2, 3, 2)), "sd(I(x / 2)|g)": np.ones((2, 3))}
    path = tmp_path / "posterior.nc"
    inference_data.save(Posterior(draws, {"offset(I(x / 2)|g)": ("a", "b/c")}), path)
    back = inference_data.load(path)
    assert list(back.parameters()) == ["offset(I(x / 2)|g)[a]", "offset(I(x / 2)|g)[b/c]", "sd(I(x / 2)|g)"]
