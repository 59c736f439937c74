"""The priors: densities, gradients, draws, and how they are written."""

from dataclasses import fields, replace

import numpy as np
import pytest
from autograd import elementwise_grad
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bayescore.errors import RequestError
from bayescore.model import distributions as d


class Half:
    """The upper half of a symmetric distribution."""

    def __init__(self, whole):
        self.whole = whole

    def logpdf(self, x):
        return self.whole.logpdf(x) + np.log(2.0)

    def cdf(self, x):
        return 2.0 * self.whole.cdf(x) - 1.0


CASES = [
    (d.Normal(1.5, 2.0), stats.norm(1.5, 2.0)),
    (d.StudentT(4.0, -1.0, 0.5), stats.t(4.0, -1.0, 0.5)),
    (d.Cauchy(0.5, 2.0), stats.cauchy(0.5, 2.0)),
    (d.Laplace(-2.0, 3.0), stats.laplace(-2.0, 3.0)),
    (d.HalfNormal(2.5), stats.halfnorm(scale=2.5)),
    (d.HalfCauchy(2.5), stats.halfcauchy(scale=2.5)),
    (d.Exponential(3.0), stats.expon(scale=1 / 3.0)),
    (d.Gamma(2.5, 4.0), stats.gamma(2.5, scale=1 / 4.0)),
    (d.InverseGamma(3.0, 2.0), stats.invgamma(3.0, scale=2.0)),
    (d.LogNormal(0.3, 0.7), stats.lognorm(0.7, scale=np.exp(0.3))),
    (d.HalfStudentT(4.0, 2.5), Half(stats.t(4.0, 0.0, 2.5))),
    (d.Beta(2.5, 0.7), stats.beta(2.5, 0.7)),
    (d.Uniform(-1.5, 2.0), stats.uniform(-1.5, 3.5)),
    (d.LKJ(2.5), stats.beta(2.5, 2.5, loc=-1.0, scale=2.0)),
]
TEXTS = [*(str(ours) for ours, _ in CASES), "Flat()", "Horseshoe()", "Horseshoe(scale=0.1, slab_df=7)"]
TEXTS += ["AtMeans(Normal(4.35, 6.8))", "AtMeans(StudentT(3, 0, 2.5))"]
IDS = [type(ours).__name__ for ours, _ in CASES]
SHARES = np.array([1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6])


def points(prior):
    low, high = prior.bounds
    if np.isfinite(high):
        return low + (high - low) * SHARES
    positive = np.array([1e-3, 0.1, 0.9, 2.0, 30.0])
    return positive if prior.support == "positive" else np.concatenate([-positive, [0.1], positive])


def test_every_prior_is_held_against_scipys():
    assert {type(ours) for ours, _ in CASES} == set(d.DISTRIBUTIONS.values()) - {d.Flat, d.Horseshoe, d.AtMeans}


