"""Programs of one's own in Pyro: their sites, and their log density against an independent computation."""

import math

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from pyro.infer.reparam import LocScaleReparam
from pyro.nn import PyroModule, PyroSample
from pyro_support import BACKEND, by_name, make, program
from scipy import special, stats

from bayescore.errors import DataError, UnsupportedError

Y = np.array([1.0, 2.0, 3.0, -1.0, 0.5])


def normal(y):
    mu = pyro.sample("mu", dist.Normal(1.0, 2.0))
    sigma = pyro.sample("sigma", dist.Gamma(2.0, 3.0))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(mu, sigma), obs=y)


AT = {"mu": np.array(0.3), "sigma": np.array(0.7)}


def test_terms_by_site_and_row():
    found = program(normal, y=Y).log_density(AT)
    rows = stats.norm.logpdf(Y, 0.3, 0.7)
    expected = {"mu": stats.norm.logpdf(0.3, 1, 2), "sigma": stats.gamma.logpdf(0.7, 2, scale=1 / 3), "y": rows.sum()}
    assert found.by_site == pytest.approx(expected, rel=1e-13)
    assert found.total == pytest.approx(sum(expected.values()), rel=1e-13)
    np.testing.assert_allclose(found.by_row["y"], rows, rtol=1e-13)
    assert found.by_row["mu"].shape == ()


def test_sites_at_a_point():
    sites = by_name(program(normal, y=Y), AT)
    assert list(sites) == ["mu", "sigma", "y"]
    assert [site.role for site in sites.values()] == ["latent", "latent", "observed"]
    assert (sites["sigma"].distribution, sites["sigma"].support, sites["sigma"].ends) == (
        "Gamma",
        "positive",
        (0.0, math.inf),
    )
    assert sites["sigma"].parameters == {"concentration": 2.0, "rate": 3.0}
    np.testing.assert_array_equal(sites["y"].parameters["loc"], np.full(5, 0.3))
    np.testing.assert_array_equal(sites["y"].value, Y)


def test_draws_of_sites_are_by_the_seed():
    one, same, other = (program(normal, y=Y).sites(seed=seed)[0].value for seed in (1, 1, 2))
    assert one == same != other


def test_to_event_plates_scales_and_masks():
    keep = np.array([True, False, True, True, True])

    def model(y, keep, x):
        b = pyro.sample("b", dist.Normal(torch.zeros(3), 2.0).to_event(1))
        with pyro.plate("outer", 2, dim=-2), pyro.plate("rows", len(y), dim=-1), poutine.scale(scale=3.0):
            with poutine.mask(mask=keep):
                pyro.sample("y", dist.Normal(b[0], 1.0), obs=y.expand(2, 5))
            pyro.sample("x", dist.Normal(b, 1.0).to_event(1).mask(keep), obs=x.expand(2, 5, 3))

    b, x = np.array([0.5, -1.0, 2.0]), np.random.default_rng(0).normal(size=(5, 3))
    made = program(model, y=np.where(keep, Y, np.nan), keep=keep, x=x)
    found = made.log_density({"b": b})
    y_rows = np.where(keep, 3 * stats.norm.logpdf(Y, 0.5, 1), 0.0)
    x_rows = np.where(keep, 3 * stats.norm.logpdf(x, b, 1).sum(-1), 0.0)
    assert found.by_site["b"] == pytest.approx(stats.norm.logpdf(b, 0, 2).sum(), rel=1e-13)
    np.testing.assert_allclose(found.by_row["y"], np.tile(y_rows, (2, 1)), rtol=1e-13)
    np.testing.assert_allclose(found.by_row["x"], np.tile(x_rows, (2, 1)), rtol=1e-13)
    assert found.total == pytest.approx(found.by_site["b"] + 2 * (y_rows.sum() + x_rows.sum()), rel=1e-13)
    x_site = by_name(made)["x"]
    assert (x_site.distribution, x_site.event_dim, x_site.parameters["loc"].shape) == ("Normal", 1, (2, 5, 3))


