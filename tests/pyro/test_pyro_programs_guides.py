"""Guides of one's own for programs in Pyro, against an exact Gaussian posterior."""

from dataclasses import replace

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from bayescore_pyro.programs.iterates import Iterates
from known_line import COV, DATA, EVIDENCE, MEAN, PRECISION, Y
from pyro.infer.autoguide import AutoDelta, AutoMultivariateNormal, AutoNormal
from pyro_support import BACKEND
from scipy import special
from torch.distributions import constraints

from bayescore.agreement.health import examine
from bayescore.errors import RequestError, UnsupportedError
from bayescore.methods import NUTS, SVI
from bayescore.porting import compare_programs
from bayescore.programs.guides import moments_of

METHOD = SVI(steps=300, particles=2, rate=0.03, draws=600)


def line(x, y):
    b = pyro.sample("b", dist.Normal(torch.zeros(2), 3.0).to_event(1))
    pyro.deterministic("sum", b.sum())
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(b[0] + b[1] * x, 1.0), obs=y)


def right(x, y):
    loc = pyro.param("loc", torch.zeros(2))
    root = pyro.param("root", 0.3 * torch.eye(2), constraint=constraints.lower_cholesky)
    pyro.sample("b", dist.MultivariateNormal(loc, scale_tril=root))


def narrow(x, y):
    loc = pyro.param("loc", torch.zeros(2))
    pyro.sample("b", dist.MultivariateNormal(loc, covariance_matrix=torch.as_tensor(COV / 4)))


def auxiliary(x, y):
    scale = pyro.sample("u", dist.LogNormal(0.0, 0.1), infer={"is_auxiliary": True})
    pyro.sample("b", dist.Normal(pyro.param("loc", torch.zeros(2)), 0.3 * scale).to_event(1))


def fitted(guide, method=METHOD, model=line, data=DATA):
    fit = BACKEND.program(model, data, guide=guide).fit(method, seed=0)
    return fit, BACKEND.program(model, data, guide=guide).sample_posterior(fit, seed=1)


@pytest.mark.parametrize(
    ("guide", "cov"),
    [
        (right, COV),
        (narrow, COV / 4),
        (AutoMultivariateNormal, COV),
        (AutoNormal(line), np.diag(1 / np.diag(PRECISION))),
    ],
    ids=["own", "narrow", "class", "instance"],
)
def test_a_gaussian_posterior(guide, cov):
    fit, posterior = fitted(guide)
    b, stats = posterior.draws["b"][0], posterior.sample_stats
    sd = np.sqrt(np.diag(cov))
    np.testing.assert_allclose((b.mean(0) - MEAN) / sd, 0.0, atol=0.2)
    np.testing.assert_allclose(np.cov(b.T) / np.outer(sd, sd), cov / np.outer(sd, sd), atol=0.15)
    np.testing.assert_allclose(posterior.draws["sum"][0], b.sum(1), rtol=1e-12)
    assert posterior.kind == "guide" and fit.losses.shape == (300,)
    assert {name: values.shape for name, values in fit.iterates.items()} == {"loc": (150, 2), "log_scale": (150, 2)}
    assert "its own guide is fitted" in fit.notes[0]
    log_joint = BACKEND.program(line, DATA).log_density({"b": b[7]}).total
    assert stats["log_joint"][0, 7] == pytest.approx(log_joint, rel=1e-12)
    if guide is right:  # log p(y) = log p(y, b) - log q(b) wherever q is the posterior
        np.testing.assert_allclose((stats["log_joint"] - stats["log_q"]).mean(), EVIDENCE, atol=0.02)


def test_a_look_has_the_same_random_numbers_as_the_others():
    """So that a scale that is fixed is the same at each: runs of 1000 numbers of their own would move it by 0.02."""
    fit, _ = fitted(narrow)
    assert np.ptp(fit.iterates["log_scale"], axis=0).max() < 1e-9
    assert np.ptp(fit.iterates["loc"], axis=0).min() > 0.01


@pytest.mark.parametrize(("steps", "said"), [(60, "R-hat of the guide's locations"), (300, "the Monte Carlo error of")])
def test_a_guide_that_has_not_converged_is_not_healthy(steps, said):
    method = SVI(steps=steps, particles=2, rate=0.01 if steps < 100 else 0.1, draws=2000)
    fit, posterior = fitted(right, method)
    moments = moments_of(posterior, BACKEND.program(line, DATA).sites(), fit.iterates)
    found = examine(method, replace(posterior, moments=moments), fit.iterates)
    assert any(said in ailment.text for ailment in found.ailments), found


def test_looks_leave_the_generators_to_the_optimizer(monkeypatch):
    first, _ = fitted(right)
    monkeypatch.setattr(Iterates, "_numbers", lambda self: torch.randn(3, 2))
    again, _ = fitted(right)
    np.testing.assert_array_equal(again.losses, first.losses)


def rates(y):
    rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
    part = pyro.sample("part", dist.Uniform(0.0, rate))
    pyro.sample("y", dist.Exponential(rate + part).expand([5]).to_event(1), obs=y)


def shares(y, rate=4.0):
    """Known rates: the second site's support is that of the program, at the first."""
    first = pyro.sample("rate", dist.Gamma(pyro.param("shape", torch.tensor(4.0)).detach(), rate))
    share = pyro.sample("share", dist.Uniform(0.0, 1.0), infer={"is_auxiliary": True})
    pyro.sample("part", dist.Delta(first * share))


