"""The maximum of a log density by Newton steps."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize

from bayescore.density.newton import maximum


@dataclass
class Point:
    value: float
    slope: np.ndarray
    precision: np.ndarray


def gaussian(mean, precision):
    return lambda z: Point(-0.5 * (z - mean) @ precision @ (z - mean), precision @ (mean - z), precision)


def banana(z):
    """Minus Rosenbrock's valley, whose top is at (1, 1); its Hessian is not definite everywhere."""
    return Point(-optimize.rosen(z), -optimize.rosen_der(z), optimize.rosen_hess(z))


def test_a_gaussian_takes_one_step():
    mean, precision = np.array([3.0, -2.0]), np.array([[4.0, 1.0], [1.0, 2.0]])
    asked = []

    def at(z):
        asked.append(z)
        return gaussian(mean, precision)(z)

    found = maximum(at, 2)
    np.testing.assert_allclose(found[0], mean)
    np.testing.assert_array_equal(found[1], precision)
    assert len(asked) < 10


def test_a_bent_valley_is_climbed_to_its_top():
    mode, precision = maximum(banana, 2)
    np.testing.assert_allclose(mode, [1.0, 1.0])
    np.testing.assert_allclose(precision, optimize.rosen_hess(np.ones(2)))


@pytest.mark.parametrize(
    "at",
    [
        lambda z: Point(float(z[0]), np.ones(1), np.zeros((1, 1))),
        lambda z: Point(float(z @ z) / 2, z, -np.eye(1)),
        lambda z: Point(-float(np.exp(-z[0])), np.exp(-z), np.array([[np.exp(-z[0])]])),
        lambda z: Point(0.0, np.full(1, np.nan), np.eye(1)),
        lambda z: Point(0.0, np.zeros(1), np.full((1, 1), np.inf)),
    ],
    ids=["a slope", "a hollow", "a shoulder that never ends", "no gradient", "no curvature"],
)
def test_without_a_proper_maximum_there_is_none(at):
    assert maximum(at, 1) is None


def test_patience_ends_a_search_where_the_density_curves_upwards():
    def ramp(z):
        """Convex until 40, from where it falls: reached by steps of the gradient alone."""
        x = float(z[0])
        if x < 40:
            return Point(x + 0.001 * x * x, np.array([1 + 0.002 * x]), np.array([[-0.5]]))
        return Point(
            41.6 + 1.08 * (x - 40) - 0.25 * (x - 40) ** 2, np.array([1.08 - 0.5 * (x - 40)]), np.array([[0.5]])
        )

    assert maximum(ramp, 1, patience=3) is None
    np.testing.assert_allclose(maximum(ramp, 1, patience=100)[0], 42.16)
