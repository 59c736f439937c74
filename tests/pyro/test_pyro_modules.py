"""Lifted modules: a torch module whose parameters have priors, fitted and drawn from."""

from dataclasses import replace

import numpy as np
import pytest
from pyro_support import toy

import bayescore
from bayescore import methods
from bayescore.errors import RequestError
from bayescore.model.data import from_arrays, toy_data
from bayescore.tables.problem import from_data


@pytest.fixture
def net():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x):
            return self.linear(x)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Net()


def test_lifting_names_the_sites_and_leaves_the_module_alone(net):
    import torch
    from bayescore_pyro import lift
    from pyro import poutine
    from pyro.nn import PyroModule

    before = {name: value.clone() for name, value in net.state_dict().items()}
    lifted = lift(net, "Normal(0, 10)")
    assert isinstance(lifted, PyroModule)
    assert type(net).__name__ == "Net" and not isinstance(net, PyroModule)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    trace = poutine.trace(lifted).get_trace(torch.zeros(4, 1, dtype=torch.float64))
    assert {name: tuple(trace.nodes[name]["value"].shape) for name in trace.stochastic_nodes} == {
        "linear.weight": (1, 1),
        "linear.bias": (1,),
    }
    assert not list(lifted.parameters())


def test_sample_prior_draws_plain_regressors(net):
    from bayescore_pyro import lift, sample_prior
    from pyro.nn import PyroModule

    lifted = lift(net, {"linear.weight": "Normal(0, 10)", "linear.bias": "HalfNormal(2)"})
    drawn = [sample_prior(lifted, seed) for seed in range(400)]
    assert not isinstance(drawn[0], PyroModule)
    assert type(drawn[0]) is type(net)
    weights = np.array([d.linear.weight.item() for d in drawn])
    assert weights.std() == pytest.approx(10, rel=0.15)
    assert min(d.linear.bias.item() for d in drawn) > 0
    assert sample_prior(lifted, 7).linear.weight.item() == weights[7]


def test_wrong_requests_are_refused(net):
    from bayescore_pyro import fit_module, lift, sample_prior
    from torch import nn

    with pytest.raises(RequestError, match=r"no parameter 'linear.wieght'; did you mean 'linear.weight'"):
        lift(net, {"linear.wieght": "Normal(0, 1)"})
    with pytest.raises(RequestError, match=r"no prior for linear.bias"):
        lift(net, {"linear.weight": "Normal(0, 1)"})
    with pytest.raises(RequestError, match="did you mean 'Normal'"):
        lift(net, "Nornal(0, 1)")
    with pytest.raises(RequestError, match="nothing to lift"):
        lift(nn.Tanh(), "Normal(0, 1)")
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    with pytest.raises(RequestError, match=r"1\.weight is the same parameter"):
        lift(tied, "Normal(0, 1)")
    with pytest.raises(RequestError, match="improper"):
        sample_prior(lift(net, "Flat()"), 0)
    with pytest.raises(RequestError, match="lift"):
        sample_prior(net, 0)
    lifted, x, y = lift(net, "Normal(0, 1)"), np.zeros((3, 1)), np.array([1.0, 2.0, 3.0])
    with pytest.raises(RequestError, match="mle"):
        fit_module(lifted, x, y, "Gaussian(sigma=1)", "mle", seed=0)
    with pytest.raises(RequestError, match="sigma"):
        fit_module(lifted, x, y, "Gaussian", "svi", seed=0)
    with pytest.raises(RequestError, match=r"must return shape \(3, 1\)"):
        fit_module(lift(nn.Linear(1, 2), "Normal(0, 1)"), x, y, "Gaussian(sigma=1)", "svi", seed=0)


@pytest.mark.parametrize(
    ("method", "tolerance"),
    [
        (methods.SVI(guide="full_rank", steps=400, particles=32), 0.05),
        (methods.NUTS(chains=2, warmup=100, draws=400), 0.2),
        (methods.MAP(), 1e-3),
    ],
)
def test_a_lifted_linear_module_is_the_regression(net, method, tolerance):
    from bayescore_pyro import fit_module, lift

    _, rows, mean, cov = toy()
    fit = fit_module(lift(net, "Normal(0, 10)"), rows.x, rows.y, "Gaussian(sigma=0.1)", method, seed=1)
    weight, bias = fit.posterior.draws["linear.weight"], fit.posterior.draws["linear.bias"]
    assert weight.shape == (*fit.posterior.shape, 1, 1)
    assert bias.shape == (*fit.posterior.shape, 1)
    sd = np.sqrt(np.diag(cov))
    assert abs(bias.mean() - mean[0]) < tolerance * sd[0]
    assert abs(weight.mean() - mean[1]) < tolerance * sd[1]
    if fit.posterior.estimand == "posterior":
        np.testing.assert_allclose([bias.std(), weight.std()], sd, rtol=0.1)
    predicted = fit.predict(rows.x[:3], seed=0)
    np.testing.assert_allclose(predicted, bias + weight[..., 0] * rows.x[:3, 0], rtol=1e-12)


