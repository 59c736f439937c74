"""The sampler's own leapfrog step against Pyro's, to the last bit."""

import numpy as np
import pytest
import torch

from bayescore.errors import FitError
from bayescore.methods import NUTS

# isort: split
from bayescore_pyro import chain
from bayescore_pyro.isolation import isolated


class Pyros(chain.Kernel):
    """With Pyro's own step throughout."""

    def _leaf(self, *state):
        raise RuntimeError


def funnel(z):
    """Neal's funnel of two, which makes steps diverge; NaN beyond 4."""
    v, x = z
    squares = x * x * torch.exp(-v)
    gradient = torch.stack([v / 9 + 0.5 - 0.5 * squares, x * torch.exp(-v)])
    return v * v / 18 + 0.5 * v + 0.5 * squares + 0 * (4 - v).log(), gradient


def run(program, precision="float64", **settings):
    with isolated(precision, 0):
        return chain.sample(program, 2, NUTS(**settings), 6, lambda done: None)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("dense", [False, True])
def test_a_step_is_pyros_own(precision, dense, monkeypatch):
    settings = {"warmup": 30, "draws": 40, "dense_mass": dense, "target_accept": 0.5, "max_tree_depth": 5}
    ours = run(funnel, precision, **settings)
    monkeypatch.setattr(chain, "Kernel", Pyros)
    theirs = run(funnel, precision, **settings)
    assert np.array_equal(ours.z, theirs.z)
    assert all(np.array_equal(values, theirs.stats[name]) for name, values in ours.stats.items())
    assert 0 < ours.stats["diverging"].sum() < 40


def test_a_singular_matrix_is_a_divergence():
    def singular(z):
        if z[0] > 1:
            raise torch.linalg.LinAlgError("the matrix is singular")
        return 0.5 * z @ z, z.clone()

    found = run(singular, warmup=20, draws=60)
    assert (found.z[:, 0] <= 1).all()
    assert 0 < found.stats["diverging"].sum() < 60


def test_another_error_is_no_divergence():
    def broken(z):
        raise RuntimeError("out of memory")

    with pytest.raises(FitError, match=r"no start among 100 draws.*out of memory"):
        run(broken, warmup=2, draws=2)
