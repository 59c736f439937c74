"""The methods of the Pyro plugin land where they have to, and leave nothing behind."""

import random
import subprocess
import sys

import numpy as np
import pytest
from pyro_support import BACKEND, make, run, toy

from bayescore import methods
from bayescore.density import coordinates, specification
from bayescore.model import data
from bayescore.tables import default_priors


def deviations(posterior, mean, cov):
    """Of the draws' means, in posterior sds."""
    draws = np.stack([np.mean(v) for v in posterior.parameters().values()])
    return np.abs(draws - mean) / np.sqrt(np.diag(cov))


def test_listing_the_backend_imports_no_torch():
    code = "import sys, bayescore_pyro.plugin as p; list(p.bayescore_backends()); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("guide", ["mean_field", "full_rank"])
def test_svi_reaches_the_exact_posterior(guide):
    model, rows, mean, cov = toy()
    fit, posterior = run(model, rows, methods.SVI(guide=guide, steps=400, particles=32))
    sd = np.sqrt(np.diag(cov))
    assert np.all(np.abs(posterior.moments.mean - mean) < 0.05 * sd)
    np.testing.assert_allclose(posterior.moments.sd, sd, rtol=0.05)
    assert set(fit.iterates) == {"loc", "log_scale"} | ({"lower"} if guide == "full_rank" else set())
    assert fit.iterates["loc"].shape == (200, 2)
    assert fit.losses.shape == (400,)
    log_joint = specification.LogJoint(model, rows)(posterior.draws)
    assert np.mean(posterior.sample_stats["log_q"] - log_joint) == pytest.approx(fit.losses[200:].mean(), abs=0.05)


def test_the_guides_moments_are_those_of_its_draws():
    _, rows, _, _ = toy()
    free = default_priors.state("Gaussian", rows, {"intercept": "Flat()", "beta": "Flat()", "sigma": "HalfCauchy(1)"})
    _, posterior = run(free, rows, methods.SVI(steps=100, draws=20_000))
    drawn = np.stack(list(posterior.parameters().values()))[:, 0]
    np.testing.assert_allclose(drawn.mean(axis=1), posterior.moments.mean, atol=0.03 * posterior.moments.sd.max())
    np.testing.assert_allclose(drawn.std(axis=1), posterior.moments.sd, rtol=0.02)


def test_minibatches_and_schedules():
    model, rows, mean, cov = toy()
    method = methods.SVI(steps=600, batch_size=25, rate=0.05, schedule="cosine")
    _, posterior = run(model, rows, method)
    assert np.all(np.abs(posterior.moments.mean - mean) < 0.3 * np.sqrt(np.diag(cov)))


def test_the_tutorials_settings_run():
    model, rows, _, _ = toy()
    _, posterior = run(model, rows, methods.SVI.tutorial())
    assert posterior.draws["beta"].mean() == pytest.approx(3, abs=0.2)


def test_a_guide_of_ones_own():
    import pyro
    import torch
    from pyro import distributions as dist

    def guide(coordinates):
        loc = pyro.param("centre", torch.zeros(coordinates.size))
        log_scale = pyro.param("log_scale", torch.zeros(coordinates.size))
        pyro.sample("z", dist.Normal(loc, log_scale.exp()).to_event(1))

    model, rows, mean, cov = toy()
    fit, posterior = run(model, rows, methods.SVI(guide=guide, steps=300, schedule="cosine"))
    assert posterior.shape == (1, 10_000)
    assert posterior.moments is None
    assert not fit.iterates
    assert np.all(deviations(posterior, mean, cov) < 0.1)


def test_an_automatic_guide():
    from pyro.infer.autoguide import AutoMultivariateNormal

    model, rows, mean, cov = toy()
    method = methods.SVI(guide=AutoMultivariateNormal, steps=300, schedule="cosine", draws=4000)
    _, posterior = run(model, rows, method)
    assert np.all(deviations(posterior, mean, cov) < 0.15)


def test_nuts_records_every_iteration():
    _, rows, _, _ = toy()
    stated = {"intercept": "Normal(0, 10)", "beta[x]": "Cauchy(0, 10)", "sigma": "HalfNormal(1)"}
    model = default_priors.state("Gaussian", rows, stated)
    told = []
    native = BACKEND.build_data(model, rows)
    method = methods.NUTS(chains=2, warmup=100, draws=150)
    fit = BACKEND.fit(model, native, method, seed=1, progress=lambda step, total, **figures: told.append((step, total)))
    posterior = BACKEND.sample_posterior(fit, seed=5)
    stats = posterior.sample_stats
    assert posterior.shape == (2, 150)
    assert told[-1] == (500, 500)
    assert {name: values.shape for name, values in stats.items()} == dict.fromkeys(stats, (2, 150))
    assert set(stats) >= {"diverging", "energy", "tree_depth", "lp", "acceptance_rate"}
    assert stats["diverging"].dtype == bool
    assert stats["tree_depth"].min() >= 1
    assert stats["tree_depth"].max() <= method.max_tree_depth
    assert 0.6 < stats["acceptance_rate"].mean() < 0.99
    assert np.all(stats["energy"] > -stats["lp"].max())
    lp = specification.LogJoint(model, rows)(posterior.draws) + np.log(posterior.draws["sigma"])
    np.testing.assert_allclose(stats["lp"], lp + coordinates.for_method(model, rows, method).log_det, rtol=1e-9)
    assert posterior.draws["sigma"].mean() == pytest.approx(0.1, abs=0.02)


