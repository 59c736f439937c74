"""From the unconstrained vector to the parameters: determinants against numerical Jacobians, and the way back."""

import math

import numpy as np
import pytest
from autograd import jacobian
from autograd import numpy as anp

from bayescore.model import transforms
from bayescore.model.transforms import POSITIVE, REAL, Correlations, Elementwise, GroupOffsets, Ordered, Shrinkage, Slot

RNG = np.random.default_rng(0)
THREE = Correlations(3).forward(RNG.normal(size=3), {}, np)[0]
GIVEN = {
    **{f"s{k}": np.array(v) for k, v in enumerate((0.5, 2.0, 1.3))},
    **{f"o{k}": RNG.normal(size=4) for k in range(2)},
    "three": THREE,
    "two": np.array(-0.6),
    "global": np.array(0.1),
    "local": np.array([1.0, 2.0, 30.0]),
    "slab": np.array(4.0),
}
CASES = {
    "real": (Elementwise((REAL,)), 3),
    "positive": (Elementwise((POSITIVE,)), 3),
    "above 2": (Elementwise(((2.0, math.inf),)), 3),
    "interval": (Elementwise(((-1.0, 3.0),)), 3),
    "mixed": (Elementwise(((1.0, 3.0), REAL, POSITIVE, (-2.0, -1.0))), 4),
    "ordered": (Ordered(), 4),
    "ordered, one": (Ordered(), 1),
    **{f"correlations of {k}": (Correlations(k), k * (k - 1) // 2) for k in (2, 3, 4, 5)},
    "offsets alone": (GroupOffsets(("s0",), (), None, 1), 4),
    "first of two": (GroupOffsets(("s0",), (), "two", 2), 4),
    "second of two": (GroupOffsets(("s0", "s1"), ("o0",), "two", 2), 4),
    "first of three": (GroupOffsets(("s0",), (), "three", 3), 4),
    "second of three": (GroupOffsets(("s0", "s1"), ("o0",), "three", 3), 4),
    "third of three": (GroupOffsets(("s0", "s1", "s2"), ("o0", "o1"), "three", 3), 4),
    "shrinkage": (Shrinkage("global", "local", "slab"), 3),
}


@pytest.mark.parametrize("name", CASES)
def test_the_log_determinant_is_that_of_the_jacobian(name):
    """Autograd's Jacobian, and central differences, which know nothing of the formulas."""
    transform, n = CASES[name]
    for u in np.random.default_rng(1).normal(0.0, 1.2, (4, n)):
        values, log_det = transform.forward(u, GIVEN, np)
        assert values.shape == (n,)
        wanted = np.linalg.slogdet(jacobian(lambda v: transform.forward(v, GIVEN, anp)[0])(u))[1]
        assert np.isclose(log_det, wanted, rtol=1e-10, atol=1e-10)
        h = 1e-6 * np.eye(n)
        numeric = [(transform.forward(u + e, GIVEN, np)[0] - transform.forward(u - e, GIVEN, np)[0]) / 2e-6 for e in h]
        assert np.isclose(log_det, np.linalg.slogdet(np.array(numeric).T)[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_inverse_leads_back(name):
    transform, n = CASES[name]
    u = np.random.default_rng(2).normal(0.0, 1.2, n)
    values, _ = transform.forward(u, GIVEN, np)
    np.testing.assert_allclose(transform.inverse(values, GIVEN, np), u, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_many_vectors_at_once_are_the_vectors_one_by_one(name):
    transform, n = CASES[name]
    u = np.random.default_rng(3).normal(size=(2, 3, n))
    given = {k: np.broadcast_to(v, (2, 3, *v.shape)) for k, v in GIVEN.items()}
    values, log_det = transform.forward(u, given, np)
    back = transform.inverse(values, given, np)
    assert values.shape == u.shape
    assert np.shape(log_det) == (2, 3)
    for i, j in np.ndindex(2, 3):
        alone, own = transform.forward(u[i, j], GIVEN, np)
        np.testing.assert_allclose(values[i, j], alone, rtol=1e-13)
        assert np.isclose(log_det[i, j], own, rtol=1e-12)
        np.testing.assert_allclose(back[i, j], u[i, j], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bounds", [REAL, POSITIVE, (2.0, math.inf), (-1.0, 3.0)], ids=str)
def test_elements_stay_within_their_bounds_and_increase(bounds):
    u = np.linspace(-30.0, 30.0, 200)
    values = np.array([Elementwise((bounds,)).forward(u[k : k + 1], {}, np)[0][0] for k in range(u.size)])
    assert np.all(np.isfinite(values))
    assert np.all((values >= bounds[0]) & (values <= bounds[1]))
    assert np.all(np.diff(values) >= 0)
    inner = np.abs(u) < 10
    assert np.all((values[inner] > bounds[0]) & (values[inner] < bounds[1]) & (np.diff(values[inner], prepend=-99) > 0))


@pytest.mark.parametrize("size", [800.0, -800.0])
def test_a_bounded_element_far_out_has_a_determinant(size):
    values, log_det = Elementwise(((0.0, 2.0),)).forward(np.array([size]), {}, np)
    assert values[0] == (2.0 if size > 0 else 0.0)
    assert np.isclose(log_det, math.log(2.0) - 800.0)


def test_ordered_values_increase():
    values, _ = Ordered().forward(np.random.default_rng(4).normal(0.0, 3.0, (50, 5)), {}, np)
    assert np.all(np.diff(values, axis=-1) > 0)


def matrix(values, k):
    """Of the correlations (0, 1), (0, 2), (1, 2), ..."""
    lower = np.zeros((k, k))
    lower[np.tril_indices(k, -1)] = values
    return lower + lower.T + np.eye(k)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_correlations_make_a_correlation_matrix_and_its_cholesky_factor(k):
    for u in np.random.default_rng(5).normal(0.0, 1.5, (20, k * (k - 1) // 2)):
        values, _ = Correlations(k).forward(u, {}, np)
        full = matrix(values, k)
        assert np.min(np.linalg.eigvalsh(full)) > 0
        factor = np.zeros((k, k))
        for row, entries in enumerate(transforms.cholesky(values, k, np)):
            factor[row, : row + 1] = entries
        np.testing.assert_allclose(factor @ factor.T, full, rtol=1e-9, atol=1e-9)
        assert np.isclose(factor[0, 0], 1.0)
        assert np.all(np.diag(factor) > 0)


def test_the_first_column_of_correlations_are_the_partial_ones():
    u = np.array([0.3, -0.8, 0.5, 1.1, -0.2, 0.4])
    values, _ = Correlations(4).forward(u, {}, np)
    np.testing.assert_allclose(values[[0, 1, 3]], np.tanh(u[[0, 1, 3]]))


@pytest.mark.parametrize("k", [2, 3])
def test_offsets_are_sds_times_the_cholesky_factor_times_standard_normals(k):
    correlations = THREE if k == 3 else np.array([-0.6])
    name = "three" if k == 3 else "two"
    z = np.random.default_rng(6).normal(size=(k, 4))
    sds = [float(GIVEN[f"s{j}"]) for j in range(k)]
    wanted = np.diag(sds) @ np.linalg.cholesky(matrix(correlations, k)) @ z
    given = {key: v for key, v in GIVEN.items() if not key.startswith("o")}
    for j in range(k):
        own = GroupOffsets(tuple(f"s{i}" for i in range(j + 1)), tuple(f"o{i}" for i in range(j)), name, k)
        given[f"o{j}"], _ = own.forward(z[j], given, np)
        np.testing.assert_allclose(given[f"o{j}"], wanted[j], rtol=1e-12)


def test_shrunken_coefficients_have_the_regularized_horseshoes_sds():
    t, s = 0.1, 4.0
    local = np.array([1.0, 2.0, 30.0])
    wanted = np.sqrt(s * local**2 / (s + t**2 * local**2)) * t  # Piironen and Vehtari (2017), equation 2.8
    np.testing.assert_allclose(Shrinkage("global", "local", "slab").scales(GIVEN, np), wanted, rtol=1e-13)


def test_slots_lay_the_sites_out_and_shape_them():
    slots = (
        Slot("a", 0, 1, (), Elementwise((POSITIVE,))),
        Slot("b", 1, 7, (2, 3), Elementwise((REAL,))),
        Slot("c", 7, 9, (2,), GroupOffsets(("a",), (), None, 1)),
    )
    u = np.random.default_rng(7).normal(size=(4, 9))
    values, log_det = transforms.constrain(slots, u, np)
    assert {name: v.shape for name, v in values.items()} == {"a": (4,), "b": (4, 2, 3), "c": (4, 2)}
    np.testing.assert_allclose(values["a"], np.exp(u[:, 0]))
    np.testing.assert_array_equal(values["b"].reshape(4, 6), u[:, 1:7])
    np.testing.assert_allclose(values["c"], np.exp(u[:, :1]) * u[:, 7:])
    np.testing.assert_allclose(log_det, 3 * u[:, 0])
    np.testing.assert_allclose(transforms.unconstrain(slots, values, np), u)
