"""Chains in mirrored or permuted copies of one mode are told for what they are, and others are not."""

from dataclasses import dataclass

import numpy as np
import pytest

from bayescore.agreement.conclusion import Finished, conclude
from bayescore.density.target import Target
from bayescore.methods import NUTS
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import REAL
from bayescore.model.variables import Bounded

MODE = np.array([3.0, -1.0, 0.5])


@dataclass(frozen=True, eq=False)
class Weights(Target):
    """Three of them, of which nothing is known."""

    @property
    def sites(self):
        return (Bounded("w", (3,), ("0", "1", "2"), (REAL,) * 3), Bounded("mu", (), (), (REAL,)))


def fit(name, modes, seed):
    rng = np.random.default_rng(seed)
    w = np.stack([mode + 0.1 * rng.normal(size=(1000, 3)) for mode in modes])
    return Finished(name, NUTS(), Posterior({"w": w, "mu": rng.normal(size=(len(modes), 1000))}))


def reasons(a, b):
    found = conclude(Weights(), [fit("a", a, 1), fit("b", b, 2)])
    return found.decision.verdict, [reason.text for reason in found.decision.reasons if reason.code == "not-identified"]


SAME = [MODE] * 4


@pytest.mark.parametrize("a, b", [([MODE, -MODE] * 2, SAME), (SAME, [-MODE, -MODE, MODE, MODE])])
def test_mirrored_chains(a, b):
    verdict, told = reasons(a, b)
    assert verdict == "inconclusive"
    assert len(told) == 1 and "have w with both signs" in told[0]


def test_permuted_chains():
    verdict, told = reasons([MODE, MODE[[1, 0, 2]], MODE[[2, 1, 0]], MODE], SAME)
    assert verdict == "inconclusive"
    assert len(told) == 1 and "the elements of w in other orders" in told[0]


def test_fits_that_each_found_another_copy_still_disagree_and_say_so():
    verdict, told = reasons(SAME, [-MODE] * 4)
    assert verdict == "disagree"
    assert len(told) == 1 and "both signs" in told[0]


@pytest.mark.parametrize("b", [[MODE + 1.0] * 4, [MODE * 2.0] * 4, [MODE, MODE + 1.0] * 2])
def test_what_is_another_posterior_is_no_copy(b):
    verdict, told = reasons(SAME, b)
    assert verdict != "agree" and told == []


def test_the_same_posterior_has_no_copies():
    assert reasons(SAME, SAME) == ("agree", [])
