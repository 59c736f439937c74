"""The stated Pyro model has the density that the specification says, compiled and vectorized as well."""

from dataclasses import replace

import numpy as np
import pytest
from pyro_support import BACKEND, PROBLEMS, TELLING, make

from bayescore import methods
from bayescore.agreement import model_check
from bayescore.density import coordinates, specification
from bayescore.density.mode import unconstrained_density
from bayescore.model import data
from bayescore.regressions.points import points
from bayescore.tables import default_priors


def some_rows(p=3, binary=False):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, p))
    y = x.sum(axis=1) + rng.normal(size=30)
    return data.from_arrays(x, (y > 0).astype(float) if binary else y, columns=[f"x{j}" for j in range(p)])


def check(model, rows, rtol=1e-12, backend=BACKEND):
    rng = np.random.default_rng(2)
    native = backend.build_data(model, rows)
    for _ in range(3):
        values = {site.name: rng.normal(size=site.shape) for site in model.sites}
        expected, got = specification.log_density(model, rows, values), backend.log_density(model, native, values)
        assert got.total == pytest.approx(expected.total, rel=rtol)
        assert got.by_site == pytest.approx(dict(expected.by_site), rel=rtol, abs=rtol)
        for name, slope in expected.gradient.items():
            np.testing.assert_allclose(got.gradient[name], slope, rtol=rtol * 10, atol=rtol * 10)


def test_each_coefficient_its_own_prior():
    rows = some_rows(p=5)
    kinds = ["Normal(0.5, 2)", "StudentT(4, 0.5, 2)", "Cauchy(0.5, 2)", "Laplace(0.5, 2)", "Flat()"]
    own = {f"beta[x{j}]": kinds[(2 * j) % 5] for j in range(5)}
    check(default_priors.state("Gaussian(sigma=2)", rows, {"intercept": "Flat()"} | own), rows)


def test_each_coefficient_of_each_level_its_own_prior():
    categories = ("a", "b", "c")
    rows = replace(some_rows(p=2), y=np.arange(30) % 3.0, categories=categories)
    own = {"beta[b,x1]": "Laplace(0.5, 2)", "beta[c,x0]": "Cauchy(0.5, 2)"}
    check(default_priors.state("Categorical", rows, {"beta": "Normal(0.5, 2)"} | own), rows)


def test_bernoulli_without_intercept():
    rows = some_rows(binary=True)
    check(default_priors.state("Bernoulli", rows, {"beta": "Normal(0, 1)"}, intercept=False), rows)


def test_intercept_alone():
    rows = some_rows(p=0)
    check(default_priors.state("Gaussian(sigma=2)", rows, {"intercept": "Normal(0, 1)"}), rows)


def test_an_intercept_whose_column_is_not_one():
    """Rows that stand for many."""
    rng = np.random.default_rng(3)
    rows = replace(some_rows(), ones=rng.normal(size=30), weights=rng.uniform(0.5, 2.0, 30))
    check(default_priors.state("Gaussian(sigma=2)", rows, {}), rows)


LOSES_DIGITS = {"NegativeBinomial-weights-offset"}
"""lgamma(y + c) - lgamma(c) of a large concentration c keeps three digits in float32, in torch as anywhere."""


@pytest.mark.parametrize("name", TELLING)
def test_float32(name):
    """The same model; where float32 can't show it, that is said, and float64 shows it."""
    problem, backend = PROBLEMS[name], make("float32")
    native = backend.build_data(problem.regression, problem.data)
    at = points(problem.regression, problem.data)
    found = [backend.log_density(problem.regression, native, point) for point in at]
    native = BACKEND.build_data(problem.regression, problem.data)
    precise = [BACKEND.log_density(problem.regression, native, point) for point in at]
    checked = model_check.check("pyro", problem.target, at, found, precision="float32", in_float64=precise)
    assert checked.verdict == ("precision" if name in LOSES_DIGITS else "same"), checked


