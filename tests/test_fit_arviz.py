"""A fit as ArviZ has it: its groups against computations of their own, its plots, its LOO."""

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from arviz_base import from_dict
from scipy import special, stats

import bayescore as bc
from bayescore.errors import RequestError
from bayescore.fitting.arviz import log_likelihood
from bayescore.inference_data import encode
from bayescore.model.posterior import label

SIGMA = 0.7


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=(2, 40))
    return pd.DataFrame({"y": 1 + x - z + rng.normal(scale=SIGMA, size=40), "x": x, "z": z})


@pytest.fixture(scope="module")
def problem(frame) -> bc.Problem:
    priors = {"intercept": "Normal(0, 5)", "beta": "Normal(0, 5)"}
    return bc.from_table("y ~ x + z", frame, family=f"Gaussian(sigma={SIGMA})", priors=priors)


@pytest.fixture(scope="module")
def fit(problem) -> bc.Fit:
    return bc.fit(problem, backend="exact:exact(draws=4000)", seed=3)


def exact_elpd(problem: bc.Problem) -> np.ndarray:
    """Log density of each row given the others, by a refit for each."""
    backend, found = bc.get_backend("exact"), []
    for row in range(problem.data.rows):
        others = problem.data.take(np.delete(np.arange(problem.data.rows), row))
        native = backend.build_data(problem.regression, others)
        moments = backend.sample_posterior(backend.fit(problem.regression, native, bc.Exact(), seed=0), seed=0).moments
        assert moments is not None
        x = np.array([1.0, *problem.data.x[row]])
        sd = np.sqrt(SIGMA**2 + x @ moments.unconstrained_cov @ x)
        found.append(stats.norm(x @ moments.mean, sd).logpdf(problem.data.observed[row]))
    return np.array(found)


def test_loo_is_that_of_a_refit_for_each_row(fit, problem):
    expected, found = exact_elpd(problem), fit.loo()
    assert found.elpd == pytest.approx(expected.sum(), abs=0.1)
    np.testing.assert_allclose(found.elpd_i.values, expected, atol=0.05)
    assert found.se == pytest.approx(np.sqrt(len(expected)) * expected.std(), rel=0.02)


def test_loo_is_that_of_a_log_likelihood_of_ones_own(fit, frame):
    draws = fit.posterior.draws
    eta = draws["intercept"][..., None] + draws["beta"] @ frame[["x", "z"]].to_numpy().T
    own = stats.norm(eta, SIGMA).logpdf(frame.y.to_numpy())
    tree = from_dict({"posterior": {"a": draws["intercept"]}, "log_likelihood": {"y": own}})
    found = fit.to_datatree()
    np.testing.assert_allclose(found["log_likelihood"]["y"].values, own, rtol=1e-10)
    assert arviz_stats.loo(found).elpd == pytest.approx(arviz_stats.loo(tree).elpd, abs=1e-8)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of ArviZ
def test_the_better_of_two_models_is_the_first(fit, frame):
    poor = bc.fit("y ~ 1", frame, "exact", family=f"Gaussian(sigma={SIGMA})")
    table = arviz_stats.compare({"both": fit.to_datatree(), "none": poor.to_datatree()})
    assert list(table.index) == ["both", "none"]
    assert table.elpd["both"] == pytest.approx(fit.loo().elpd)


TABLE = pd.DataFrame(
    {
        "count": [0, 1, 4, 2, 7, 3],
        "of": [5, 6, 9, 8, 9, 9],
        "x": [0.1, 0.5, 0.2, 0.8, 0.3, 0.9],
        "w": [1.0, 2.0, 0.5, 1.0, 0.0, 3.0],
        "size": list("lmhlmh"),
    }
)
X, WEIGHTS, TRIALS = (TABLE[name].to_numpy() for name in ("x", "w", "of"))


def prior_of(problem: bc.Problem) -> bc.Posterior:
    return problem.sample_prior(7, seed=1)


def linear(draws: dict[str, np.ndarray]) -> np.ndarray:
    return draws["intercept"][..., None] + draws["beta"] * X


@pytest.mark.parametrize(
    ("formula", "asked", "by_hand"),
    [
        (
            "count ~ x + offset(log(of))",
            {"family": "Poisson", "weights": "w"},
            lambda d: WEIGHTS * stats.poisson(np.exp(linear(d)) * TRIALS).logpmf(TABLE["count"]),
        ),
        (
            "proportion(count, of) ~ x",
            {"family": "Binomial"},
            lambda d: stats.binom(TRIALS, special.expit(linear(d))).logpmf(TABLE["count"]),
        ),
        (
            "size ~ x",
            {"family": "Ordinal", "levels": {"size": ["l", "m", "h"]}},
            lambda d: np.log(
                np.diff(
                    special.expit(
                        np.concatenate([[np.full((1, 7, 1), -np.inf)], [d["threshold"][..., [k]] for k in (0, 1)],
                                        [np.full((1, 7, 1), np.inf)]]) - d["beta"] * X
                    ),
                    axis=0,
                )[["lmh".index(of) for of in TABLE["size"]], ..., np.arange(6)]
            ).transpose(1, 2, 0),
        ),
    ],
)  # fmt: skip
def test_log_likelihoods_by_row_are_those_by_hand(formula, asked, by_hand):
    problem = bc.from_table(formula, TABLE, **asked)
    posterior = prior_of(problem)
    np.testing.assert_allclose(log_likelihood(problem, posterior), by_hand(posterior.draws), rtol=1e-9, atol=1e-12)


def test_log_likelihoods_are_the_same_in_blocks(problem, fit, monkeypatch):
    whole = log_likelihood(problem, fit.posterior)
    monkeypatch.setattr("bayescore.fitting.arviz._BLOCK_VALUES", 130)
    np.testing.assert_allclose(log_likelihood(problem, fit.posterior), whole, rtol=1e-13)