def deciding(y):
    """The same; what is Python's to decide runs one after another."""
    shares(y, 4.0 if float(torch.rand(())) < 2.0 else 1.0)


@pytest.mark.parametrize(("guide", "count"), [(shares, 1000), (deciding, 40)])
def test_iterates_are_of_numbers_without_constraints(guide, count):
    """Mean and sd of the logarithm of a Gamma, and of the logit of a uniform number, are known."""
    fit, _ = fitted(guide, SVI(steps=3, particles=1, draws=5), rates, {"y": np.ones(5)})
    loc, scale = fit.iterates["loc"][-1], np.exp(fit.iterates["log_scale"][-1])
    sd = np.sqrt([special.polygamma(1, 4.0), np.pi**2 / 3])
    np.testing.assert_allclose((loc - [special.digamma(4.0) - np.log(4.0), 0.0]) / sd, 0.0, atol=4 / np.sqrt(count))
    np.testing.assert_allclose(np.log(scale / sd), 0.0, atol=4 / np.sqrt(count))


def test_a_positive_site_of_an_automatic_guide_has_its_jacobian():
    """The mean of p(y, theta) / q(theta) over q is p(y) = 2 (1 + n)^-2-sum for counts of a Gamma(2, 1) rate."""

    def exponentials(y):
        rate = pyro.sample("rate", dist.Gamma(2.0, 1.0))
        pyro.sample("y", dist.Exponential(rate).expand([5]).to_event(1), obs=y)

    y = np.array([0.2, 0.5, 1.0, 0.1, 0.7])
    _, posterior = fitted(AutoNormal, model=exponentials, data={"y": y})
    ratios = np.exp(posterior.sample_stats["log_joint"] - posterior.sample_stats["log_q"])
    exact = np.exp(np.sum(np.log(np.arange(1, 7)))) / (1 + y.sum()) ** 7
    assert ratios.mean() == pytest.approx(exact, abs=4 * ratios.std() / np.sqrt(600))
    assert ratios.std() < 0.5 * exact


def test_an_enumerated_site_is_summed_out():
    def mixture(y):
        m = pyro.sample("m", dist.Normal(0.0, 3.0))
        with pyro.plate("rows", len(y)):
            z = pyro.sample("z", dist.Bernoulli(0.3), infer={"enumerate": "parallel"})
            pyro.sample("y", dist.Normal(m + z, 1.0), obs=y)

    _, posterior = fitted(AutoNormal, SVI(steps=150, particles=2, rate=0.03, draws=200), mixture, {"y": Y})
    grid = np.linspace(-2, 3, 2001)
    normal = np.exp(-0.5 * (Y - grid[:, None]) ** 2)
    prior = np.exp(-(grid**2) / 18)
    weights = prior * np.prod(0.7 * normal + 0.3 * np.exp(-0.5 * (Y - grid[:, None] - 1) ** 2), axis=1)
    weights /= weights.sum()
    mean = weights @ grid
    sd = np.sqrt(weights @ (grid - mean) ** 2)
    assert abs(posterior.draws["m"].mean() - mean) < 0.4 * sd
    assert posterior.draws["m"].std() == pytest.approx(sd, rel=0.3)


def test_the_same_seed_gives_the_same_and_leaves_nothing_behind():
    guide, method = AutoNormal(line), SVI(steps=10, particles=1, draws=20)
    pyro.get_param_store().clear()
    first, second = fitted(guide, method), fitted(guide, method)
    np.testing.assert_array_equal(first[0].losses, second[0].losses)
    np.testing.assert_array_equal(first[1].draws["b"], second[1].draws["b"])
    assert not list(pyro.get_param_store().keys())


def test_no_density_where_auxiliary_sites_are_not_integrated_out():
    _, posterior = fitted(auxiliary, SVI(steps=5, particles=1, draws=20))
    assert "log_q" not in posterior.sample_stats and "log_joint" in posterior.sample_stats


def test_nuts_says_that_it_uses_none():
    fit = BACKEND.program(line, DATA, guide=right).fit(NUTS(chains=1, warmup=20, draws=20), seed=0)
    assert fit.notes[-1] == "its guide is not used: NUTS needs none"


@pytest.mark.parametrize(
    ("guide", "said"),
    [
        (lambda x, y: None, "does not sample the program's site 'b'"),
        (lambda x, y: pyro.sample("b", dist.Normal(0.0, 1.0)), r"'b' has the shape \(\), the program's \(2,\)"),
        (lambda x, y: (right(x, y), pyro.sample("c", dist.Normal(0.0, 1.0))), "samples 'c', which is no latent site"),
        (AutoDelta, "the guide is a point"),
    ],
)
def test_refused_with_a_sentence(guide, said):
    with pytest.raises(UnsupportedError, match=said):
        BACKEND.program(line, DATA, guide=guide).fit(METHOD, seed=0)


def test_an_automatic_guide_by_value_is_refused_and_keeps_its_model():
    """It loses the model when it is pickled, in the copy and in itself."""
    guide = AutoNormal(line)
    model = guide.model
    with pytest.raises(RequestError, match="AutoNormal can't be handed to a process: it loses parts of itself"):
        compare_programs(pyro=[line, (line, guide)], data=DATA)
    assert guide.model is model
