"""Shapes are reported: what moments miss is seen, and identical posteriors are not accused."""

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.health import Health
from bayescore.agreement.shape import compare_shapes
from bayescore.density.target import Scalars
from bayescore.methods import NUTS
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import REAL

NAMES = Scalars(("a", "b"), (REAL, REAL))


def candidate(draws: np.ndarray) -> Candidate:
    posterior = Posterior({"a": draws[..., 0], "b": draws[..., 1]})
    return Candidate("c", NAMES, NUTS(), posterior, Health({}, (), {}))


def normal(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((4, 500, 2))


def skewed(seed: int) -> np.ndarray:
    """Mean 0 and sd 1 like the normal, and nothing else like it."""
    return np.random.default_rng(seed).exponential(size=(4, 500, 2)) - 1.0


def test_identical_posteriors_are_seldom_accused() -> None:
    """30 pairs at 5 %: more than 6 have a probability of 0.3 %."""
    found = [compare_shapes(candidate(normal(2 * s)), candidate(normal(2 * s + 1))) for s in range(30)]
    assert sum(shape.energy_p < 0.05 for shape in found) <= 6


def test_a_skewed_posterior_with_the_same_moments_is_seen() -> None:
    found = compare_shapes(candidate(normal(0)), candidate(skewed(1)))
    assert found.energy_p <= 0.005
    assert found.quantile_difference_sd > 0.5


def test_it_does_not_depend_on_units() -> None:
    a, b = normal(0), skewed(1)
    units = np.array([1e6, 1e-6])
    first = compare_shapes(candidate(a), candidate(b))
    second = compare_shapes(candidate(a * units), candidate(b * units))
    assert np.isclose(first.energy_distance, second.energy_distance, rtol=1e-6)


def test_draws_that_stand_still_have_no_shape() -> None:
    assert compare_shapes(candidate(normal(0)), candidate(np.ones((4, 500, 2)))) is None