@pytest.mark.parametrize("family", ["Poisson", "Binomial"])
def test_offset_trials_and_weights_are_those_of_the_regression(net, family):
    from bayescore_pyro import fit_module, lift

    rng = np.random.default_rng(0)
    x, offset, weights = rng.normal(size=(40, 1)), rng.normal(size=40), rng.uniform(0.2, 2.0, 40)
    trials = np.full(40, 6.0) if family == "Binomial" else None
    y = rng.binomial(6, 0.4, 40).astype(float)
    data = replace(from_arrays(x, y), offset=offset, weights=weights, trials=trials)
    priors = {"intercept": "Normal(0, 2)", "beta": "Normal(0, 2)"}
    stated = from_data(data, family=family, priors=priors)
    truth = bayescore.compare(stated, ["exact:map"]).outcomes[0].posterior
    lifted = lift(net, "Normal(0, 2)")
    given = {"offset": offset, "trials": trials}
    fit = fit_module(lifted, x, y, family, methods.MAP(), weights=weights, **given, seed=1)
    found = [fit.posterior.draws[name].item() for name in ("linear.bias", "linear.weight")]
    np.testing.assert_allclose(found, [truth.draws[name].item() for name in ("intercept", "beta")], atol=1e-4)
    mean = np.exp(offset + found[0] + x[:, 0] * found[1])
    mean = mean if family == "Poisson" else 6 * mean / (1 + mean)
    np.testing.assert_allclose(fit.predict(x, **given, seed=0)[0, 0], mean, rtol=1e-6)


def test_free_sigma_and_positive_weights(net):
    from bayescore_pyro import fit_module, lift

    _, rows, _, _ = toy()
    lifted = lift(net, {"linear.weight": "HalfNormal(10)", "linear.bias": "Flat()"})
    method = methods.SVI(steps=300)
    fit = fit_module(lifted, rows.x, rows.y, "Gaussian", method, auxiliary={"sigma": "HalfNormal(1)"}, seed=1)
    draws = fit.posterior.draws
    assert draws["sigma"].mean() == pytest.approx(0.1, abs=0.03)
    assert draws["linear.weight"].min() > 0
    assert draws["linear.weight"].mean() == pytest.approx(3, abs=0.15)


def test_a_network():
    import torch
    from bayescore_pyro import fit_module, lift
    from torch import nn

    _, rows, _, _ = toy()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1))
    fit = fit_module(
        lift(network, "Normal(0, 2)"), rows.x, rows.y, "Gaussian(sigma=0.1)", methods.SVI(steps=200, draws=500), seed=1
    )
    responses = fit.predict(rows.x, kind="response", seed=0)
    assert responses.shape == (1, 500, 100)
    assert np.sqrt(np.mean((responses.mean(axis=(0, 1)) - rows.y) ** 2)) < 0.15


def test_a_lifted_modules_parameters_have_names_and_a_guides_moments(net):
    from bayescore_pyro import fit_module, lift

    data = toy_data()
    x, y = data[:, :1], data[:, 1]
    for method in (methods.SVI(steps=400, particles=4, draws=4000), methods.Laplace(draws=4000)):
        fit = fit_module(lift(net, "Normal(0, 10)"), x, y, "Gaussian(sigma=0.1)", method, seed=0)
        parameters = fit.posterior.parameters()
        assert list(parameters) == ["linear.weight[0,0]", "linear.bias[0]"]
        assert fit.posterior.kind == "guide"
        moments = fit.posterior.moments
        assert (moments is not None) == isinstance(method, methods.SVI)
        if moments is not None:
            assert moments.names == tuple(parameters)
            of_draws = np.array([values.mean() for values in parameters.values()])
            np.testing.assert_allclose(of_draws, moments.mean, atol=5 * np.max(moments.sd) / np.sqrt(4000))
