"""The random variables of a regression: their priors against SciPy's, their draws, what they refuse."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayescore.errors import RequestError
from bayescore.model import distributions as d
from bayescore.model.groups import Grouping, GroupTerm
from bayescore.model.regression import _group_sites, _horseshoe
from bayescore.model.sites import Correlation, Independent, Offsets, Thresholds
from bayescore.model.transforms import POSITIVE, REAL

LEVELS = ("a", "b", "c", "d", "e")


def independent(*priors, support="real", shape=None):
    labels = tuple(f"l{j}" for j in range(len(priors)))
    return Independent("beta", (len(priors),) if shape is None else shape, labels, support, priors)


def test_elements_have_a_prior_each():
    site = independent(d.Normal(1, 2), d.StudentT(3, 0, 2), d.Flat(), d.Normal(0, 1), d.Beta(2, 3))
    x = np.random.default_rng(0).uniform(0.1, 0.9, (4, 3, 5))
    wanted = stats.norm(1, 2).logpdf(x[..., 0]) + stats.t(3, 0, 2).logpdf(x[..., 1]) + stats.norm.logpdf(x[..., 3])
    wanted = wanted + stats.beta(2, 3).logpdf(x[..., 4])
    np.testing.assert_allclose(site.log_prob({"beta": x}), wanted, rtol=1e-12)
    assert site.bounds == (REAL, REAL, REAL, REAL, (0.0, 1.0))
    assert not site.proper
    assert site.requirements == {f"prior:coefficient:{name}" for name in ("Normal", "StudentT", "Flat", "Beta")}


def test_a_matrix_of_elements_has_a_prior_each_in_c_order():
    priors = tuple(d.Normal(j, 1 + j) for j in range(6))
    site = Independent("w", (2, 3), tuple("abcdef"), "real", priors)
    x = np.random.default_rng(1).normal(size=(4, 2, 3))
    wanted = stats.norm(np.arange(6.0), 1 + np.arange(6.0)).logpdf(x.reshape(4, 6)).sum(axis=1)
    np.testing.assert_allclose(site.log_prob({"w": x}), wanted, rtol=1e-12)
    assert site.parameters == tuple(f"w[{c}]" for c in "abcdef")
    assert site.sample(np.random.default_rng(2), {}).shape == (2, 3)


def test_a_scalar_has_a_prior():
    site = Independent("sigma", (), (), "positive", (d.HalfStudentT(3, 2),))
    x = np.array([[0.1, 3.0]])
    np.testing.assert_allclose(site.log_prob({"sigma": x}), stats.t(3, 0, 2).logpdf(x) + np.log(2))
    assert site.bounds == (POSITIVE,)
    assert site.parameters == ("sigma",)
    assert site.requirements == {"prior:auxiliary:HalfStudentT"}


@pytest.mark.parametrize(
    "prior, support, bounds",
    [
        (d.Normal(0, 1), "real", REAL),
        (d.Flat(), "real", REAL),
        (d.Flat(), "positive", POSITIVE),
        (d.Exponential(1), "positive", POSITIVE),
        (d.Uniform(-1, 2), "real", (-1.0, 2.0)),
        (d.Uniform(0, 2), "positive", (0.0, 2.0)),
        (d.Uniform(1, 2), "positive", (1.0, 2.0)),
        (d.Beta(1, 2), "positive", (0.0, 1.0)),
    ],
    ids=str,
)
def test_a_prior_may_narrow_its_sites_support(prior, support, bounds):
    site = independent(prior, support=support)
    assert site.bounds == (bounds,)
    drawn = np.array([site.sample(np.random.default_rng(seed), {})[0] for seed in range(50)])
    assert np.all((drawn > bounds[0]) & (drawn < bounds[1]))


@pytest.mark.parametrize(
    "prior, support, message",
    [
        (
            d.HalfNormal(1),
            "real",
            r"beta\[l0\] is real, but its prior HalfNormal\(1\) is for positive values: use Norm",
        ),
        (d.Normal(0, 1), "positive", r"is positive, but its prior Normal\(0, 1\) is for real values: use HalfNormal"),
        (d.Uniform(-1, 2), "positive", r"is positive, but its prior Uniform\(-1, 2\) is for bounded values"),
        (d.LKJ(1), "real", r"is real, but its prior LKJ\(1\) is for correlation values"),
        (d.LKJ(1), "positive", "is for correlation values: use HalfNormal"),
        (
            d.Horseshoe(),
            "real",
            r"Horseshoe\(\) is a prior of all coefficients together, not of beta\[l0\]: use Normal",
        ),
        (d.Horseshoe(), "positive", "not of beta.*: use HalfNormal or Exponential"),
    ],
    ids=str,
)
def test_a_prior_of_another_support_is_refused(prior, support, message):
    with pytest.raises(RequestError, match=message):
        independent(prior, support=support)


def correlation(k, concentration):
    pairs = k * (k - 1) // 2
    labels = tuple(map(str, range(pairs))) if k > 2 else ()
    return Correlation("cor", (pairs,) if k > 2 else (), labels, k, d.LKJ(concentration))


def matrix(values, k):
    """Of the correlations (0, 1), (0, 2), (1, 2), ..., shape (..., k, k)."""
    values = np.asarray(values)
    lower = np.zeros((*values.shape[:-1], k, k))
    lower[..., *np.tril_indices(k, -1)] = values
    return lower + np.swapaxes(lower, -1, -2) + np.eye(k)


def unnormalized(values, k, concentration):
    return (concentration - 1) * np.linalg.slogdet(matrix(values, k))[1]


@pytest.mark.parametrize("concentration", [0.6, 1.0, 2.5, 30.0])
@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_lkj_is_a_power_of_the_determinant(k, concentration):
    site = correlation(k, concentration)
    rng = np.random.default_rng(0)
    values = np.stack([np.reshape(site.sample(rng, {}), -1) for _ in range(20)])
    found = site.log_prob({"cor": values if k > 2 else values[:, 0]})
    constant = found - unnormalized(values, k, concentration)
    np.testing.assert_allclose(constant, constant[0], rtol=1e-9, atol=1e-8)
    assert np.isclose(constant[0], -d.LKJ(concentration).log_constant(k))


@pytest.mark.parametrize("concentration", [1.0, 1.5, 4.0])
def test_lkj_of_two_is_normalized(concentration):
    site = correlation(2, concentration)
    total, _ = integrate.quad(lambda r: np.exp(site.log_prob({"cor": np.array(r)})), -1, 1)
    assert np.isclose(total, 1.0, rtol=1e-7)
    x = np.linspace(-0.95, 0.95, 7)
    ours, alone = site.log_prob({"cor": x}), d.LKJ(concentration).log_prob(x)
    np.testing.assert_allclose(ours, alone, rtol=1e-12)


@pytest.mark.parametrize("concentration", [1.0, 1.5, 4.0])
def test_lkj_of_three_is_normalized(concentration):
    """Gauss's rule in each correlation; the third runs between the ends that keep the determinant positive."""
    site = correlation(3, concentration)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    a, b, t = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    half = np.sqrt((1 - a**2) * (1 - b**2))
    density = np.exp(site.log_prob({"cor": np.stack([a, b, a * b + half * t], axis=-1)})) * half
    total = np.einsum("ijk,i,j,k->", density, weights, weights, weights)
    assert np.isclose(total, 1.0, rtol=1e-4)


