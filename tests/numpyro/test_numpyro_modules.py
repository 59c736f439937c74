"""Lifted modules: an equinox or flax nnx module whose parameters have priors, fitted and drawn from."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpyro_support import DATA, TABLE, exact_toy

import bayescore
from bayescore import methods
from bayescore.errors import RequestError
from bayescore.model.data import from_arrays
from bayescore.tables.problem import from_data

jax = pytest.importorskip("jax", reason="the NumPyro plugin needs it")
eqx = pytest.importorskip("equinox", reason="modules of equinox need it")
nnx = pytest.importorskip("flax.nnx", reason="modules of flax need it")
LIBRARIES = ["equinox", "flax"]
SIGMA = "Gaussian(sigma=0.1)"


class Line(eqx.Module):
    linear: eqx.nn.Linear

    def __init__(self):
        self.linear = eqx.nn.Linear(1, 1, key=jax.random.key(0))

    def __call__(self, x):
        return self.linear(x)


class Kernel(nnx.Module):
    def __init__(self):
        self.linear = nnx.Linear(1, 1, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return self.linear(x)


def net(library):
    """A module, and the name of its weight."""
    return (Line(), "linear.weight") if library == "equinox" else (Kernel(), "linear.kernel")


def weights(module):
    return np.asarray(module.linear.weight if isinstance(module, Line) else module.linear.kernel[...])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_lifted_module_samples_its_parameters_inside_of_a_model(library):
    from bayescore_numpyro import lift
    from numpyro import handlers

    module, weight = net(library)
    before = weights(module).copy()
    lifted = lift(module, "Normal(0, 10)")
    trace = handlers.trace(handlers.seed(lifted, 0)).get_trace(jax.numpy.ones((4, 1)))
    assert {name: site["value"].shape for name, site in trace.items()} == {weight: (1, 1), "linear.bias": (1,)}
    output = handlers.substitute(lifted, {weight: jax.numpy.array([[2.0]]), "linear.bias": jax.numpy.array([1.0])})
    np.testing.assert_allclose(output(jax.numpy.array([[3.0], [4.0]])), [[7.0], [9.0]])
    assert np.array_equal(weights(module), before)


@pytest.mark.parametrize("library", LIBRARIES)
def test_sample_prior_draws_plain_regressors(library):
    from bayescore_numpyro import lift, sample_prior

    module, weight = net(library)
    lifted = lift(module, {weight: "Normal(0, 10)", "linear.bias": "HalfNormal(2)"})
    drawn = [sample_prior(lifted, seed) for seed in range(400)]
    assert type(drawn[0]) is type(module)
    found = np.array([weights(d).item() for d in drawn])
    assert found.std() == pytest.approx(10, rel=0.15)
    assert min(d.linear.bias[...].item() for d in drawn) > 0
    assert weights(sample_prior(lifted, 7)).item() == found[7]


@pytest.mark.parametrize(
    ("library", "method", "tolerance"),
    [
        ("equinox", methods.SVI(guide="full_rank", steps=400), 0.05),
        ("flax", methods.SVI(guide="full_rank", steps=300), 0.05),
        ("equinox", methods.NUTS(chains=2, warmup=100, draws=500), 0.2),
        ("equinox", methods.MAP(), 1e-3),
        ("flax", methods.Laplace(), 0.05),
    ],
)
def test_a_lifted_linear_module_is_the_regression(library, method, tolerance):
    from bayescore_numpyro import fit_module, lift

    module, name = net(library)
    mean, sd = exact_toy()
    fit = fit_module(lift(module, "Normal(0, 10)"), DATA.x, DATA.y, SIGMA, method, seed=1)
    weight, bias = fit.posterior.draws[name], fit.posterior.draws["linear.bias"]
    assert weight.shape == (*fit.posterior.shape, 1, 1)
    assert bias.shape == (*fit.posterior.shape, 1)
    assert abs(bias.mean() - mean[0]) < tolerance * sd[0]
    assert abs(weight.mean() - mean[1]) < tolerance * sd[1]
    if fit.posterior.estimand == "posterior":
        np.testing.assert_allclose([bias.std(), weight.std()], sd, rtol=0.1)
    predicted = fit.predict(DATA.x[:3], seed=0)
    np.testing.assert_allclose(predicted, bias + weight[..., 0] * DATA.x[:3, 0], rtol=1e-12)


@pytest.mark.parametrize("family", ["Poisson", "Binomial"])
def test_offset_trials_and_weights_are_those_of_the_regression(family):
    from bayescore_numpyro import fit_module, lift

    rng = np.random.default_rng(0)
    x, offset, weights = rng.normal(size=(40, 1)), rng.normal(size=40), rng.uniform(0.2, 2.0, 40)
    trials = np.full(40, 6.0) if family == "Binomial" else None
    y = rng.binomial(6, 0.4, 40).astype(float)
    data = replace(from_arrays(x, y), offset=offset, weights=weights, trials=trials)
    priors = {"intercept": "Normal(0, 2)", "beta": "Normal(0, 2)"}
    stated = from_data(data, family=family, priors=priors)
    truth = bayescore.compare(stated, ["exact:map"]).outcomes[0].posterior
    lifted = lift(Line(), "Normal(0, 2)")
    given = {"offset": offset, "trials": trials}
    fit = fit_module(lifted, x, y, family, methods.MAP(), weights=weights, **given, seed=1)
    found = [fit.posterior.draws[name].item() for name in ("linear.bias", "linear.weight")]
    np.testing.assert_allclose(found, [truth.draws[name].item() for name in ("intercept", "beta")], atol=1e-4)
    mean = np.exp(offset + found[0] + x[:, 0] * found[1])
    mean = mean if family == "Poisson" else 6 * mean / (1 + mean)
    np.testing.assert_allclose(fit.predict(x, **given, seed=0)[0, 0], mean, rtol=1e-6)


def test_free_sigma_and_positive_weights():
    from bayescore_numpyro import fit_module, lift

    lifted = lift(Line(), {"linear.weight": "HalfNormal(10)", "linear.bias": "Flat()"})
    method = methods.SVI(steps=300)
    fit = fit_module(lifted, DATA.x, DATA.y, "Gaussian", method, auxiliary={"sigma": "HalfNormal(1)"}, seed=1)
    draws = fit.posterior.draws
    assert fit.losses.shape == (300,)
    assert draws["sigma"].mean() == pytest.approx(0.1, abs=0.03)
    assert draws["linear.weight"].min() > 0
    assert draws["linear.weight"].mean() == pytest.approx(3, abs=0.15)


class Dropping(nnx.Module):
    """What is no parameter: dropout, and the means of a normalization."""

    def __init__(self):
        rngs = nnx.Rngs(0)
        self.layers = nnx.List([nnx.Linear(1, 3, rngs=rngs), nnx.Linear(3, 1, rngs=rngs)])
        self.norm, self.drop = nnx.BatchNorm(3, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.layers[1](self.drop(jax.numpy.tanh(self.norm(self.layers[0](x)))))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_network(library):
    from bayescore_numpyro import fit_module, lift

    module = Dropping()
    if library == "equinox":
        layers = [eqx.nn.Linear(1, 3, key=jax.random.key(1)), eqx.nn.Linear(3, "scalar", key=jax.random.key(2))]
        module = eqx.nn.Sequential([layers[0], eqx.nn.Lambda(jax.numpy.tanh), eqx.nn.Dropout(0.5), layers[1]])
    method = methods.SVI(steps=200, draws=500)
    fit = fit_module(lift(module, "Normal(0, 2)"), TABLE[:, :1], TABLE[:, 1], SIGMA, method, seed=1)
    responses = fit.predict(DATA.x, kind="response", seed=0)
    assert responses.shape == (1, 500, 100)
    assert np.sqrt(np.mean((responses.mean(axis=(0, 1)) - DATA.y) ** 2)) < 0.15


def test_wrong_requests_are_refused():
    from bayescore_numpyro import fit_module, lift, sample_prior

    with pytest.raises(RequestError, match=r"no parameter 'linear.wieght'; did you mean 'linear.weight'"):
        lift(Line(), {"linear.wieght": "Normal(0, 1)"})
    with pytest.raises(RequestError, match=r"no prior for linear.bias"):
        lift(Line(), {"linear.weight": "Normal(0, 1)"})
    with pytest.raises(RequestError, match="did you mean 'Normal'"):
        lift(Line(), "Nornal(0, 1)")
    with pytest.raises(RequestError, match="nothing to lift"):
        lift(eqx.nn.Identity(), "Normal(0, 1)")
    with pytest.raises(RequestError, match="neither an equinox module nor a flax nnx module"):
        lift(print, "Normal(0, 1)")
    linear = eqx.nn.Linear(2, 2, key=jax.random.key(0))
    with pytest.raises(RequestError, match=r"layers\.1\.weight is the same parameter"):
        lift(eqx.nn.Sequential([linear, linear]), "Normal(0, 1)")
    with pytest.raises(RequestError, match="improper"):
        sample_prior(lift(Line(), "Flat()"), 0)
    with pytest.raises(RequestError, match="lift"):
        sample_prior(Line(), 0)
    lifted, x, y = lift(Line(), "Normal(0, 1)"), np.zeros((3, 1)), np.array([1.0, 2.0, 3.0])
    with pytest.raises(RequestError, match="mle"):
        fit_module(lifted, x, y, "Gaussian(sigma=1)", "mle", seed=0)
    with pytest.raises(RequestError, match="sigma"):
        fit_module(lifted, x, y, "Gaussian", "svi", seed=0)
    with pytest.raises(RequestError, match="Ordinal needs more"):
        fit_module(lifted, x, y, "Ordinal", "svi", seed=0)
    wide = eqx.nn.Linear(1, 2, key=jax.random.key(0))
    with pytest.raises(RequestError, match=r"must return shape \(3, 1\)"):
        fit_module(lift(wide, "Normal(0, 1)"), x, y, "Gaussian(sigma=1)", "svi", seed=0)


def test_a_library_is_imported_only_for_a_module_of_its_own():
    import subprocess

    code = "import sys, bayescore_numpyro.modules; print({'equinox', 'flax'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
