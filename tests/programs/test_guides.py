"""Gaussian guides of programs are judged by their moments, with the errors of draws and of averaged iterates."""

from itertools import pairwise

import numpy as np
import pytest
from conftest import USABLE

import bayescore as bc
from bayescore.backend import BackendInfo
from bayescore.density.guide import mean_error
from bayescore.errors import RequestError
from bayescore.methods import NUTS, SVI
from bayescore.model.posterior import Posterior
from bayescore.porting import contenders_of, state
from bayescore.program import ProgramSite, iterate_of, looks
from bayescore.programs.guides import moments_of
from bayescore.programs.source import InPython
from bayescore.programs.work import own_guide, refusal
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
    last = moments_of(posterior, sites, {"loc": steps, "log_scale": steps}, average=False)
    np.testing.assert_allclose(last.unconstrained_mean_error / np.sqrt(np.diag(last.unconstrained_cov)), 0.05, rtol=0.1)


@pytest.mark.parametrize("again", [0.0, 0.5, 0.8])
def test_the_error_of_an_average_by_some_of_its_iterates_is_never_too_small(again):
    """Iterates of 1000 steps, each an autoregression on the one before: 500 such series at a time.

    Where iterates forget more slowly, batch means are too small for all of them, and for some no smaller.
    """
    rng = np.random.default_rng(0)
    series = rng.normal(size=(1000, 500))
    for before, now in pairwise(series):
        now[:] = again * before + np.sqrt(1 - again**2) * now
    at = sorted(step - 1000 for step in looks(2000))
    assert len(at) == 200 and at[0] == 0 and at[-1] == 999
    stated = np.sqrt(np.mean(mean_error(series[at]) ** 2, axis=0))
    assert stated > 0.95 * series.mean(axis=0).std()  # 500 means tell their sd to 0.03
    assert stated > 0.95 * np.sqrt(np.mean(mean_error(series) ** 2, axis=0))


def test_looks_are_of_the_averaged_half():
    assert looks(1) == {0} and looks(2) == {1} and looks(3) == {1, 2}
    assert looks(401) == set(range(200, 401)) - {300}
    assert min(looks(4000)) == 2000 and max(looks(4000)) == 3999


def test_an_iterate_is_of_draws_and_a_point_has_a_scale_of_one():
    draws = np.array([[1.0, 5.0, np.inf], [3.0, 5.0, 0.0]])
    found = iterate_of(draws)
    np.testing.assert_array_equal(found["loc"], [2.0, 5.0, np.inf])
    np.testing.assert_array_equal(found["log_scale"], [0.0, 0.0, np.nan])


def test_who_does_not_take_guides_is_refused_for_a_program_that_has_one():
    """Otherwise the guide would be passed over in silence."""
    info = BackendInfo("mine", lambda precision: None, {"feature:programs", "program:svi", "precision:float64"})
    assert refusal(info, SVI(), "float64") is None
    assert "own_guide" in refusal(info, SVI(guide=own_guide), "float64")


class Shy:
    """As Pyro's automatic guides do, it takes its model away from itself when it is pickled."""

    def __init__(self, model):
        self.model = model

    def __call__(self):
        return self.model()

    def __getstate__(self):
        self.model = None
        return self.__dict__


def test_what_loses_parts_on_its_way_to_a_process_is_refused_and_left_as_it_was():
    guide = Shy(print)
    for given in (guide, lambda x: guide()):
        with pytest.raises(RequestError, match="Shy can't be handed to a process: it loses parts"):
            InPython.of(print, given)
        assert guide.model is print
    function, found = InPython.of(print, Shy).load()
    assert function is print and found.__name__ == "Shy"


def test_a_programs_own_guide_is_no_gaussian_one_to_the_rule():
    source = InPython.of(print, print)
    subject = state({"pyro": [(print, print), print]}, {"x": 1}, {}, (), (), 0)
    assert [c.method for c in contenders_of(subject, Settings(method="svi"))] == [SVI(guide=own_guide), SVI()]
    assert [c.method for c in contenders_of(subject, Settings())] == [NUTS(), NUTS()]
    assert source.guided and not InPython.of(print).guided
    assert str(SVI(guide=own_guide)) == "svi(guide=own_guide)"
