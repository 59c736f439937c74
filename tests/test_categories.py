"""Families with categories: probabilities, draws, digits far out."""

import numpy as np
import pytest
from autograd import elementwise_grad
from scipy import special, stats

from bayescore.model.families import Categorical, Ordinal

ETA = np.array([-3.0, -0.7, 0.0, 0.4, 2.5])
THRESHOLDS = np.array([-1.5, 0.2, 0.9])


def ordinal(eta):
    """Probabilities of four categories, shape (row, category)."""
    upto = stats.logistic.cdf(THRESHOLDS - eta[:, None])
    return np.diff(upto, axis=1, prepend=0.0, append=1.0)


def categorical(eta):
    """Probabilities of the first category, whose predictor is 0, and of those of eta (row, level)."""
    return special.softmax(np.column_stack([np.zeros(len(eta)), eta]), axis=1)


RNG = np.random.default_rng(5)
WITH_CATEGORIES = {
    "Ordinal": (Ordinal(categories=4), ETA, {"threshold": THRESHOLDS}, ordinal),
    "Categorical": (Categorical(categories=4), RNG.normal(0, 2, (5, 3)), {}, categorical),
}


@pytest.mark.parametrize("name", WITH_CATEGORIES)
def test_categories_have_the_probabilities_of_the_formula(name):
    family, eta, given, probabilities = WITH_CATEGORIES[name]
    wanted = probabilities(eta)
    np.testing.assert_allclose(family.mean(eta, given), wanted, rtol=1e-11)
    for k in range(4):
        found = family.log_prob(np.full(5, float(k)), eta, given)
        np.testing.assert_allclose(found, np.log(wanted[:, k]), rtol=1e-10, atol=1e-12)
    one = stats.multinomial(1, wanted[0])
    assert np.isclose(family.log_prob(np.full(5, 2.0), eta, given)[0], one.logpmf([0, 0, 1, 0]))


@pytest.mark.parametrize("name", WITH_CATEGORIES)
def test_categories_are_drawn_by_their_probabilities(name):
    """A chi-squared test at 0.01 %."""
    family, eta, given, probabilities = WITH_CATEGORIES[name]
    many = np.broadcast_to(eta[1], (4000, *eta.shape[1:]))
    drawn = family.sample(np.random.default_rng(3), many, given)
    counts = np.bincount(drawn.astype(int), minlength=4)
    assert stats.chisquare(counts, 4000 * probabilities(eta)[1]).pvalue > 1e-4


@pytest.mark.parametrize("name", WITH_CATEGORIES)
def test_categories_far_out_neither_lose_density_nor_slope(name):
    family, eta, given, _ = WITH_CATEGORIES[name]
    for size in (40.0, -40.0, 700.0):
        far = eta + size if eta.ndim == 1 else size * np.sign(eta)
        for k in range(4):
            y = np.full(5, float(k))
            density = family.log_prob(y, far, given)
            slope = elementwise_grad(lambda e, y=y: family.log_prob(y, e, given))(far)
            assert np.all(np.isfinite(density))
            assert np.all(np.isfinite(slope))
            assert np.all(density <= 0)
            assert np.all(density >= -2 * abs(size) - 10)
        np.testing.assert_allclose(family.mean(far, given).sum(axis=-1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", WITH_CATEGORIES)
def test_many_draws_of_categories_are_the_draws_one_by_one(name):
    family, eta, given, _ = WITH_CATEGORIES[name]
    y = np.array([0.0, 1.0, 2.0, 3.0, 1.0])
    rng = np.random.default_rng(4)
    many = eta + rng.normal(size=(2, 3, *eta.shape))
    moved = {n: (v + rng.normal(size=(2, 3, 1)))[..., None, :] for n, v in given.items()}
    together = family.log_prob(y, many, moved)
    assert together.shape == (2, 3, 5)
    assert family.mean(many, moved).shape == (2, 3, 5, 4)
    assert family.sample(rng, many, moved).shape == (2, 3, 5)
    for i, j in np.ndindex(2, 3):
        alone = family.log_prob(y, many[i, j], {n: v[i, j] for n, v in moved.items()})
        np.testing.assert_allclose(together[i, j], alone, rtol=1e-14)


def test_close_thresholds_keep_their_digits():
    """The difference of two distribution functions would have lost all of them."""
    given = {"threshold": np.array([-0.5, -0.5 + 1e-9])}
    found = Ordinal(categories=3).log_prob(np.ones(1), np.array([-38.0]), given)[0]
    assert np.isclose(found, stats.logistic.logpdf(37.5) + np.log(1e-9), rtol=1e-7)
