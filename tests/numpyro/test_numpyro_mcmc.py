"""NumPyro's own MCMC objects in assertions about draws."""

from copy import copy

import numpy as np
import pytest

from bayescore.errors import DataError
from bayescore.testing import assert_posteriors_agree

numpyro = pytest.importorskip("numpyro", reason="its own objects are what is tested")

import numpyro.distributions as dist  # noqa: E402
from jax import random  # noqa: E402

Y = np.array([1.2, 0.4, 0.9, 1.7, 0.1])
SD = (1.0 + len(Y)) ** -0.5
MEAN = Y.sum() * SD**2


def model() -> None:
    """A mean whose posterior is Gaussian, a simplex, the root of a correlation matrix, what follows from them."""
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    numpyro.sample("y", dist.Normal(mu, 1.0).expand([len(Y)]).to_event(1), obs=Y)
    numpyro.deterministic("twice", 2.0 * mu)
    numpyro.sample("p", dist.Dirichlet(np.array([3.0, 4.0, 5.0])))
    root = numpyro.sample("root", dist.LKJCholesky(3, 4.0))
    numpyro.deterministic("correlation", root @ root.T)


def funnel() -> None:
    scale = numpyro.sample("scale", dist.Normal(0.0, 3.0))
    numpyro.sample("mu", dist.Normal(0.0, np.e**scale))


def mcmc(program, draws: int = 1500):
    return numpyro.infer.MCMC(
        numpyro.infer.NUTS(program),
        num_warmup=300,
        num_samples=draws,
        num_chains=4,
        chain_method="vectorized",
        progress_bar=False,
    )


@pytest.fixture(scope="module")
def runs():
    """Two, compiled once."""
    sampler = mcmc(model)
    found = []
    for seed in (0, 1):
        sampler.run(random.key(seed), extra_fields=("energy",))
        found.append(copy(sampler))
    return found


def truth(seed: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    """Independent draws of the posterior, by NumPy."""
    rng = np.random.default_rng(seed)
    mu = rng.normal(MEAN + shift * SD, SD, (4, 2500))
    return {"mu": mu, "twice": 2.0 * mu, "p": rng.dirichlet([3.0, 4.0, 5.0], (4, 2500))}


def test_a_sampler_is_held_against_the_truth(runs) -> None:
    how = {"names": ("numpyro", "truth"), "var_names": ["mu", "twice", "p"]}
    assert_posteriors_agree(runs[0], truth(1), **how)
    with pytest.raises(AssertionError, match="disagree: different-posterior") as failure:
        assert_posteriors_agree(runs[0], truth(1, 0.5), **how)
    assert "numpyro less truth, in posterior sds:" in str(failure.value)
    assert str(failure.value).endswith("follow from the others: twice, p[2]")


def test_a_sampler_agrees_with_itself_at_another_seed(runs) -> None:
    """Correlation matrices and their roots among the draws, in float32; by a wider margin, as it is short."""
    assert_posteriors_agree(*runs, names=("first", "second"), margin=0.2)


def test_divergences_are_counted() -> None:
    sampler = mcmc(funnel, 200)
    sampler.run(random.key(0))
    count = int(np.sum(sampler.get_extra_fields()["diverging"]))
    assert count > 1
    with pytest.raises(AssertionError, match=f"inconclusive: unconverged: .*funnel: {count} divergent transitions"):
        assert_posteriors_agree(sampler, truth(1), names=("funnel", "truth"), var_names=["mu"])


def test_a_sampler_that_was_not_run_is_refused() -> None:
    with pytest.raises(DataError, match=r"^numpyro: the MCMC has no draws; was it run\? \(AssertionError: "):
        assert_posteriors_agree(mcmc(model), truth(1), names=("numpyro", "truth"))
