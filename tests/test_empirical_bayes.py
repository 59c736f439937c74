"""Where a hierarchical posterior's mass lies, against known sds and a reference posterior."""

import numpy as np
import pytest

from bayescore.density.coordinates import for_method
from bayescore.methods import NUTS
from bayescore.model.data import Data, Membership
from bayescore.model.groups import Grouping
from bayescore.tables.files import read_table
from bayescore.tables.problem import Problem, from_data, from_table

LEVELS, ROWS = 60, 20


def simulated(correlation: float) -> tuple[Problem, np.ndarray]:
    """Two effects with sds 0.8 and 0.4; their covariance over the levels as drawn."""
    rng = np.random.default_rng(3)
    cov = np.array([[0.64, 0.32 * correlation], [0.32 * correlation, 0.16]])
    effects = rng.multivariate_normal([0.0, 0.0], cov, LEVELS)
    level = np.repeat(np.arange(LEVELS), ROWS)
    x = rng.normal(size=level.size)
    y = 1.0 + 0.5 * x + effects[level, 0] + effects[level, 1] * x + rng.normal(0.0, 0.5, level.size)
    members = {"1|g": Membership(level, np.ones(level.size)), "x|g": Membership(level, x)}
    grouping = Grouping("g", ("1", "x"), tuple(map(str, range(LEVELS))))
    return from_data(Data(x[:, None], y, ("x",), groups=members), groupings=(grouping,)), effects


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_sds_and_correlation_are_those_of_the_effects(correlation: float) -> None:
    """20 rows a level leave little to shrink: within three sds of a sample sd, 1 / sqrt(2 levels)."""
    stated, effects = simulated(correlation)
    place = for_method(stated.regression, stated.data, NUTS())
    at = place.constrained(np.zeros(place.size))
    found = np.log([at["sd(1|g)"], at["sd(x|g)"]])
    assert np.max(np.abs(found - np.log(effects.std(axis=0)))) < 3.0 / np.sqrt(2 * LEVELS)
    assert abs(np.arctanh(at["cor(1,x|g)"]) - np.arctanh(np.corrcoef(effects.T)[0, 1])) < 3.0 / np.sqrt(LEVELS)
    assert np.corrcoef(at["offset(1|g)"], effects[:, 0])[0, 1] > 0.97


def test_centred_offsets_stand_as_they_are() -> None:
    stated, _ = simulated(0.0)
    place = for_method(stated.regression, stated.data, NUTS(centred=True))
    slot = next(slot for slot in place.slots if slot.site == "offset(1|g)")
    u = place.unconstrained(np.zeros(place.size))
    assert np.array_equal(place.constrained(np.zeros(place.size))["offset(1|g)"], u[slot.start : slot.stop])


def test_a_level_is_as_centred_as_its_data_are_many() -> None:
    """Of level l with n rows the share is n / (n + sigma^2 / sd^2), where all else is known."""
    counts = np.array([1, 2, 5, 20, 100, 500])
    level = np.repeat(np.arange(counts.size), counts)
    effects = np.array([0.5, -0.4, 0.6, -0.7, 0.2, -0.2])
    y = effects[level] + np.random.default_rng(0).normal(0.0, 1.0, level.size)
    rows = Data(np.empty((level.size, 0)), y, (), groups={"1|g": Membership(level, np.ones(level.size))})
    stated = from_data(
        rows,
        family="Gaussian(sigma=1.0)",
        intercept=False,
        groupings=(Grouping("g", ("1",), tuple("abcdef")),),
        priors={"sd(1|g)": "Uniform(0.499, 0.501)"},
    )
    shares = for_method(stated.regression, stated.data, NUTS()).shares["centring(1|g)"]
    of_data = counts / (counts + 4.0)  # at the likeliest sd
    lower = np.exp(-1.0 / np.sqrt(2.0 * np.sum(of_data**2)))  # by one sd of its logarithm
    np.testing.assert_allclose(shares, counts * lower**2 / (counts * lower**2 + 4.0), rtol=1e-2)


def test_an_uncertain_mean_leaves_offsets_as_centred():
    """Of six levels with much data each, whose common mean the intercept takes as well as they."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(6), 50)
    table = {"g": [f"l{g}" for g in group], "y": 2.0 * rng.normal(size=6)[group] + 0.5 * rng.normal(size=300)}
    stated = from_table("y ~ 1 + (1 | g)", table)
    shares = for_method(stated.regression, stated.data, NUTS()).shares["centring(1|g)"]
    assert (shares > 0.98).all()


def test_the_start_is_within_the_reference_posterior(reference) -> None:
    """Radon in 85 counties: sd 0.321 ± 0.045, by far off the joint mode's 3.5."""
    stated = from_table("log_radon ~ floor + (1 | county)", read_table(reference / "radon_mn.csv"))
    place = for_method(stated.regression, stated.data, NUTS())
    at = place.constrained(np.zeros(place.size))
    assert abs(float(at["sd(1|county)"]) - 0.321) < 2 * 0.045
    assert abs(float(at["intercept"]) - 1.493) < 2 * 0.051