@pytest.mark.parametrize("name", TELLING)
def test_the_compiled_density_of_particles_is_the_specification(name):
    """Through vmap, make_fx and the core's transforms in torch, with its gradient."""
    import torch
    from bayescore_pyro.density import Density, compile_density
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.stated import state

    problem = PROBLEMS[name]
    at = coordinates.for_method(problem.regression, problem.data, methods.NUTS())
    joint = specification.LogJoint(problem.regression, problem.data)
    with isolated("float64", 0):
        rows = BACKEND.build_data(problem.regression, problem.data).rows
        target = Density(state(problem.regression), rows, at)
        z = torch.randn(3, target.size, requires_grad=True)
        fast = compile_density(torch.vmap(target.log_joint), torch.zeros_like(z))(z)
        slopes = torch.autograd.grad(fast.sum(), z)[0]
        plain = torch.stack([target.log_joint(one) for one in z])
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)
    values, log_det = at.mapped(z.detach().numpy())
    np.testing.assert_allclose(fast.detach().numpy(), joint(values) + log_det, rtol=1e-9, atol=1e-9)
    _, gradient = unconstrained_density(joint, shares=at.shares)
    expected = gradient(at.unconstrained(z.detach().numpy())) @ at.matrix
    np.testing.assert_allclose(slopes, expected, rtol=1e-8, atol=1e-8 * np.max(np.abs(expected)))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_no_digits_are_lost_far_out(link):
    """Success and failure at linear predictors where probabilities are 0 or 1 in double precision."""
    eta = np.array([-38.0, -31.0, -29.0, -8.0, 0.0, 3.5, 6.0])
    for y in (0.0, 1.0):
        rows = data.Data(np.empty((eta.size, 0)), np.full(eta.size, y), (), offset=eta)
        model = default_priors.state(f"Bernoulli(link={link})", replace(rows, y=np.arange(eta.size) % 2.0), {})
        check(model, rows, rtol=1e-11)


def test_ordered_categories_far_out():
    rows = data.Data(np.empty((4, 0)), np.array([0.0, 1.0, 1.0, 2.0]), (), offset=np.array([60.0, 60.0, -60.0, -60.0]))
    model = default_priors.state("Ordinal", replace(rows, categories=("a", "b", "c")), {})
    native = BACKEND.build_data(model, rows)
    values = {"threshold": np.array([-1.0, 2.0])}
    expected, got = specification.log_density(model, rows, values), BACKEND.log_density(model, native, values)
    assert got.total == pytest.approx(expected.total, rel=1e-12)
    np.testing.assert_allclose(got.gradient["threshold"], expected.gradient["threshold"], rtol=1e-10)


@pytest.mark.parametrize("name", TELLING)
def test_the_model_without_a_response_draws_one(name):
    """Draws of the priors and of new responses, of the shapes that are stated."""
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.stated import state
    from pyro import poutine

    problem = PROBLEMS[name]
    with isolated("float64", 0):
        rows = replace(BACKEND.build_data(problem.regression, problem.data).rows, y=None)
        trace = poutine.trace(state(problem.regression).model).get_trace(rows)
    drawn = {n: trace.nodes[n]["value"] for n in trace.stochastic_nodes}
    assert {n: tuple(v.shape) for n, v in drawn.items() if n not in {"data", "y"}} == {
        site.name: site.shape for site in problem.regression.sites
    }
    assert drawn["y"].shape == (problem.data.rows,)


def test_mixed_prior_draws_each_element_from_its_own():
    import torch
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.laws import law

    from bayescore.model.distributions import parse
    from bayescore.model.sites import Independent

    kinds = tuple(parse(text) for text in ("Normal(5, 1e-6)", "Laplace(-3, 1e-6)", "Normal(7, 1e-6)"))
    site = Independent("beta", (3,), ("a", "b", "c"), "real", kinds)
    with isolated("float64", 0):
        drawn = law(site, {}).sample((4,))
    torch.testing.assert_close(
        drawn, torch.tensor([5.0, -3.0, 7.0], dtype=torch.float64).expand(4, 3), atol=1e-3, rtol=0
    )


def test_correlations_are_drawn_as_lkj_says():
    """Each is 2 Beta(a, a) - 1 with a = concentration - 1 + k / 2, of variance 1 / (2 a + 1)."""
    from bayescore_pyro.isolation import isolated
    from bayescore_pyro.laws import Correlations

    with isolated("float64", 0):
        drawn = Correlations(4, 1.5, (6,)).sample((20_000,)).numpy()
    assert drawn.shape == (20_000, 6)
    np.testing.assert_allclose(drawn.var(axis=0), 1 / 6, rtol=0.05)
