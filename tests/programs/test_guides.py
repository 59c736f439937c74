"""Gaussian guides of programs are judged by their moments, with the errors of draws and of averaged iterates."""

import numpy as np
import pytest
from conftest import USABLE

import bayescore as bc
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramSite
from bayescore.programs.guides import moments_of
from bayescore.settings import Settings

PYRO = """
import pyro
import pyro.distributions as dist

def model(y):
    mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
    sigma = pyro.sample("sigma", dist.HalfNormal(2.0))
    with pyro.plate("rows", len(y)):
        pyro.sample("obs", dist.Normal(mu, sigma), obs=y)
"""
NUMPYRO = PYRO.replace("pyro", "numpyro")


@pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
def test_guides_of_both_libraries_agree(tmp_path):
    for name, text in (("pyro", PYRO), ("numpyro", NUMPYRO)):
        (tmp_path / f"{name}_program.py").write_text(text)
    y = np.random.default_rng(0).normal(1.0, 2.0, 200)
    files = {name: f"{tmp_path / f'{name}_program.py'}:model" for name in ("pyro", "numpyro")}
    found = bc.compare_programs(**files, data={"y": y}, settings=Settings(method="svi"))
    assert found.verdict == "agree", str(found)
    rows = {(row["contender"], row["name"]): row for row in found.document["parameters"]}
    assert rows["pyro", "mu"]["mean"] == pytest.approx(np.mean(y), abs=0.02)  # the prior moves it by 0.001


def test_moments_are_those_of_the_draws_and_errors_hold_both_parts():
    rng = np.random.default_rng(0)
    log_tau = rng.normal(1.0, 0.3, (1, 10_000))
    theta = rng.normal([0.0, 2.0], [1.0, 3.0], (1, 10_000, 2))
    posterior = Posterior({"tau": np.exp(log_tau), "theta": theta}, kind="guide")
    sites = (
        ProgramSite("tau", "latent", np.array(1.0), "LogNormal", support="positive", ends=(0.0, np.inf)),
        ProgramSite("theta", "latent", np.zeros(2), "Normal"),
    )
    steps = rng.normal(0.0, 0.05, (2000, 3))  # of averages over 2000 independent steps 0.001 remains
    found = moments_of(posterior, sites, {"loc": steps, "log_scale": steps})
    assert found.names == ("tau", "theta[0]", "theta[1]")
    np.testing.assert_allclose(found.unconstrained_mean, [1.0, 0.0, 2.0], atol=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(found.unconstrained_cov)), [0.3, 1.0, 3.0], rtol=0.03)
    np.testing.assert_allclose(found.unconstrained_mean_error, np.array([0.3, 1.0, 3.0]) * 0.01, rtol=0.1)
    np.testing.assert_allclose(found.unconstrained_sd_error, np.array([0.3, 1.0, 3.0]) * 0.5**0.5 * 0.01, rtol=0.1)
    far = moments_of(posterior, sites, {"loc": np.cumsum(steps, axis=0), "log_scale": steps})
    assert np.all(far.unconstrained_mean_error > 5 * found.unconstrained_mean_error)  # iterates that still wander
