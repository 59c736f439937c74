"""A positive parameter that one side gives on another scale is told as what it is."""

import numpy as np
import pytest

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.health import Health
from bayescore.agreement.other_scales import on_another_scale
from bayescore.agreement.pairs import judge_pair
from bayescore.density.target import Scalars
from bayescore.methods import NUTS
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import POSITIVE, REAL

GIVEN = Scalars(("beta", "sigma"), (REAL, POSITIVE))
SCALES = {
    "logarithm": np.log,
    "square": np.square,
    "square root": np.sqrt,
    "inverse": lambda x: 1 / x,
    "inverse square": lambda x: 1 / x**2,
    "inverse square root": lambda x: 1 / np.sqrt(x),
    "exponential": np.exp,
}


def candidate(name, seed, change=lambda x: x):
    rng = np.random.default_rng(seed)
    draws = {"beta": rng.normal(size=(4, 2500)), "sigma": change(np.exp(rng.normal(1.5, 0.1, (4, 2500))))}
    return Candidate(name, GIVEN, NUTS(), Posterior(draws), Health({}, (), {}))


@pytest.mark.parametrize("scale", SCALES)
def test_the_scale_is_named_in_the_reason(scale):
    pair = judge_pair(candidate("a", 0), candidate("b", 1, SCALES[scale]), scale=None, cov=None, margin=0.1, alpha=0.01)
    assert pair.verdict == "disagree"
    assert pair.reasons[0].text.endswith(f"likeliest mistake: sigma of b is the {scale} of that of a")


@pytest.mark.parametrize("change", [lambda x: x, lambda x: 1.02 * x, lambda x: 3 * x, lambda x: x + 5])
def test_nothing_is_named_where_the_scale_is_no_mistake(change):
    assert on_another_scale(candidate("a", 0), candidate("b", 1, change)) is None