@pytest.mark.parametrize(
    ("law", "name", "parameters", "support", "ends"),
    [
        (lambda: dist.Bernoulli(logits=torch.tensor(0.5)), "Bernoulli", {"probs"}, "boolean", None),
        (lambda: dist.Categorical(logits=torch.zeros(3)), "Categorical", {"probs"}, "integers", (0, 2)),
        (lambda: dist.Binomial(7, logits=torch.tensor(0.2)), "Binomial", {"total_count", "probs"}, "integers", (0, 7)),
        (lambda: dist.Poisson(2.0), "Poisson", {"rate"}, "integers", (0, math.inf)),
        (lambda: dist.ZeroInflatedPoisson(torch.tensor(2.0), gate_logits=torch.tensor(0.1)), "ZeroInflatedPoisson",
         {"gate", "rate"}, "integers", (0, math.inf)),
        (lambda: dist.GammaPoisson(2.0, 3.0), "GammaPoisson", {"concentration", "rate"}, "integers", (0, math.inf)),
        (lambda: dist.NegativeBinomial(2.0, logits=torch.tensor(0.3)), "NegativeBinomial", {"total_count", "probs"},
         "integers", (0, math.inf)),
        (lambda: dist.OrderedLogistic(torch.tensor(0.2), torch.tensor([-1.0, 1.0])), "OrderedLogistic",
         {"predictor", "cutpoints"}, "integers", (0, 2)),
        (lambda: dist.HalfCauchy(2.0), "HalfCauchy", {"scale"}, "positive", (0, math.inf)),
        (lambda: dist.StudentT(4.0, 1.0, 2.0), "StudentT", {"df", "loc", "scale"}, "real", None),
        (lambda: dist.LogNormal(0.0, 1.0), "LogNormal", {"loc", "scale"}, "positive", (0, math.inf)),
        (lambda: dist.Uniform(-1.0, 3.0), "Uniform", {"low", "high"}, "interval", (-1, 3)),
        (lambda: dist.Beta(2.0, 3.0), "Beta", {"concentration0", "concentration1"}, "interval", (0, 1)),
        (lambda: dist.Pareto(1.5, 2.0), "Pareto", {"alpha", "scale"}, "positive", (1.5, math.inf)),
        (lambda: dist.Dirichlet(torch.ones(3)), "Dirichlet", {"concentration"}, "simplex", None),
        (lambda: dist.MultivariateNormal(torch.zeros(2), scale_tril=torch.eye(2)), "MultivariateNormal",
         {"loc", "covariance_matrix"}, "real", None),
        (lambda: dist.LKJCholesky(3, 2.0), "LKJCholesky", {"concentration"}, "correlation_cholesky", None),
        (lambda: dist.LKJ(3, 2.0), "LKJ", {"concentration"}, "correlation_matrix", None),
        (lambda: dist.MixtureSameFamily(dist.Categorical(torch.ones(2)), dist.Normal(torch.zeros(2), 1.0)),
         "MixtureSameFamily", {"mixing_probs", "loc", "scale"}, "real", None),
        (lambda: dist.TransformedDistribution(dist.Normal(torch.zeros(3), 1.0).to_event(1),
         dist.transforms.OrderedTransform()), "TransformedDistribution", {"loc", "scale"}, "ordered", None),
        (lambda: dist.ImproperUniform(dist.constraints.positive, (), ()), "ImproperUniform", set(), "positive",
         (0, math.inf)),
    ],
)  # fmt: skip
def test_names_parameters_and_supports(law, name, parameters, support, ends):
    def model():
        value = None if name != "ImproperUniform" else torch.tensor(1.0)
        pyro.sample("x", law(), obs=value)

    site = by_name(program(model))["x"]
    assert (site.distribution, set(site.parameters), site.support) == (name, parameters, support)
    assert site.ends == ((-math.inf, math.inf) if ends is None else ends)
    assert all(value.dtype == np.float64 for value in site.parameters.values())


def test_logits_are_told_as_probabilities():
    logits = torch.tensor([0.2, -1.0])

    def model():
        with pyro.plate("rows", 2):
            pyro.sample("x", dist.Bernoulli(logits=logits))

    np.testing.assert_allclose(by_name(program(model))["x"].parameters["probs"], special.expit([0.2, -1.0]), rtol=1e-6)


