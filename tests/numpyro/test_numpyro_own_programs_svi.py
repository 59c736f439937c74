"""Programs of one's own fitted by SVI, against exact posteriors and evidences."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from scipy import special, stats
from test_numpyro_own_programs import program

from bayescore.errors import UnsupportedError
from bayescore.methods import MAP, SVI

RNG = np.random.default_rng(3)
X = RNG.normal(1.0, 0.5, size=12)
Y = 0.5 + X + RNG.normal(size=12)
K = np.array([2, 5, 3, 4])


def line(x, y):
    b = numpyro.sample("b", dist.Normal(jnp.zeros(2), 3.0).to_event(1))
    with numpyro.plate("rows", len(y)):
        numpyro.sample("y", dist.Normal(b[0] + b[1] * x, 1.0), obs=y)


def counts(k, scale=1.0):
    with handlers.scale(scale=scale):
        rate = numpyro.sample("rate", dist.Gamma(2.0, 1.0))
    numpyro.deterministic("mean_log", jnp.log(rate))
    with numpyro.plate("rows", len(k)):
        numpyro.sample("k", dist.Poisson(rate), obs=k)


def mixture(y):
    m = numpyro.sample("m", dist.Normal(0.0, 3.0))
    with numpyro.plate("rows", len(y)):
        z = numpyro.sample("z", dist.Bernoulli(0.3), infer={"enumerate": "parallel"})
        numpyro.sample("y", dist.Normal(m + z, 1.0), obs=y)


def fitted(own, method, seed=0):
    fit = own.fit(method, seed=seed)
    return fit, own.sample_posterior(fit, seed=seed)


@pytest.mark.parametrize("guide", ["mean_field", "full_rank"])
def test_a_gaussian_posterior(guide):
    design = np.column_stack([np.ones(12), X])
    precision = design.T @ design + np.eye(2) / 9
    mean, cov = np.linalg.solve(precision, design.T @ Y), np.linalg.inv(precision)
    expected = cov if guide == "full_rank" else np.diag(1 / np.diag(precision))
    own = program(line, x=X, y=Y)
    fit, posterior = fitted(own, SVI(guide=guide, steps=1000))
    b = posterior.draws["b"]
    assert b.shape == (1, 10_000, 2) and posterior.kind == "guide"
    sd = np.sqrt(np.diag(expected))
    np.testing.assert_allclose((b[0].mean(0) - mean) / sd, 0.0, atol=0.05)  # draws 0.01, iterates 0.01
    np.testing.assert_allclose(np.cov(b[0].T) / np.outer(sd, sd), expected / np.outer(sd, sd), atol=0.08)
    assert fit.losses.shape == (1000,) and fit.iterates["loc"].shape == (500, 2)
    assert set(fit.iterates) == {"loc", "log_scale"} | ({"lower"} if guide == "full_rank" else set())
    np.testing.assert_array_equal(own.sample_posterior(fit, seed=0).draws["b"], b)
    log_q = stats.multivariate_normal(b[0].mean(0), np.cov(b[0].T)).logpdf(b[0])
    np.testing.assert_allclose(posterior.sample_stats["log_q"][0].mean(), log_q.mean(), atol=0.06)


@pytest.mark.parametrize(("precision", "rounding"), [("float64", 1e-12), ("float32", 1e-5)])
def test_densities_of_the_draws_give_the_evidence(precision, rounding):
    """The mean of p(y, theta) / q(theta) over q is p(y), whatever q is; theta is positive."""
    own = program(counts, precision, k=K)
    _, posterior = fitted(own, SVI(steps=200))
    log_joint, log_q = posterior.sample_stats["log_joint"][0], posterior.sample_stats["log_q"][0]
    shape = 2 + K.sum()
    exact = special.gammaln(shape) - shape * np.log(1 + len(K)) - special.gammaln(K + 1).sum()
    ratios = np.exp(log_joint - log_q - exact)
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / 100)
    assert ratios.std() < 0.5
    rate = posterior.draws["rate"][0]
    assert own.log_density({"rate": rate[7]}).total == pytest.approx(log_joint[7], rel=rounding)
    np.testing.assert_allclose(posterior.draws["mean_log"][0], np.log(rate), atol=10 * rounding)
    assert rate.mean() == pytest.approx(shape / 5, abs=0.05 * shape**0.5 / 5)


def test_the_density_of_draws_is_the_guides_where_a_prior_is_scaled():
    """log q has the whole Jacobian, though the program counts its prior half."""
    fit, posterior = fitted(program(counts, k=K, scale=0.5), SVI(steps=50, draws=20))
    log_rate = np.log(posterior.draws["rate"][0])
    q = stats.norm(*_on_the_log_scale(fit.native))
    np.testing.assert_allclose(posterior.sample_stats["log_q"][0], q.logpdf(log_rate) - log_rate, rtol=1e-9)


def _on_the_log_scale(guided):
    scale = guided.coordinates.matrix[0, 0]
    return guided.coordinates.centre[0] + scale * guided.loc[0], scale * guided.root[0, 0]


def test_an_enumerated_site_is_summed_out():
    """Against the posterior on a grid."""
    pytest.importorskip("funsor", reason="summing out needs the extra enumeration")
    _, posterior = fitted(program(mixture, y=Y), SVI(steps=400))
    grid = np.linspace(-2, 4, 2001)
    rows = np.logaddexp(
        np.log(0.7) + stats.norm.logpdf(Y, grid[:, None]), np.log(0.3) + stats.norm.logpdf(Y, grid[:, None] + 1)
    )
    weights = special.softmax(rows.sum(1) + stats.norm.logpdf(grid, 0, 3))
    mean = weights @ grid
    sd = np.sqrt(weights @ (grid - mean) ** 2)
    m = posterior.draws["m"]
    assert list(posterior.draws) == ["m"]
    assert abs(m.mean() - mean) < 0.1 * sd
    assert m.std() == pytest.approx(sd, rel=0.1)


def deciding(x, y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 2.0))
    numpyro.sample("y", dist.Normal(mu if mu < 100.0 else -mu, 1.0).expand([12]).to_event(1), obs=y)


@pytest.mark.parametrize(
    ("function", "method", "said"),
    [
        (line, SVI(batch_size=3), "batch_size is for regressions"),
        (line, SVI(standardize=False), "standardize is for regressions"),
        (line, SVI(guide=lambda coordinates: None), "guide is mean_field or full_rank"),
        (line, MAP(), "fitted by nuts or svi, not by map"),
        (deciding, SVI(), "decides in Python code"),
    ],
)
def test_refused_with_a_sentence(function, method, said):
    with pytest.raises(UnsupportedError, match=said):
        program(function, x=X, y=Y).fit(method, seed=0)
