"""Programs of one's own by NUTS, and what is summed out, against exact answers."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.contrib.control_flow import scan
from numpyro.infer.reparam import LocScaleReparam
from scipy import stats
from scipy.special import logsumexp
from test_numpyro_own_programs import Y, program

from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import NUTS, SVI

SHORT = NUTS(chains=2, warmup=300, draws=500)


def fitted(own, method=SHORT, seed=1):
    fit = own.fit(method, seed=seed)
    return own.sample_posterior(fit, seed=seed)


@handlers.reparam(config={"theta": LocScaleReparam(0)})
def gaussian(y):
    mu = numpyro.sample("mu", dist.Normal(0, 10))
    with numpyro.plate("row", len(y)):
        theta = numpyro.sample("theta", dist.Normal(mu, 3))
        numpyro.sample("obs", dist.Normal(theta, 2), obs=y)


def test_draws_of_an_exact_posterior():
    own = program(gaussian, y=Y)
    posterior = fitted(own)
    precision = 1 / 100 + len(Y) / 13
    mean = Y.sum() / 13 / precision
    assert posterior.kind == "chains"
    assert {name: draws.shape for name, draws in posterior.draws.items()} == {
        "mu": (2, 500), "theta_decentered": (2, 500, 4), "theta": (2, 500, 4)
    }  # fmt: skip
    assert posterior.draws["mu"].mean() == pytest.approx(mean, abs=5 * precision**-0.5 / 300**0.5)
    assert posterior.draws["mu"].std() == pytest.approx(precision**-0.5, rel=0.15)
    shrunken = (9 * Y + 4 * mean) / 13
    np.testing.assert_allclose(posterior.draws["theta"].mean((0, 1)), shrunken, atol=0.5)
    centred = (posterior.draws["theta"] - posterior.draws["mu"][..., None]) / 3
    np.testing.assert_allclose(centred, posterior.draws["theta_decentered"], atol=1e-12)
    again = fitted(own)
    np.testing.assert_array_equal(again.draws["mu"], posterior.draws["mu"])
    assert_log_joint(own, posterior)


def assert_log_joint(own, posterior):
    log_joint = posterior.sample_stats["log_joint"]
    assert log_joint.shape == posterior.shape
    for at in [(0, 0), (1, 3), (0, 99)]:
        values = {name: draws[at] for name, draws in posterior.draws.items()}
        assert log_joint[at] == pytest.approx(own.log_density(values).total, rel=1e-12)


def mixture(y):
    w = numpyro.sample("w", dist.Dirichlet(jnp.array([2.0, 3.0])))
    with numpyro.plate("component", 2):
        mu = numpyro.sample("mu", dist.Normal(0, 10))
    sd = numpyro.sample("sd", dist.HalfNormal(5))
    with numpyro.plate("row", len(y)):
        z = numpyro.sample("z", dist.Categorical(w), infer={"enumerate": "parallel"})
        numpyro.deterministic("centre", mu[z])
        numpyro.sample("obs", dist.Normal(mu[z], sd), obs=y)
    numpyro.deterministic("gap", mu[1] - mu[0])


AT = {"w": np.array([0.3, 0.7]), "mu": np.array([-1.0, 6.0]), "sd": np.array(2.0)}


def test_a_mixture_is_summed_out():
    pytest.importorskip("funsor", reason="summing out needs the extra enumeration")
    own = program(mixture, y=Y)
    sites = {site.name: site for site in own.sites(AT)}
    assert [name for name, site in sites.items() if site.enumerated] == ["z"]
    got = own.log_density(AT)
    terms = {
        "w": stats.dirichlet([2.0, 3.0]).logpdf(AT["w"]),
        "mu": stats.norm(0, 10).logpdf(AT["mu"]).sum(),
        "sd": stats.halfnorm(0, 5).logpdf(2.0),
        "obs": logsumexp(np.log(AT["w"]) + stats.norm(AT["mu"], 2.0).logpdf(Y[:, None]), axis=1).sum(),
    }
    assert got.by_site == pytest.approx(terms, rel=1e-12)
    assert "obs" not in got.by_row
    assert own.log_density(AT | {"sd": np.array(-1.0)}).by_site["sd"] == -np.inf
    posterior = fitted(own, NUTS(chains=2, warmup=50, draws=100))
    assert list(posterior.draws) == ["w", "mu", "sd", "gap"]  # a centre has no draws of its own: z is summed out
    assert_log_joint(own, posterior)


HERE = {"enumerate": "parallel"}


def stepwise(y):
    p = numpyro.sample("p", dist.Beta(2, 2))
    z = 0
    for t, observed in enumerate(y):
        z = numpyro.sample(f"z{t}", dist.Bernoulli(jnp.where(z == 1, p, 1 - p)), infer=HERE)
        numpyro.sample(f"y{t}", dist.Exponential(1.0 + z), obs=observed)


def scanned(y):
    p = numpyro.sample("p", dist.Beta(2, 2))

    def step(z, observed):
        z = numpyro.sample("z", dist.Bernoulli(jnp.where(z == 1, p, 1 - p)), infer=HERE)
        numpyro.sample("y", dist.Exponential(1.0 + z), obs=observed)
        return z, None

    scan(step, 0, y)


@pytest.mark.parametrize("function, last", [(stepwise, "y2"), (scanned, "y")])
def test_a_chain_of_enumerated_sites_is_summed_out(function, last):
    pytest.importorskip("funsor", reason="summing out needs the extra enumeration")
    y = np.array([1.0, 2.0, 0.5])
    by_hand = []
    for path in np.ndindex(2, 2, 2):
        before = (0, *path[:-1])
        chances = [0.3 if now == then else 0.7 for now, then in zip(path, before, strict=True)]
        rates = 1.0 + np.array(path)
        by_hand.append(np.log(chances).sum() + (np.log(rates) - rates * y).sum())
    prior = stats.beta(2, 2).logpdf(0.3)
    found = program(function, y=y).log_density({"p": np.array(0.3)})
    assert found.by_site == pytest.approx({"p": prior, last: logsumexp(by_hand)}, rel=1e-12)
    outside = program(function, y=np.array([1.0, -2.0, 0.5])).log_density({"p": np.array(0.3)})
    assert outside.by_site == {"p": pytest.approx(prior), last: -np.inf}


def test_without_funsor_a_sentence_says_what_to_install(monkeypatch):
    from bayescore_numpyro.programs import enumeration

    monkeypatch.setattr(enumeration, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r"bayescore-numpyro\[enumeration\]"):
        program(mixture, y=Y).log_density(AT)


def counted():
    numpyro.sample("rate", dist.Gamma(2, 1))
    numpyro.sample("k", dist.Poisson(3))


def deciding():
    numpyro.sample("b", dist.Normal(0, 1.0 if numpyro.sample("a", dist.Normal(0, 1)) > 0 else 2.0))


def impossible():
    numpyro.sample("a", dist.Normal(0, 1))
    numpyro.factor("never", -jnp.inf)


@pytest.mark.parametrize(
    "function, method, error, sentence",
    [
        (counted, SHORT, UnsupportedError, "'k' is discrete"),
        (deciding, SHORT, UnsupportedError, "decides in Python code"),
        (impossible, SHORT, FitError, "no finite log density"),
        (impossible, SVI(), FitError, "no finite log density"),
        (impossible, NUTS(standardize=False), UnsupportedError, "standardize is for regressions"),
        (impossible, NUTS(centred=True), UnsupportedError, "centred is for regressions"),
    ],
)
def test_a_fit_that_is_refused(function, method, error, sentence):
    with pytest.raises(error, match=sentence):
        program(function).fit(method, seed=0)


def test_a_discrete_site_has_a_density_all_the_same():
    found = program(counted).log_density({"rate": np.array(1.0), "k": np.array(2)})
    assert found.by_site["k"] == pytest.approx(stats.poisson(3).logpmf(2))
