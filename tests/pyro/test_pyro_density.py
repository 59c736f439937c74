"""The stated Pyro model has the density that the specification says."""

import numpy as np
import pytest
from pyro_support import BACKEND, make, run, toy

from bayescore import data, density, regression

COEFFICIENT = ["Normal(0.5, 2)", "StudentT(4, 0.5, 2)", "Cauchy(0.5, 2)", "Laplace(0.5, 2)", "Flat()"]
AUXILIARY = [
    "HalfNormal(2)",
    "HalfCauchy(2)",
    "Exponential(0.7)",
    "InverseGamma(3, 2)",
    "Gamma(3, 2)",
    "LogNormal(0.3, 0.8)",
    "Flat()",
]


def some_rows(p=3, binary=False):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, p))
    y = x.sum(axis=1) + rng.normal(size=30)
    return data.from_arrays(x, (y > 0).astype(float) if binary else y, columns=[f"x{j}" for j in range(p)])


def check(model, rows, rtol=1e-12, backend=BACKEND):
    rng = np.random.default_rng(2)
    native = backend.build_data(model, rows)
    for _ in range(3):
        values = {
            site.name: np.exp(rng.normal(size=site.shape))
            if site.support == "positive"
            else rng.normal(size=site.shape)
            for site in model.sites
        }
        expected, got = density.log_density(model, rows, values), backend.log_density(model, native, values)
        assert got.total == pytest.approx(expected.total, rel=rtol)
        assert got.by_site == pytest.approx(dict(expected.by_site), rel=rtol, abs=rtol)
        for name, slope in expected.gradient.items():
            np.testing.assert_allclose(got.gradient[name], slope, rtol=rtol * 10, atol=rtol * 10)


@pytest.mark.parametrize("prior", COEFFICIENT)
def test_coefficient_priors(prior):
    rows = some_rows()
    priors = {"intercept": prior, "beta": prior, "sigma": "HalfNormal(1)"}
    check(regression.state("Gaussian", rows.columns, priors), rows)


@pytest.mark.parametrize("prior", AUXILIARY)
def test_auxiliary_priors(prior):
    rows = some_rows()
    priors = {"intercept": "Normal(0, 1)", "beta": "Normal(0, 1)", "sigma": prior}
    check(regression.state("Gaussian", rows.columns, priors), rows)


def test_each_coefficient_its_own_prior():
    rows = some_rows(p=5)
    priors = {f"beta[x{j}]": COEFFICIENT[(2 * j) % 5] for j in range(5)}
    check(regression.state("Gaussian(sigma=2)", rows.columns, {"intercept": "Flat()"} | priors), rows)


def test_bernoulli_without_intercept():
    rows = some_rows(binary=True)
    check(regression.state("Bernoulli", rows.columns, {"beta": "Normal(0, 1)"}, intercept=False), rows)


def test_intercept_alone():
    rows = some_rows(p=0)
    check(regression.state("Gaussian(sigma=2)", (), {"intercept": "Normal(0, 1)"}), rows)


def test_float32():
    rows = some_rows()
    model = regression.state("Gaussian(sigma=2)", rows.columns, {"intercept": "Normal(0, 1)", "beta": "Normal(0, 1)"})
    check(model, rows, rtol=1e-5, backend=make("float32"))


def test_mixed_prior_draws_each_element_from_its_own():
    import torch
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.translation import joint_prior

    from bayescore import distributions

    priors = [distributions.parse(text) for text in ("Normal(5, 1e-6)", "Laplace(-3, 1e-6)", "Normal(7, 1e-6)")]
    with isolated("float64", 0):
        drawn = joint_prior(priors).sample((4,))
    torch.testing.assert_close(
        drawn, torch.tensor([5.0, -3.0, 7.0], dtype=torch.float64).expand(4, 3), atol=1e-3, rtol=0
    )


def test_every_prior_and_family_of_the_core_is_in_the_tables():
    from bayescore_pyro.plugin import SUPPORTS
    from bayescore_pyro.translation import PRIORS, RESPONSES

    from bayescore import distributions, families

    declared = {name.rpartition(":")[-1] for name in SUPPORTS if name.startswith("prior:")}
    assert {cls.__name__ for cls in PRIORS} == declared <= set(distributions.DISTRIBUTIONS)
    families_declared = {name.partition(":")[-1] for name in SUPPORTS if name.startswith("family:")}
    assert {cls.__name__ for cls in RESPONSES} == families_declared <= set(families.FAMILIES)


def test_the_compiled_density_is_the_models_own():
    import torch
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.stated import state
    from bayescore_pyro.target import Target, compile_density

    from bayescore import coordinates, methods

    rows = some_rows()
    priors = {"intercept": "Cauchy(0, 1)", "beta": "Normal(0, 1)", "sigma": "Exponential(1)"}
    model = regression.state("Gaussian", rows.columns, priors)
    native = BACKEND.build_data(model, rows)
    with isolated("float64", 0):
        at = coordinates.for_method(model, rows, methods.NUTS())
        target = Target(state(model), native.x, native.y, at)
        compiled = compile_density(target.log_joint, torch.zeros(target.size))
        for _ in range(3):
            z = torch.randn(target.size, requires_grad=True)
            plain, fast = target.log_joint(z), compiled(z)
            assert torch.equal(plain, fast)
            slopes = [torch.autograd.grad(value, z)[0] for value in (plain, fast)]
            torch.testing.assert_close(*slopes, rtol=1e-13, atol=1e-13)
            by_core = density.LogJoint(model, rows)(at.constrained(z.detach().numpy()))
            log_sigma = at.unconstrained(z.detach().numpy())[-1]
            assert plain.item() == pytest.approx(float(by_core) + log_sigma + at.log_det, rel=1e-10)


def test_predictions():
    from bayescore import methods

    model, rows, _, _ = toy()
    fit, posterior = run(model, rows, methods.SVI(steps=10, draws=2000))
    means = BACKEND.predict(fit, posterior, rows.take(slice(0, 5)), seed=1)
    by_hand = posterior.draws["intercept"][..., None] + posterior.draws["beta"] @ rows.x[:5].T
    np.testing.assert_allclose(means, by_hand, rtol=1e-12)
    responses = BACKEND.predict(fit, posterior, rows.take(slice(0, 5)), kind="response", seed=1)
    np.testing.assert_allclose((responses - means).std(axis=(0, 1)), 0.1, rtol=0.08)
    again = BACKEND.predict(fit, posterior, rows.take(slice(0, 5)), kind="response", seed=1)
    np.testing.assert_array_equal(responses, again)