def test_mle_is_least_squares():
    _, rows, _, cov = toy()
    model = default_priors.state("Gaussian", rows, {"intercept": "Flat()", "beta": "Flat()", "sigma": "Flat()"})
    fit, posterior = run(model, rows, methods.MLE())
    design = np.column_stack([np.ones(rows.rows), rows.x])
    best, rss, *_ = np.linalg.lstsq(design, rows.y)
    got = np.stack([v.item() for v in posterior.parameters().values()])
    assert np.all(np.abs(got[:2] - best) < 1e-3 * np.sqrt(np.diag(cov)))
    assert got[2] == pytest.approx(np.sqrt(rss[0] / rows.rows), rel=1e-6)
    assert posterior.estimand == "mle"
    assert fit.losses[-1] < fit.losses[0]


def test_mle_without_intercept_and_without_columns():
    _, rows, _, _ = toy()
    slope = default_priors.state("Gaussian(sigma=0.1)", rows, {"beta": "Flat()"}, intercept=False)
    _, posterior = run(slope, rows, methods.MLE())
    assert posterior.draws["beta"].item() == pytest.approx(rows.x[:, 0] @ rows.y / np.sum(rows.x**2), rel=1e-6)
    bare = data.Data(rows.x[:, :0], rows.y, ())
    _, posterior = run(default_priors.state("Gaussian(sigma=0.1)", bare, {"intercept": "Flat()"}), bare, methods.MLE())
    assert posterior.draws["intercept"].item() == pytest.approx(rows.y.mean(), rel=1e-6)


def test_mle_trains_a_module_as_the_tutorial_does(monkeypatch):
    from torch import nn

    model, rows, _, _ = toy()
    seen = []
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: seen.append(self) or forward(self, x))
    losses = []
    BACKEND.fit(
        model,
        BACKEND.build_data(model, rows),
        methods.MLE(standardize=False, schedule="constant"),
        seed=0,
        progress=lambda step, total, **figures: losses.append(figures["loss"]),
    )
    assert len({id(module) for module in seen}) == 1
    assert len(losses) == 21
    assert losses[-1] == pytest.approx(0.01, rel=0.3)


def test_map_is_the_mode():
    model, rows, mean, cov = toy()
    _, posterior = run(model, rows, methods.MAP())
    assert posterior.estimand == "map"
    assert np.all(deviations(posterior, mean, cov) < 1e-3)


@pytest.mark.parametrize("text", ["svi(steps=3)", "svi(steps=3, guide=full_rank)", "nuts(warmup=5, draws=3)"])
def test_a_seed_decides_and_the_global_state_stays(text):
    import pyro
    import torch

    def state():
        return (
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            random.getstate(),
            sorted(pyro.get_param_store().keys()),
            pyro.settings.get(),
        )

    model, rows, _, _ = toy()
    pyro.param("of the user", torch.zeros(1))
    before = state()
    _, first = run(model, rows, methods.parse(text), seed=3)
    _, second = run(model, rows, methods.parse(text), seed=3)
    _, third = run(model, rows, methods.parse(text), seed=4)
    assert state() == before
    pyro.get_param_store().clear()
    np.testing.assert_array_equal(first.draws["beta"], second.draws["beta"])
    assert not np.array_equal(first.draws["beta"], third.draws["beta"])


@pytest.mark.parametrize("text", ["svi(steps=200)", "nuts(chains=1, warmup=50, draws=100)", "mle", "map"])
def test_float32(text):
    model, rows, mean, cov = toy()
    _, posterior = run(model, rows, methods.parse(text), backend=make("float32"))
    assert np.all(deviations(posterior, mean, cov) < 0.5)
    assert all(values.dtype == np.float64 for values in posterior.draws.values())


@pytest.mark.parametrize("method", [methods.SVI(), methods.NUTS(), methods.MLE(), methods.MAP(), methods.Laplace()])
def test_smoke(method):
    model, rows, _, _ = toy()
    _, posterior = run(model, rows, method.smoke())
    assert all(np.all(np.isfinite(values)) for values in posterior.draws.values())