@pytest.mark.parametrize("k", [3, 4, 5])
def test_lkj_with_concentration_1_is_uniform_over_the_matrices(k):
    """The volume of all correlation matrices, Joe (2006), *Generating random correlation matrices*, theorem 4."""
    log_volume = sum(j * (j * np.log(2.0) + special.betaln((j + 1) / 2, (j + 1) / 2)) for j in range(1, k))
    assert np.isclose(d.LKJ(1.0).log_constant(k), log_volume)


@pytest.mark.parametrize("concentration", [0.6, 1.0, 3.0])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_every_correlation_drawn_is_a_beta(k, concentration):
    """Each marginal is 2 Beta(b, b) - 1, b = concentration + k / 2 - 1; a false alarm 1 time in 10^4 each."""
    site = correlation(k, concentration)
    rng = np.random.default_rng(10 * k)
    drawn = np.stack([np.reshape(site.sample(rng, {}), -1) for _ in range(2000)])
    b = concentration + k / 2 - 1
    for column in drawn.T:
        assert stats.kstest(column, stats.beta(b, b, loc=-1, scale=2).cdf).pvalue > 1e-4


def test_correlations_drawn_together_have_the_determinants_distribution():
    """For k = 3 and concentration c the determinant has mean prod E(1 - p^2) over the partial correlations."""
    site, c = correlation(3, 2.0), 2.0
    rng = np.random.default_rng(3)
    dets = np.array([np.linalg.det(matrix(site.sample(rng, {}), 3)) for _ in range(4000)])
    wanted = (2 * (c + 0.5) / (2 * (c + 0.5) + 1)) ** 2 * (2 * c / (2 * c + 1))
    assert abs(dets.mean() - wanted) < 4 * dets.std() / np.sqrt(4000)


def group(k):
    effects = ("1", "x", "z")[:k]
    sds = tuple(d.HalfNormal(1 + j) for j in range(k))
    return _group_sites(GroupTerm(Grouping("g", effects, LEVELS), sds, d.LKJ(1.5) if k > 1 else None))


