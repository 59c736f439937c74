"""Guides of one's own for programs in NumPyro, against exact posteriors and evidences."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import numpyro_support  # noqa: F401  skips where NumPyro isn't installed
import pytest
from known_line import COV, DATA, EVIDENCE, MEAN, PRECISION, Y
from numpyro.distributions import constraints
from numpyro.infer.autoguide import AutoDelta, AutoLaplaceApproximation, AutoMultivariateNormal, AutoNormal
from scipy import special, stats

from bayescore.agreement.health import examine
from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import NUTS, SVI
from bayescore.programs.guides import moments_of

METHOD = SVI(steps=1000, particles=8, rate=0.03, draws=2000)
K = np.array([2, 5, 3, 4])


def line(x, y):
    b = numpyro.sample("b", dist.Normal(jnp.zeros(2), 3.0).to_event(1))
    numpyro.deterministic("sum", b.sum())
    with numpyro.plate("rows", len(y)):
        numpyro.sample("y", dist.Normal(b[0] + b[1] * x, 1.0), obs=y)


def right(x, y):
    loc = numpyro.param("loc", jnp.zeros(2))
    root = numpyro.param("root", 0.3 * jnp.eye(2), constraint=constraints.lower_cholesky)
    numpyro.sample("b", dist.MultivariateNormal(loc, scale_tril=root))


def narrow(x, y):
    numpyro.sample("b", dist.MultivariateNormal(numpyro.param("loc", jnp.zeros(2)), covariance_matrix=COV / 4))


def auxiliary(x, y):
    scale = numpyro.sample("u", dist.LogNormal(0.0, 0.1), infer={"is_auxiliary": True})
    numpyro.sample("b", dist.Normal(numpyro.param("loc", jnp.zeros(2)), 0.3 * scale).to_event(1))


def counts(k):
    rate = numpyro.sample("rate", dist.Gamma(2.0, 1.0))
    numpyro.deterministic("log_rate", jnp.log(rate))
    with numpyro.plate("rows", len(k)):
        numpyro.sample("k", dist.Poisson(rate), obs=k)


def gamma(k):
    shape = numpyro.param("shape", 10.0, constraint=constraints.positive)
    numpyro.sample("rate", dist.Gamma(shape, numpyro.param("per", 3.0, constraint=constraints.positive)))


def program(guide, model=line, data=DATA, precision="float64"):
    from bayescore_numpyro.backend import NumPyroBackend

    return NumPyroBackend(precision).program(model, data, guide=guide)


def fitted(guide, method=METHOD, model=line, data=DATA, precision="float64"):
    own = program(guide, model, data, precision)
    fit = own.fit(method, seed=0)
    return fit, own.sample_posterior(fit, seed=1)


def ailments(guide, method, model=line, data=DATA):
    fit, posterior = fitted(guide, method, model, data)
    moments = moments_of(posterior, program(None, model, data).sites(), fit.iterates)
    return [a.text for a in examine(method, replace(posterior, moments=moments), fit.iterates).ailments]


@pytest.mark.parametrize(
    ("guide", "cov"),
    [
        (right, COV),
        (narrow, COV / 4),
        (AutoMultivariateNormal, COV),
        (AutoNormal(line), np.diag(1 / np.diag(PRECISION))),
    ],
    ids=["own", "narrow", "class", "instance"],
)
def test_a_gaussian_posterior(guide, cov):
    fit, posterior = fitted(guide)
    b, found = posterior.draws["b"][0], posterior.sample_stats
    sd = np.sqrt(np.diag(cov))
    np.testing.assert_allclose((b.mean(0) - MEAN) / np.sqrt(np.diag(COV)), 0.0, atol=0.1)
    np.testing.assert_allclose(np.cov(b.T) / np.outer(sd, sd), cov / np.outer(sd, sd), atol=0.15)
    np.testing.assert_allclose(posterior.draws["sum"][0], b.sum(1), rtol=1e-12)
    assert posterior.kind == "guide" and fit.losses.shape == (1000,)
    assert {name: values.shape for name, values in fit.iterates.items()} == {"loc": (200, 2), "log_scale": (200, 2)}
    assert fit.notes == ("its own guide is fitted",)
    log_joint = program(None).log_density({"b": b[7]}).total
    assert found["log_joint"][0, 7] == pytest.approx(log_joint, rel=1e-12)
    if guide is right:  # log p(y) = log p(y, b) - log q(b) wherever q is the posterior
        np.testing.assert_allclose((found["log_joint"] - found["log_q"]).mean(), EVIDENCE, atol=0.01)
    ratios = np.exp(found["log_joint"] - found["log_q"] - EVIDENCE)[0]
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / np.sqrt(2000)) or guide is narrow


@pytest.mark.parametrize(("precision", "rounding"), [("float64", 1e-12), ("float32", 1e-5)])
def test_a_guide_of_the_posteriors_own_family(precision, rounding):
    """The posterior of a Gamma rate is Gamma(2 + sum, 1 + n), and p(y, rate) / q(rate) is then p(y) everywhere."""
    fit, posterior = fitted(gamma, METHOD, counts, {"k": K}, precision)
    exact = stats.gamma(2 + K.sum(), scale=1 / 5)
    rate, found = posterior.draws["rate"][0], posterior.sample_stats
    assert rate.mean() == pytest.approx(exact.mean(), abs=0.1 * exact.std())
    assert rate.std() == pytest.approx(exact.std(), rel=0.08)
    evidence = special.gammaln(16) - 16 * np.log(5) - special.gammaln(K + 1).sum()
    ratios = np.exp(found["log_joint"] - found["log_q"] - evidence)[0]
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / np.sqrt(2000)) and ratios.std() < 0.1
    np.testing.assert_allclose(posterior.draws["log_rate"][0], np.log(rate), atol=10 * rounding)
    log_rate = [special.digamma(16) - np.log(5), 0.5 * np.log(special.polygamma(1, 16))]
    last = [fit.iterates[name].mean(axis=0)[0] for name in ("loc", "log_scale")]
    np.testing.assert_allclose(last, log_rate, atol=0.08)  # of 1000 runs: 0.03 sds


SIGMA = np.array([2.0, 1.0, 3.0])
SCHOOLS = {"y": np.array([2.0, 5.0, -3.0]), "sigma": SIGMA}


def schools(y, sigma):
    mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
    with numpyro.plate("schools", 3):
        theta = numpyro.sample("theta", dist.Normal(mu, 3.0))
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


def structured(y, sigma):
    loc, by = numpyro.param("loc", 0.0), numpyro.param("by", jnp.zeros(3))
    mu = numpyro.sample("mu", dist.Normal(loc, numpyro.param("of_mu", 1.0, constraint=constraints.positive)))
    with numpyro.plate("schools", 3):
        centre = numpyro.param("at", jnp.zeros(3)) + by * (mu - loc)
        numpyro.sample(
            "theta", dist.Normal(centre, numpyro.param("scale", jnp.ones(3), constraint=constraints.positive))
        )


def test_a_hierarchy_with_a_guide_of_its_structure():
    """With known variances it is Gaussian, and q(mu) q(theta | mu) has the posterior in its family."""
    precision = np.diag([1 / 25 + 3 / 9, *(1 / 9 + SIGMA**-2)])
    precision[0, 1:] = precision[1:, 0] = -1 / 9
    cov = np.linalg.inv(precision)
    mean, sd = cov @ [0.0, *(SCHOOLS["y"] / SIGMA**2)], np.sqrt(np.diag(cov))
    _, posterior = fitted(structured, replace(METHOD, steps=2000, particles=16), schools, SCHOOLS)
    values = np.column_stack([posterior.draws["mu"][0], posterior.draws["theta"][0]])
    np.testing.assert_allclose((values.mean(0) - mean) / sd, 0.0, atol=0.12)
    np.testing.assert_allclose(np.cov(values.T) / np.outer(sd, sd), cov / np.outer(sd, sd), atol=0.15)
    marginal = np.full((3, 3), 25.0) + np.diag(9 + SIGMA**2)
    evidence = stats.multivariate_normal(np.zeros(3), marginal).logpdf(SCHOOLS["y"])
    ratios = np.exp(posterior.sample_stats["log_joint"] - posterior.sample_stats["log_q"] - evidence)[0]
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / np.sqrt(2000)) and ratios.std() < 0.3


def test_a_look_has_the_same_random_numbers_as_the_others():
    fit, _ = fitted(narrow)
    assert np.ptp(fit.iterates["log_scale"], axis=0).max() < 1e-9
    assert np.ptp(fit.iterates["loc"], axis=0).min() > 0.01


def test_health_is_that_of_the_guide():
    healthy = SVI(steps=2000, particles=16, rate=0.03)
    assert ailments(right, healthy) == []
    assert any("R-hat" in text for text in ailments(right, SVI(steps=100, particles=16, rate=0.01)))
    assert any("Monte Carlo error" in text for text in ailments(right, SVI(steps=500, particles=1, rate=0.1)))


def mixture(y):
    m = numpyro.sample("m", dist.Normal(0.0, 3.0))
    with numpyro.plate("rows", len(y)):
        z = numpyro.sample("z", dist.Bernoulli(0.3), infer={"enumerate": "parallel"})
        numpyro.deterministic("mean", m + z)
        numpyro.sample("y", dist.Normal(m + z, 1.0), obs=y)


def normal(y):
    scale = numpyro.param("scale", 0.5, constraint=constraints.positive)
    numpyro.sample("m", dist.Normal(numpyro.param("loc", 0.0), scale))


@pytest.mark.parametrize("guide", [normal, AutoNormal])
def test_an_enumerated_site_is_summed_out(guide):
    """Against the posterior on a grid."""
    pytest.importorskip("funsor", reason="summing out needs the extra enumeration")
    _, posterior = fitted(guide, METHOD, mixture, {"y": Y})
    grid = np.linspace(-2, 3, 2001)
    prior = stats.norm.logpdf(grid, 0, 3)
    rows = np.logaddexp(
        np.log(0.7) + stats.norm.logpdf(Y, grid[:, None]), np.log(0.3) + stats.norm.logpdf(Y, grid[:, None] + 1)
    )
    weights = special.softmax(rows.sum(1) + prior)
    mean = weights @ grid
    sd = np.sqrt(weights @ (grid - mean) ** 2)
    assert list(posterior.draws) == ["m"]
    assert abs(posterior.draws["m"].mean() - mean) < 0.15 * sd
    assert posterior.draws["m"].std() == pytest.approx(sd, rel=0.1)


def test_the_same_seed_gives_the_same_and_leaves_nothing_behind():
    guide, method = AutoNormal(line), SVI(steps=10, particles=1, draws=20)
    before = {name: value for name, value in vars(guide).items() if not isinstance(value, dict)}
    state = jax.config.jax_enable_x64
    first, second = fitted(guide, method), fitted(guide, method)
    np.testing.assert_array_equal(first[0].losses, second[0].losses)
    np.testing.assert_array_equal(first[1].draws["b"], second[1].draws["b"])
    assert all(vars(guide)[name] is value for name, value in before.items())
    assert not any(value for value in vars(guide).values() if isinstance(value, dict))
    assert jax.config.jax_enable_x64 == state


def test_no_density_where_auxiliary_sites_are_not_integrated_out():
    _, posterior = fitted(auxiliary, SVI(steps=5, particles=1, draws=20))
    assert "log_q" not in posterior.sample_stats and "log_joint" in posterior.sample_stats


def test_the_last_iterate_where_they_are_not_averaged():
    fit, _ = fitted(right, SVI(steps=20, particles=1, draws=20, average=False))
    averaged, _ = fitted(right, SVI(steps=20, particles=1, draws=20))
    assert np.max(np.abs(fit.native.numbers - averaged.native.numbers)) > 0.1


def test_progress_is_told():
    told = []
    program(right).fit(
        SVI(steps=120, particles=1), seed=0, progress=lambda step, total, **figures: told.append((step, total))
    )
    assert told == [(50, 120), (100, 120), (120, 120)]


def test_nuts_says_that_it_uses_none():
    fit = program(right).fit(NUTS(chains=1, warmup=20, draws=20), seed=0)
    assert fit.notes[-1] == "its guide is not used: NUTS needs none"


def discrete(x, y):
    which = numpyro.sample("which", dist.Bernoulli(0.5), infer={"is_auxiliary": True})
    numpyro.sample("b", dist.Normal(numpyro.param("loc", jnp.zeros(2)) + which, 1.0).to_event(1))


def deciding(x, y):
    u = numpyro.sample("u", dist.Normal(0.0, 1.0), infer={"is_auxiliary": True})
    numpyro.sample("b", dist.Normal(numpyro.param("loc", jnp.zeros(2)), 1.0 if u < 9 else 2.0).to_event(1))


def changing(x, y):
    state = numpyro.primitives.mutable("state", {"runs": 0})
    state["runs"] = state["runs"] + 1
    right(x, y)


@pytest.mark.parametrize(
    ("guide", "said"),
    [
        (lambda x, y: None, "does not sample the program's site 'b'"),
        (lambda x, y: numpyro.sample("b", dist.Normal(0.0, 1.0)), r"'b' has the shape \(\), the program's \(2,\)"),
        (lambda x, y: (right(x, y), numpyro.sample("c", dist.Normal(0.0, 1.0))), "samples 'c', which is no latent"),
        (AutoDelta, "the guide is a point"),
        (AutoLaplaceApproximation, "the guide is a point"),
        (discrete, "upstream: the guide's site 'which' can't be reparametrized"),
        (deciding, "the program, or its guide, decides in Python code"),
        (changing, "not yet: the guide has a state that its runs change"),
    ],
)
def test_refused_with_a_sentence(guide, said):
    with pytest.raises(UnsupportedError, match=said):
        program(guide).fit(METHOD, seed=0)


def test_a_guide_that_is_wider_than_the_support_fails_with_a_sentence():
    def wide(k):
        numpyro.sample("rate", dist.Normal(numpyro.param("loc", 0.5), 1.0))

    with pytest.raises(FitError, match="outside the supports"):
        fitted(wide, SVI(steps=50, particles=4, draws=20), counts, {"k": K})
