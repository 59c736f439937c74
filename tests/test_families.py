"""The families: likelihoods, gradients, links, supports, draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from bayescore import families
from bayescore.errors import DataError, RequestError
from bayescore.families import Bernoulli, Gaussian

ETA = st.lists(st.floats(-20, 20), min_size=1, max_size=6).map(np.array)


@given(eta=ETA, y=st.floats(-50, 50), sigma=st.floats(0.05, 20))
@settings(deadline=None, max_examples=50)
def test_gaussian_is_scipys_normal(eta, y, sigma):
    ours = Gaussian().log_prob(np.full(eta.shape, y), eta, {"sigma": np.array(sigma)})
    np.testing.assert_allclose(ours, stats.norm(eta, sigma).logpdf(y), rtol=1e-11, atol=1e-11)


@given(eta=ETA)
@settings(deadline=None, max_examples=50)
def test_bernoulli_is_scipys(eta):
    for y in (0.0, 1.0):
        ours = Bernoulli().log_prob(np.full(eta.shape, y), eta, {})
        theirs = stats.bernoulli(special.expit(eta)).logpmf(y)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_bernoulli_keeps_its_digits_far_out():
    eta = np.array([-800.0, 800.0])
    np.testing.assert_allclose(Bernoulli().log_prob(np.array([1.0, 0.0]), eta, {}), -800.0)
    np.testing.assert_allclose(Bernoulli().mean(eta), [0.0, 1.0])


@pytest.mark.parametrize("family", [Gaussian(), Bernoulli()], ids=str)
def test_gradient_is_the_slope(family):
    rng = np.random.default_rng(0)
    eta, sigma = rng.normal(size=5), np.array(0.7)
    y = rng.integers(0, 2, 5).astype(float)
    extra = {"sigma": sigma} if family.free else {}
    in_eta, in_auxiliary = family.gradient(y, eta, extra)
    h = 1e-6
    slope = (family.log_prob(y, eta + h, extra) - family.log_prob(y, eta - h, extra)) / (2 * h)
    np.testing.assert_allclose(in_eta, slope, rtol=1e-7, atol=1e-8)
    assert set(in_auxiliary) == set(family.free)
    for name, value in in_auxiliary.items():
        ahead, behind = (family.log_prob(y, eta, {name: extra[name] + s}).sum() for s in (h, -h))
        np.testing.assert_allclose(value, (ahead - behind) / (2 * h), rtol=1e-7)


def test_many_draws_at_once_are_the_draws_one_by_one():
    rng = np.random.default_rng(1)
    eta, sigma, y = rng.normal(size=(2, 3, 5)), rng.random((2, 3)) + 0.5, rng.normal(size=5)
    together = Gaussian().log_prob(y, eta, {"sigma": sigma})
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i, j], Gaussian().log_prob(y, eta[i, j], {"sigma": sigma[i, j]}))


def test_responses_are_drawn_around_the_mean():
    rng = np.random.default_rng(2)
    drawn = Gaussian().sample(rng, np.full((1, 4000, 1), 3.0), {"sigma": np.full((1, 4000), 0.5)})
    assert stats.kstest(drawn.ravel(), stats.norm(3.0, 0.5).cdf).pvalue > 0.001
    ones = Bernoulli().sample(rng, np.full((1, 4000, 1), 0.4), {})
    assert set(np.unique(ones)) == {0.0, 1.0}
    assert abs(ones.mean() - special.expit(0.4)) < 4 * 0.5 / np.sqrt(4000)


@pytest.mark.parametrize(
    "text, family",
    [
        ("gaussian", Gaussian()),
        ("Gaussian(sigma=0.1)", Gaussian(sigma=0.1)),
        ("Gaussian(0.1)", Gaussian(sigma=0.1)),
        ("BERNOULLI", Bernoulli()),
        ("Bernoulli(link=logit)", Bernoulli()),
    ],
)
def test_a_family_is_read_and_its_writing_is_read_again(text, family):
    assert families.parse(text) == family
    assert families.parse(str(family)) == family


def test_a_fixed_auxiliary_is_not_free():
    assert Gaussian().free == ("sigma",)
    assert Gaussian(sigma=2).free == ()
    assert Gaussian(sigma=2).fixed == {"sigma": 2}


@pytest.mark.parametrize(
    "text, message",
    [
        ("gausian", "did you mean 'Gaussian'"),
        ("Gaussian(sigma=0)", "sigma must be a positive number"),
        ("Gaussian(sigma=-1)", "sigma must be a positive number"),
        ("Gaussian(sigma=1e999)", "sigma must be a positive number"),
        ("Gaussian(sigma=small)", "sigma must be a positive number"),
        ("Gaussian(sigma=HalfNormal(1))", "sigma must be a positive number"),
        ("Gaussian(link=log)", "unknown link 'log'"),
        ("Bernoulli(link=logti)", "did you mean 'logit'"),
        ("Bernoulli(sigma=1)", "no setting 'sigma'"),
        ("Gaussian(", "can't read"),
    ],
)
def test_a_wrong_family_is_refused_with_a_reason(text, message):
    with pytest.raises(RequestError, match=message):
        families.parse(text)


@pytest.mark.parametrize(
    "family, y, message",
    [
        (Bernoulli(), [0, 1, 2, 1], r"'passed' must be 0 or 1 for Bernoulli; row 3 is 2 \(1 such rows\)"),
        (Bernoulli(), [0.5, 0, 1], "row 1 is 0.5"),
        (Bernoulli(), [1, 1, 1], "'passed' is constant"),
        (Gaussian(), [4.2, 4.2], r"'passed' is constant \(4.2\)"),
    ],
)
def test_a_response_outside_the_support_is_refused(family, y, message):
    with pytest.raises(DataError, match=message):
        family.check_response(np.array(y, dtype=float), "passed")


def test_a_constant_response_is_fine_where_sigma_is_fixed():
    Gaussian(sigma=1.0).check_response(np.ones(3), "y")
