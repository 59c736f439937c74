"""Programs of one's own fitted by SVI in Pyro, against exact posteriors and evidences."""

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro_support import BACKEND
from scipy import special, stats

from bayescore.errors import UnsupportedError
from bayescore.methods import MAP, SVI

RNG = np.random.default_rng(3)
X = RNG.normal(1.0, 0.5, size=12)
Y = 0.5 + X + RNG.normal(size=12)


def line(x, y):
    b = pyro.sample("b", dist.Normal(torch.zeros(2), 3.0).to_event(1))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(b[0] + b[1] * x, 1.0), obs=y)


def counts(k):
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    with pyro.plate("rows", len(k)):
        pyro.sample("k", dist.Poisson(rate), obs=k)


def mixture(y):
    m = pyro.sample("m", dist.Normal(0.0, 3.0))
    with pyro.plate("rows", len(y)):
        z = pyro.sample("z", dist.Bernoulli(0.3), infer={"enumerate": "parallel"})
        pyro.sample("y", dist.Normal(m + z, 1.0), obs=y)


def fitted(function, data, method):
    program = BACKEND.program(function, data)
    fit = program.fit(method, seed=0)
    return program, fit, program.sample_posterior(fit, seed=0)


@pytest.mark.parametrize("guide", ["mean_field", "full_rank"])
def test_a_gaussian_posterior(guide):
    design = np.column_stack([np.ones(12), X])
    precision = design.T @ design + np.eye(2) / 9
    mean, cov = np.linalg.solve(precision, design.T @ Y), np.linalg.inv(precision)
    expected = cov if guide == "full_rank" else np.diag(1 / np.diag(precision))
    _, fit, posterior = fitted(line, {"x": X, "y": Y}, SVI(guide=guide, steps=600))
    b = posterior.draws["b"]
    assert b.shape == (1, 10_000, 2) and posterior.kind == "guide"
    sd = np.sqrt(np.diag(expected))
    np.testing.assert_allclose((b[0].mean(0) - mean) / sd, 0.0, atol=0.1)
    np.testing.assert_allclose(np.cov(b[0].T) / np.outer(sd, sd), expected / np.outer(sd, sd), atol=0.1)
    assert fit.losses.shape == (600,) and fit.iterates["loc"].shape == (300, 2)
    assert fit.notes == ("its density is traced",)


def test_densities_of_the_draws_give_the_evidence():
    """The mean of p(y, theta) / q(theta) over q is p(y), whatever q is; theta is positive."""
    k = np.array([2, 5, 3, 4])
    program, _, posterior = fitted(counts, {"k": k}, SVI(steps=200))
    log_joint, log_q = posterior.sample_stats["log_joint"][0], posterior.sample_stats["log_q"][0]
    shape = 2 + k.sum()
    exact = special.gammaln(shape) - shape * np.log(1 + len(k)) - special.gammaln(k + 1).sum()
    ratios = np.exp(log_joint - log_q - exact)
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / 100)
    assert ratios.std() < 0.5
    assert program.log_density({"rate": posterior.draws["rate"][0, 7]}).total == pytest.approx(log_joint[7], rel=1e-12)


def test_an_enumerated_site_is_summed_out():
    """Against the posterior on a grid."""
    _, fit, posterior = fitted(mixture, {"y": Y}, SVI(steps=400))
    grid = np.linspace(-2, 4, 2001)
    rows = np.logaddexp(
        np.log(0.7) + stats.norm.logpdf(Y, grid[:, None]), np.log(0.3) + stats.norm.logpdf(Y, grid[:, None] + 1)
    )
    weights = special.softmax(rows.sum(1) + stats.norm.logpdf(grid, 0, 3))
    mean = weights @ grid
    sd = np.sqrt(weights @ (grid - mean) ** 2)
    m = posterior.draws["m"]
    assert abs(m.mean() - mean) < 0.1 * sd
    assert m.std() == pytest.approx(sd, rel=0.1)
    assert fit.notes == ("its density is traced",)


def test_what_is_not_traced_is_fitted_plainly():
    def branching(y):
        mu = pyro.sample("mu", dist.Normal(0.0, 2.0))
        pyro.sample("y", dist.Normal(mu if mu < 100.0 else -mu, 1.0).expand([12]).to_event(1), obs=y)

    program, fit, posterior = fitted(branching, {"y": Y}, SVI(steps=30, particles=4, draws=50))
    assert fit.notes == ("its density is not traced: what it runs depends on values",)
    mu = posterior.draws["mu"][0, 3]
    assert program.log_density({"mu": mu}).total == pytest.approx(posterior.sample_stats["log_joint"][0, 3], rel=1e-12)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (SVI(batch_size=3), "batch_size is for regressions"),
        (SVI(standardize=False), "standardize is for regressions"),
        (SVI(guide=lambda coordinates: None), "guide is mean_field or full_rank"),
        (MAP(), "fitted by nuts or svi, not by map"),
    ],
)
def test_refused_with_a_sentence(method, said):
    with pytest.raises(UnsupportedError, match=said):
        BACKEND.program(line, {"x": X, "y": Y}).fit(method, seed=0)