def test_effects_of_a_group_lie_along_the_group():
    frame = pd.DataFrame({"y": np.arange(6.0), "x": X, "Subject": [308, 309, 310] * 2, "sigma": list("ababab")})
    problem = bc.from_table("y ~ x + (x | Subject) + (1 | sigma)", frame)
    tree = bc.to_datatree(prior_of(problem))["posterior"]
    assert tree["offset(1|Subject)"].dims == tree["offset(x|Subject)"].dims == ("chain", "draw", "Subject")
    assert list(tree["Subject"].values) == ["308", "309", "310"]
    assert list(tree["coef"].values) == ["x"]
    assert tree["offset(1|sigma)"].dims == ("chain", "draw", "offset(1|sigma)_dim")  # sigma is a site of its own
    assert list(tree["offset(1|sigma)_dim"].values) == ["a", "b"]
    again = bc.from_arviz(bc.to_datatree(prior_of(problem)))
    assert again.labels == prior_of(problem).labels


def test_groups_hold_the_data_by_their_names():
    frame = TABLE.rename(columns={"x": "a/b"}).assign(row=list("ppqqpp"), text=list("uvwuvw"))
    problem = bc.from_table("count ~ `a/b` + row + C(text)", frame, family="Poisson", weights="w")
    fit = bc.Fit(problem, prior_of(problem), {}, None)
    tree = fit.to_datatree(prior_draws=9)
    assert set(tree.children) == {
        "posterior", "log_likelihood", "posterior_predictive", "observed_data", "constant_data", "log_prior", "prior",
        "prior_predictive",
    }  # fmt: skip
    assert tree["observed_data"]["count"].values.tolist() == [0, 1, 4, 2, 7, 3]
    assert tree["posterior_predictive"]["count"].dtype == np.int64
    assert tree["prior_predictive"]["count"].shape == (1, 9, 6)
    constants = tree["constant_data"]
    assert list(constants.data_vars) == ["a\N{DIVISION SLASH}b", "row_", "text", "w", "weights"]
    assert constants["text"].values.tolist() == list("uvwuvw")
    joint = sum(tree["log_prior"].data_vars.values()) + tree["log_likelihood"]["count"].sum("row")
    np.testing.assert_allclose(joint.values, problem.target.log_joint(fit.posterior), rtol=1e-10)


def test_a_point_or_an_improper_prior_has_no_such_groups(frame):
    point = bc.fit("y ~ x", frame, "exact:mle", family="Gaussian(sigma=1)")
    assert "log_likelihood" not in point.to_datatree().children
    with pytest.raises(RequestError, match=r"a point estimate \(mle\) has no log likelihood by draw"):
        point.loo()
    flat = bc.from_table("y ~ x", frame, priors={"beta": "Flat()"})
    ones = {"intercept": np.ones((1, 3)), "beta": np.ones((1, 3, 1)), "sigma": np.ones((1, 3))}
    tree = bc.Fit(flat, label(flat.regression, ones), {}, None).to_datatree()
    assert "log_likelihood" in tree.children
    assert not {"prior", "prior_predictive", "log_prior"} & set(tree.children)


def test_loo_of_densities_that_are_none_is_told_in_one_line(problem, fit):
    draws = {name: values.copy() for name, values in fit.posterior.draws.items()}
    draws["intercept"][0, 3] = 1e200
    with pytest.raises(RequestError, match="the log likelihood of rows 1, 2, 3, 4, 5 and 35 more is not finite"):
        bc.Fit(problem, label(problem.regression, draws), fit.document, None).loo()


def test_rows_that_memory_does_not_hold_are_left_out(fit, monkeypatch):
    monkeypatch.setattr("bayescore.system.memory.memory", lambda: 1000)
    with pytest.raises(RequestError, match="by_row=False"):
        fit.to_datatree()
    assert "log_likelihood" not in fit.to_datatree(by_row=False).children


EVERY = [
    ("w ~ x", {"family": "Gamma"}),
    ("w ~ x", {"priors": {"beta": "Horseshoe()"}}),
    ("size ~ x", {"family": "Categorical"}),
    ("size ~ 1", {"family": "Ordinal", "levels": {"size": ["l", "m", "h"]}}),
    ("count ~ x", {"family": "NegativeBinomial"}),
    ("w ~ x", {"network": (2,)}),
    ("w ~ 1 + (x | size) + (1 | size:of)", {"family": "StudentT"}),
    ("proportion(count, of) ~ x", {"family": "Binomial"}),
    ("size['l'] ~ x", {"family": "Bernoulli"}),
    ("w ~ 0 + size", {}),
]


@pytest.mark.parametrize(("formula", "asked"), EVERY)
def test_a_tree_of_every_kind_of_regression_is_whole_and_can_be_written(formula, asked, tmp_path):
    problem = bc.from_table(formula, TABLE.assign(w=TABLE.w + 1), **asked)
    fit = bc.Fit(problem, prior_of(problem), {}, None)
    tree = fit.to_datatree(prior_draws=5)
    (densities,) = tree["log_likelihood"].data_vars.values()
    joint = sum(tree["log_prior"].data_vars.values()) + densities.sum("row")
    np.testing.assert_allclose(joint.values, problem.target.log_joint(fit.posterior), rtol=1e-9)
    assert tree["prior"].sizes["draw"] == 5
    assert tree["posterior_predictive"].sizes == {"chain": 1, "draw": 7, "row": 6}
    (tmp_path / "tree.nc").write_bytes(encode(tree, tmp_path / "tree.nc"))
    assert set(bc.load(tmp_path / "tree.nc").draws) == {site.name for site in problem.regression.sites}
