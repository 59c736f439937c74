"""Pyro's own MCMC objects in assertions about draws."""

import numpy as np
import pytest

from bayescore.errors import DataError
from bayescore.testing import assert_posteriors_agree

torch = pytest.importorskip("torch")
infer = pytest.importorskip("pyro.infer", reason="its own objects are what is tested")


COV = np.array([[1.0, 0.6], [0.6, 1.0]])


def gaussian(z):
    return 0.5 * z["w"] @ torch.tensor(np.linalg.inv(COV)) @ z["w"]


def funnel(z):
    return 0.5 * (z["w"][0] / 3.0) ** 2 + 0.5 * (z["w"][1] * torch.exp(-z["w"][0])) ** 2 + z["w"][0]


@pytest.fixture
def mcmc(monkeypatch):
    """Makes a sampler of four chains, one after another whatever the number of cores."""
    monkeypatch.setattr("pyro.infer.mcmc.api.mp.cpu_count", lambda: 1)

    def make(potential, draws: int):
        start = {"w": torch.zeros((4, 2), dtype=torch.float64)}
        kernel = infer.NUTS(potential_fn=potential)
        with pytest.warns(UserWarning, match="Chains will be drawn sequentially"):
            return infer.MCMC(kernel, draws, warmup_steps=100, num_chains=4, initial_params=start, disable_progbar=True)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield make


def truth(shift: float = 0.0):
    return {"beta": np.random.default_rng(1).multivariate_normal([shift, 0.0], COV, (4, 2500))}


def test_a_sampler_is_held_against_the_truth(mcmc) -> None:
    sampler = mcmc(gaussian, 500)
    sampler.run()
    how = {"names": ("pyro", "truth"), "rename": {"w": "beta"}, "margin": 0.2}
    assert_posteriors_agree(sampler, truth(), **how)
    with pytest.raises(AssertionError, match="disagree: different-posterior") as failure:
        assert_posteriors_agree(sampler, truth(0.6), **how)
    assert "pyro less truth, in posterior sds:" in str(failure.value)


def test_divergences_are_counted(mcmc) -> None:
    sampler = mcmc(funnel, 50)
    sampler.run()
    count = sum(map(len, sampler.diagnostics()["divergences"].values()))
    assert count > 1
    with pytest.raises(AssertionError, match=f"inconclusive: unconverged: .*pyro: {count} divergent transitions"):
        assert_posteriors_agree(sampler, {"w": truth()["beta"]}, names=("pyro", "truth"))


def test_a_sampler_that_was_not_run_is_refused(mcmc) -> None:
    with pytest.raises(DataError, match=r"^pyro: the MCMC has no draws; was it run\?$"):
        assert_posteriors_agree(mcmc(gaussian, 10), truth(), names=("pyro", "truth"))