@pytest.mark.parametrize(
    ("law", "outside"),
    [
        (lambda: dist.Gamma(2.0, 1.0), -1.0),
        (lambda: dist.Uniform(0.0, 1.0), 2.0),
        (lambda: dist.Poisson(2.0), -1.0),
        (lambda: dist.Poisson(2.0), 1.5),
        (lambda: dist.HalfNormal(1.0), -0.5),
        (lambda: dist.HalfNormal(1.0, validate_args=True), -0.5),
        (lambda: dist.LogNormal(0.0, 1.0), -2.0),
        (lambda: dist.Bernoulli(0.3), 3.0),
        (lambda: dist.Beta(2.0, 2.0), 1.5),
        (lambda: dist.Binomial(3, 0.5), 4.0),
        (lambda: dist.Dirichlet(torch.ones(2)), (0.7, 0.7)),
        (lambda: dist.LKJCholesky(2, 1.0), ((1.0, 0.0), (1.0, 1.0))),
        (lambda: dist.HalfNormal(torch.ones(2)).to_event(1), (0.5, -0.5)),
    ],
)
def test_outside_the_support_the_density_is_zero(law, outside):
    def model(y):
        pyro.sample("x", law())
        pyro.sample("y", law(), obs=y)

    outside = np.asarray(outside)
    found = program(model, y=outside).log_density({"x": outside})
    assert found.by_site == {"x": -math.inf, "y": -math.inf}
    assert found.total == -math.inf


def test_correlations_of_single_precision_are_in_their_support():
    factor = np.linalg.cholesky(stats.random_correlation.rvs((0.5, 1.0, 1.5), random_state=1))
    rounded = factor.astype(np.float32).astype(np.float64)

    def model():
        pyro.sample("c", dist.LKJCholesky(3, 2.0))
        pyro.sample("p", dist.Dirichlet(torch.ones(3)))

    shares = np.float64(np.float32([0.1, 0.2, 0.7]))
    assert math.isfinite(program(model).log_density({"c": rounded, "p": shares}).total)


def test_whole_numbers_are_counts_and_indices():
    def model(group, y, k, size):
        assert group.dtype == torch.int64 and isinstance(size, int)
        a = pyro.sample("a", dist.Normal(torch.zeros(size), 1.0).to_event(1))
        with pyro.plate("rows", len(y)):
            pyro.sample("y", dist.Bernoulli(logits=a[group]), obs=y)
            pyro.sample("k", dist.Poisson(a[group].exp()), obs=k)

    group, y, k, a = np.array([0, 1, 1]), np.array([1, 0, 1]), np.array([2, 0, 3]), np.array([0.3, -0.4])
    found = program(model, group=group, y=y, k=k, size=2).log_density({"a": a})
    np.testing.assert_allclose(found.by_row["y"], stats.bernoulli.logpmf(y, special.expit(a[group])), rtol=1e-12)
    np.testing.assert_allclose(found.by_row["k"], stats.poisson.logpmf(k, np.exp(a[group])), rtol=1e-12)


def test_reparametrized_sites_are_deterministic():
    @poutine.reparam(config={"theta": LocScaleReparam(0.0)})
    def model(y):
        mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
        with pyro.plate("rows", len(y)):
            theta = pyro.sample("theta", dist.Normal(mu, 2.0))
            pyro.sample("y", dist.Normal(theta, 1.0), obs=y)

    values = {"mu": np.array(0.5), "theta_decentered": Y / 2}
    made = program(model, y=Y)
    sites = by_name(made, values)
    assert {name: site.role for name, site in sites.items()} == {
        "mu": "latent",
        "theta_decentered": "latent",
        "theta": "deterministic",
        "y": "observed",
    }
    np.testing.assert_allclose(sites["theta"].value, 0.5 + Y)
    found = made.log_density(values)
    assert found.by_site["theta_decentered"] == pytest.approx(stats.norm.logpdf(Y / 2).sum(), rel=1e-13)
    assert found.by_site["y"] == pytest.approx(stats.norm.logpdf(Y, 0.5 + Y, 1).sum(), rel=1e-13)
    assert "theta" not in found.by_site


class Line(PyroModule):
    """A linear model with priors on its weights, as `bayescore_pyro.lift` makes them."""

    def __init__(self, weight=None):
        super().__init__()
        self.linear = PyroModule[torch.nn.Linear](2, 1)
        self.linear.weight = PyroSample(dist.Normal(0.0, 1.0).expand([1, 2]).to_event(2)) if weight is None else weight
        self.linear.bias = PyroSample(dist.Normal(0.0, 1.0).expand([1]).to_event(1))

    def forward(self, x, y):
        mean = self.linear(x).squeeze(-1)
        with pyro.plate("rows", len(y)):
            pyro.sample("y", dist.Normal(mean, 1.0), obs=y)