@pytest.mark.parametrize("ours, theirs", CASES, ids=IDS)
def test_log_density_is_scipys(ours, theirs):
    x = points(ours)
    np.testing.assert_allclose(ours.log_prob(x), theirs.logpdf(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("ours", [ours for ours, _ in CASES], ids=IDS)
@given(u=st.floats(-3, 3))
@settings(deadline=None, max_examples=30)
def test_autograd_gives_the_slope_of_the_log_density(ours, u):
    low, high = ours.bounds
    bounded = np.isfinite(high)
    x = low + (high - low) / (1 + np.exp(-u)) if bounded else np.exp(u) if ours.support == "positive" else u
    if isinstance(ours, d.Laplace) and abs(x - ours.loc) < 1e-3:
        return  # the kink
    h = 1e-5 * (min(x - low, high - x) if bounded else x if ours.support == "positive" else max(1.0, x))
    slope = (ours.log_prob(x + h) - ours.log_prob(x - h)) / (2 * h)
    np.testing.assert_allclose(elementwise_grad(ours.log_prob)(np.array([x]))[0], slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("ours, theirs", CASES, ids=IDS)
def test_the_ends_of_the_support_are_scipys(ours, theirs):
    low, high = ours.bounds
    assert (theirs.cdf(low), theirs.cdf(high)) == (0.0, 1.0)
    assert theirs.cdf(low + 0.3 if np.isfinite(low) else -5.0) > 0.0
    assert theirs.cdf(high - 0.3 if np.isfinite(high) else 5.0) < 1.0


@pytest.mark.parametrize("ours, theirs", CASES, ids=IDS)
def test_draws_follow_the_density(ours, theirs):
    drawn = ours.sample(np.random.default_rng(1), (4000,))
    assert stats.kstest(drawn, theirs.cdf).pvalue > 0.001


@pytest.mark.parametrize("ours, theirs", CASES, ids=IDS)
def test_the_same_seed_draws_the_same(ours, theirs):
    first, second = (ours.sample(np.random.default_rng(7), (2, 3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (2, 3)


def test_flat_is_improper_and_cant_be_drawn_from():
    flat = d.Flat()
    assert not flat.proper
    np.testing.assert_array_equal(flat.log_prob(np.array([-5.0, 1e9])), 0.0)
    np.testing.assert_array_equal(elementwise_grad(flat.log_prob)(np.array([-5.0, 1e9])), 0.0)
    with pytest.raises(RequestError, match="improper"):
        flat.sample(np.random.default_rng(0), (3,))


def test_stacked_priors_have_the_density_of_each_one():
    priors = [d.Normal(0, 1), d.StudentT(3, 1, 2), d.Normal(-1, 5), d.Cauchy(0, 2), d.StudentT(7, 0, 1)]
    x = np.array([[0.3, -1.0, 2.0, 4.0, 0.1], [1.0, 2.0, 3.0, -4.0, 5.0]])
    blocks = d.stack(priors)
    assert [list(block.positions) for block in blocks] == [[0, 2], [1, 4], [3]]
    for block in blocks:
        alone = np.stack([priors[j].log_prob(x[:, j]) for j in block.positions], axis=-1)
        np.testing.assert_allclose(block.prior.log_prob(x[:, block.positions]), alone, rtol=1e-14)


@pytest.mark.parametrize("ours", [ours for ours, _ in CASES if ours.support != "correlation"], ids=str)
def test_priors_of_every_kind_can_be_stacked(ours):
    """Array fields: three priors with fields a little apart."""
    apart = [replace(ours, **{f.name: (1 + k / 8) * getattr(ours, f.name) for f in fields(ours)}) for k in range(3)]
    (block,) = d.stack(apart)
    x = np.full(3, np.mean([points(prior)[len(points(prior)) // 2] for prior in apart]))
    alone = [float(prior.log_prob(x[0])) for prior in apart]
    np.testing.assert_allclose(block.prior.log_prob(x), alone, rtol=1e-13)
    assert len(set(alone)) == 3


@pytest.mark.parametrize("text", TEXTS)
def test_a_prior_is_read_as_it_is_written(text):
    assert str(d.parse(text)) == text
    assert d.parse(str(d.parse(text))) == d.parse(text)


@given(loc=st.floats(-1e6, 1e6), scale=st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=50)
def test_what_is_written_is_good_to_ten_digits(loc, scale):
    again = d.parse(str(d.Normal(loc, scale)))
    np.testing.assert_allclose([again.loc, again.scale], [loc, scale], rtol=1e-9, atol=1e-300)


def test_settings_may_be_given_by_name():
    assert d.parse("StudentT(scale=2, df=3, loc=-1)") == d.StudentT(3, -1, 2)
    assert d.parse(d.Normal(0, 1)) == d.Normal(0, 1)


@pytest.mark.parametrize(
    "text, message",
    [
        ("Normal(0, 0)", "scale must be positive"),
        ("Normal(0, -1)", "scale must be positive"),
        ("StudentT(0, 0, 1)", "df must be positive"),
        ("Gamma(1, -2)", "rate must be positive"),
        ("Normal(0, 1e999)", "scale must be finite"),
        ("Normal(0, True)", "scale must be a number"),
        ("Normal(0, wide)", "scale must be a number"),
        ("Normal(None, 1)", "loc must be a number"),
        ("Normal(Normal(0, 1), 1)", "loc must be a number"),
        ("Normal(0, 1" + "0" * 400 + ")", "scale must be"),
        ("Uniform(1, 1)", "Uniform: low must be under high, not 1"),
        ("Uniform(2, -1)", "Uniform: low must be under high, not 2"),
        ("Uniform(0, 1e999)", "high must be finite"),
        ("Beta(0, 1)", "a must be positive"),
        ("Beta(1, -1)", "b must be positive"),
        ("HalfStudentT(0, 1)", "df must be positive"),
        ("HalfStudentT(3, 0)", "scale must be positive"),
        ("LKJ(0)", "concentration must be positive"),
        ("Horseshoe(slab_scale=0)", "slab_scale must be positive"),
        ("Horseshoe(slab=1)", "no setting 'slab'"),
        ("Normal(0)", "needs scale"),
        ("Normal(0, 1, 2)", "at most 2"),
        ("Normal(0, sd=1)", "no setting 'sd'"),
        ("Normal(0, loc=1, scale=2)", "given twice"),
        ("Nomral(0, 1)", "did you mean 'Normal'"),
        ("Normal(0,", "can't read"),
        ("Normal(0, 1) + 1", "can't read"),
        ("__import__('os').system('true')", "can't read"),
        ("", "can't read"),
    ],
)
def test_a_wrong_prior_is_refused_with_a_reason(text, message):
    with pytest.raises(RequestError, match=message) as caught:
        d.parse(text)
    assert "\n" not in str(caught.value)