def group_values(k, seed=0):
    """A draw of all sites of a group term, in order."""
    scales, offsets = group(k)
    values = {}
    for site in (*scales, *offsets):
        values[site.name] = np.asarray(site.sample(np.random.default_rng([seed, len(values)]), values))
    return values


@pytest.mark.parametrize("k", [1, 2, 3])
def test_offsets_have_the_density_of_a_multivariate_normal(k):
    _, offsets = group(k)
    for seed in range(5):
        values = group_values(k, seed)
        sds = np.array([values[f"sd({effect}|g)"] for effect in ("1", "x", "z")[:k]])
        cor = [v for name, v in values.items() if name.startswith("cor")]
        cov = np.outer(sds, sds) * (matrix(np.reshape(cor[0], -1), k) if cor else 1.0)
        together = np.stack([values[site.name] for site in offsets], axis=1)
        wanted = stats.multivariate_normal(np.zeros(k), cov).logpdf(together).sum()
        assert np.isclose(sum(site.log_prob(values) for site in offsets), wanted, rtol=1e-9)


def test_offsets_of_many_draws_are_those_of_each():
    _, offsets = group(3)
    draws = [group_values(3, seed) for seed in range(6)]
    stacked = {name: np.stack([v[name] for v in draws]).reshape(2, 3, *np.shape(draws[0][name])) for name in draws[0]}
    for site in offsets:
        found = site.log_prob(stacked)
        assert found.shape == (2, 3)
        np.testing.assert_allclose(found.ravel(), [site.log_prob(v) for v in draws], rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_offsets_drawn_have_the_covariance(k):
    """2000 levels: whitened covariances lie within 4.5 standard errors, a false alarm 1 time in 10^4."""
    effects = ("1", "x", "z")[:k]
    levels = tuple(map(str, range(2000)))
    term = GroupTerm(Grouping("g", effects, levels), (d.HalfNormal(1),) * k, d.LKJ(1))
    scales, offsets = _group_sites(term)
    values = {f"sd({e}|g)": np.array(0.5 + j) for j, e in enumerate(effects)}
    r = np.array([0.7, -0.4, 0.1])[: k * (k - 1) // 2]
    values[scales[-1].name] = r if k > 2 else r[0]
    for site in offsets:
        values[site.name] = site.sample(np.random.default_rng([k, len(values)]), values)
    sds = np.arange(k) + 0.5
    root = np.linalg.cholesky(np.outer(sds, sds) * matrix(r, k))
    white = np.linalg.solve(root, np.stack([values[site.name] for site in offsets]))
    error = np.sqrt((1 + np.eye(k)) / 2000)
    assert np.all(np.abs(white @ white.T / 2000 - np.eye(k)) < 4.5 * error)


def test_centred_offsets_stand_as_they_are():
    _, (site,) = group(1)
    u = np.array([0.3, -1.0, 2.0, 0.0, 5.0])
    given = {"sd(1|g)": np.array(3.0), site.transform.share: np.ones(5)}
    values, log_det = site.transform.forward(u, given, np)
    np.testing.assert_array_equal(values, u)
    assert log_det == 0
    assert isinstance(site, Offsets)


def test_a_group_terms_sites_are_named_by_effect_and_factor():
    scales, offsets = group(3)
    assert [site.name for site in scales] == ["sd(1|g)", "sd(x|g)", "sd(z|g)", "cor(1,x,z|g)"]
    assert [site.name for site in offsets] == ["offset(1|g)", "offset(x|g)", "offset(z|g)"]
    assert scales[-1].parameters == ("cor(1,x,z|g)[1,x]", "cor(1,x,z|g)[1,z]", "cor(1,x,z|g)[x,z]")
    assert offsets[1].parameters[0] == "offset(x|g)[a]"
    assert all(site.requirements == {"feature:groups"} for site in offsets)
    assert scales[-1].requirements == {"prior:correlation:LKJ"}
    two, _ = group(2)
    assert two[-1].parameters == ("cor(1,x|g)",)
    assert two[-1].shape == ()
    assert [site.name for site in group(1)[0]] == ["sd(1|g)"]


def thresholds(*priors):
    return Thresholds("threshold", (len(priors),), tuple(str(k + 1) for k in range(len(priors))), priors)


def test_thresholds_have_the_product_of_their_priors_and_increase():
    site = thresholds(d.Normal(0, 5), d.StudentT(3, 1, 2), d.Normal(2, 5))
    x = np.array([[-1.0, 0.5, 2.0], [0.0, 0.1, 9.0]])
    wanted = stats.norm(0, 5).logpdf(x[:, 0]) + stats.t(3, 1, 2).logpdf(x[:, 1]) + stats.norm(2, 5).logpdf(x[:, 2])
    np.testing.assert_allclose(site.log_prob({"threshold": x}), wanted, rtol=1e-12)
    rng = np.random.default_rng(0)
    assert all(np.all(np.diff(site.sample(rng, {})) > 0) for _ in range(100))
    assert site.requirements == {"prior:coefficient:Normal", "prior:coefficient:StudentT"}
    assert site.written()[-1] == "threshold[1] < threshold[2] < ..."
    assert site.bounds == (REAL,) * 3


def test_thresholds_of_one_prior_are_its_order_statistics():
    """So they are drawn: each is a Beta on the prior's own scale; a false alarm 1 time in 10^4."""
    site = thresholds(*(d.Normal(1, 3),) * 3)
    rng = np.random.default_rng(1)
    drawn = np.stack([site.sample(rng, {}) for _ in range(2000)])
    for k in range(3):
        assert stats.kstest(stats.norm(1, 3).cdf(drawn[:, k]), stats.beta(k + 1, 3 - k).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    "prior, message",
    [
        (d.HalfNormal(1), r"threshold\[2\] is real, but its prior HalfNormal"),
        (d.Uniform(0, 1), "threshold increases from -inf to inf: use Normal or StudentT"),
        (d.LKJ(1), "is for correlation values"),
    ],
)
def test_thresholds_refuse_what_does_not_fit(prior, message):
    with pytest.raises(RequestError, match=message):
        thresholds(d.Normal(0, 1), prior)


PRIOR = d.Horseshoe(scale=0.5, df=3, global_df=2, slab_scale=1.5, slab_df=5)


def test_the_horseshoes_sites_have_the_densities_of_the_paper():
    sites = _horseshoe(PRIOR, ("a", "b"))
    assert [site.name for site in sites] == ["global(beta)", "slab(beta)", "local(beta)", "beta"]
    t, s, local, beta = 0.3, 2.0, np.array([0.4, 7.0]), np.array([0.2, -1.0])
    values = {"global(beta)": np.array(t), "slab(beta)": np.array(s), "local(beta)": local, "beta": beta}
    wanted = [
        stats.t(2, 0, 0.5).logpdf(t) + np.log(2),
        stats.invgamma(2.5, scale=2.5 * 1.5**2).logpdf(s),
        np.sum(stats.t(3).logpdf(local) + np.log(2)),
        stats.norm(0, t * np.sqrt(s * local**2 / (s + t**2 * local**2))).logpdf(beta).sum(),
    ]
    np.testing.assert_allclose([site.log_prob(values) for site in sites], wanted, rtol=1e-12)
    assert frozenset().union(*(site.requirements for site in sites)) >= {"prior:coefficient:Horseshoe"}


def test_the_horseshoe_drawn_at_once_is_the_one_drawn_site_by_site():
    """Two-sample Kolmogorov-Smirnov tests; a false alarm 1 time in 10^4."""
    sites = _horseshoe(PRIOR, ("a",))
    by_site, at_once = [], []
    for seed in range(2000):
        rng, values = np.random.default_rng([seed, 0]), {}
        for site in sites:
            values[site.name] = site.sample(rng, values)
        by_site.append(values["beta"][0])
        at_once.append(float(PRIOR.sample(np.random.default_rng([seed, 1]), ())))
    assert stats.ks_2samp(by_site, at_once).pvalue > 1e-4


def test_the_horseshoes_density_implies_the_draws():
    """P(|beta| < c) by integrating the sites' densities over all scales, against draws within 4 standard errors."""
    u = np.linspace(-9.0, 9.0, 121)
    t, local, s = np.meshgrid(np.exp(u), np.exp(u), np.exp(u[::2]), indexing="ij")
    sites = {site.name: site for site in _horseshoe(PRIOR, ("a",))}
    values = {"global(beta)": t, "local(beta)": local[..., None], "slab(beta)": s}
    log_mass = sum(sites[name].log_prob(values) for name in values) + np.log(t * local * s)
    mass = np.exp(log_mass) * (u[1] - u[0]) ** 2 * (u[2] - u[0])
    assert np.isclose(mass.sum(), 1.0, atol=2e-3)
    sds = sites["beta"].given.scales(values, np)[..., 0]
    drawn = np.abs([float(PRIOR.sample(np.random.default_rng([2, seed]), ())) for seed in range(8000)])
    for c in (0.03, 0.3, 1.0, 3.0):
        share = float(np.sum(mass * (2 * special.ndtr(c / sds) - 1)) / mass.sum())
        assert abs(np.mean(drawn < c) - share) < 4 * math.sqrt(share * (1 - share) / 8000)