def test_a_module_with_priors():
    x = np.random.default_rng(0).normal(size=(5, 2))
    weight, bias = np.array([[0.5, -1.0]]), np.array([0.2])
    found = program(Line(), x=x, y=Y).log_density({"linear.weight": weight, "linear.bias": bias})
    np.testing.assert_allclose(found.by_row["y"], stats.norm.logpdf(Y, x @ weight[0] + bias, 1), rtol=1e-12)
    assert found.by_site["linear.weight"] == pytest.approx(stats.norm.logpdf(weight).sum(), rel=1e-13)


def learnable():
    pyro.sample("x", dist.Normal(pyro.param("loc", torch.tensor(0.0)), 1.0))


def module_parameter(x):
    layer = torch.nn.Linear(1, 1)
    pyro.sample("y", dist.Normal(layer(x), 1.0).to_event(2), obs=x)


def subsampled(x):
    with pyro.plate("rows", 5, subsample_size=2) as rows:
        pyro.sample("y", dist.Normal(0.0, 1.0), obs=x[rows])


def given_rows(x):
    with pyro.plate("rows", 5, subsample=torch.arange(2)) as rows:
        pyro.sample("y", dist.Normal(0.0, 1.0), obs=x[rows])


def branching():
    if pyro.sample("x", dist.Normal(0.0, 1.0)) * 0 + torch.randn(()) > 0:
        pyro.sample("extra", dist.Normal(0.0, 1.0))


@pytest.mark.parametrize(
    ("function", "data", "said"),
    [
        (learnable, {}, "learnable parameter, 'loc'"),
        (Line(torch.nn.Parameter(torch.zeros(1, 2))), {"x": np.ones((5, 2)), "y": Y}, "parameter, 'linear.weight'"),
        (module_parameter, {"x": np.ones((3, 1))}, "site 'y' depends on a learnable tensor"),
        (subsampled, {"x": Y}, "plate 'rows' takes 2 of 5 rows"),
        (given_rows, {"x": Y}, "plate 'rows' takes 2 of 5 rows"),
        (branching, {}, "site 'extra' is there or not"),
    ],
)
def test_refused_with_a_sentence(function, data, said):
    for ask in (lambda made: made.sites(), lambda made: made.log_density({})):
        with pytest.raises(UnsupportedError, match=said):
            ask(BACKEND.program(function, data))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mu": np.array(0.0)}, "no values of the site 'sigma'"),
        ({**AT, "tau": np.array(0.0)}, "no latent site 'tau'"),
        ({**AT, "mu": np.zeros(2)}, r"'mu' has the shape \(\), its values \(2,\)"),
    ],
)
def test_wrong_values(values, said):
    with pytest.raises(DataError, match=said):
        program(normal, y=Y).log_density(values)


def test_global_state_is_left_alone(capsys):
    pyro.clear_param_store()
    pyro.param("mine", torch.tensor(1.0))

    def model(y):
        print("hello")
        torch.set_default_dtype(torch.float32)
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002
        pyro.enable_validation(True)
        pyro.clear_param_store()
        y += 1.0  # its own tensors, not the caller's
        normal(y)

    def state():
        return torch.get_default_dtype(), torch.get_rng_state(), np.random.get_state()[1], pyro.settings.get()  # noqa: NPY002

    data, before = Y.copy(), state()
    made = program(model, y=data)
    found = [made.log_density(AT).total for _ in range(2)]
    made.sites()
    for one, other in zip(before, state(), strict=True):
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else np.all(one == other)
    assert found[0] == found[1] == pytest.approx(program(normal, y=Y + 1).log_density(AT).total, rel=1e-6)
    np.testing.assert_array_equal(data, Y)
    assert list(pyro.get_param_store()) == ["mine"]
    assert "hello" in capsys.readouterr().out
    pyro.clear_param_store()


def test_what_a_program_raises_is_told_as_it_is():
    def model():
        pyro.sample("x", dist.Normal(0.0, 1.0))
        raise ValueError("no such file")

    with pytest.raises(ValueError, match=r"^no such file$"):
        program(model).sites()


def test_single_precision():
    found = program(normal, make("float32"), y=Y).log_density(AT)
    exact = program(normal, y=Y).log_density(AT)
    assert found.total == pytest.approx(exact.total, rel=1e-5)
    assert found.total != exact.total
