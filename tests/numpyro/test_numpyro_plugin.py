"""What is particular to the NumPyro plugin: densities, coordinates, compiled programs, global state."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from bayescore import coordinates, density, distributions, plugins
from bayescore.contract import Checked
from bayescore.data import from_arrays, toy_data
from bayescore.guide import mean_error, split_rhat
from bayescore.methods import MAP, MLE, NUTS, SVI
from bayescore.regression import state

jax = pytest.importorskip("jax", reason="the NumPyro plugin needs jax")
pytest.importorskip("numpyro", reason="numpyro is not installed")

TOY_PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}
TOY = state("Gaussian(sigma=0.1)", ("x",), TOY_PRIORS)
FREE = state("Gaussian", ("x",), TOY_PRIORS | {"sigma": "HalfNormal(1)"})
TABLE = toy_data(seed=0)
DATA = from_arrays(TABLE[:, :1], TABLE[:, 1])
COEFFICIENT = ["Normal(1, 2)", "StudentT(3, 0, 2)", "Cauchy(0, 2)", "Laplace(1, 2)", "Flat()"]
AUXILIARY = [
    "HalfNormal(2)",
    "HalfCauchy(2)",
    "Exponential(3)",
    "InverseGamma(3, 2)",
    "Gamma(3, 2)",
    "LogNormal(0.5, 2)",
    "Flat()",
]


def backend(precision="float64"):
    registered = plugins.load()["numpyro"]
    return Checked(registered.make(precision), registered.info)


def wide_data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, len(COEFFICIENT)))
    return from_arrays(x, x.sum(axis=1) + rng.normal(size=30), columns=tuple("abcde"))


def exact_toy():
    design = np.column_stack([np.ones(DATA.rows), DATA.x])
    cov = np.linalg.inv(design.T @ design / 0.01 + np.eye(2) / 100)
    return cov @ (design.T @ DATA.y / 0.01), np.sqrt(np.diag(cov))


def fitted(regression, method, seed=0, data=DATA, **more):
    numpyro = backend()
    fit = numpyro.fit(regression, numpyro.build_data(regression, data), method, seed=seed, **more)
    return fit, numpyro.sample_posterior(fit, seed=seed)


def assert_same_density(regression, data, values):
    numpyro = backend()
    got = numpyro.log_density(regression, numpyro.build_data(regression, data), values)
    want = density.log_density(regression, data, values)
    assert got.total == pytest.approx(want.total, rel=1e-12)
    assert got.by_site == pytest.approx(dict(want.by_site), rel=1e-12, abs=1e-14)
    for site, slope in want.gradient.items():
        np.testing.assert_allclose(got.gradient[site], slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sigma", AUXILIARY)
def test_density_and_gradient_equal_the_specification_with_mixed_priors(sigma):
    data = wide_data()
    priors = {f"beta[{c}]": prior for c, prior in zip(data.columns, COEFFICIENT, strict=True)}
    regression = state("Gaussian", data.columns, priors | {"intercept": "Cauchy(0, 5)", "sigma": sigma})
    values = {"intercept": np.array(0.3), "beta": np.array([0.1, -1.2, 0.7, 2.0, 3.1]), "sigma": np.array(1.7)}
    assert_same_density(regression, data, values)


@pytest.mark.parametrize("prior", COEFFICIENT)
def test_density_and_gradient_equal_the_specification_for_each_prior_alone(prior):
    data = wide_data()
    response = from_arrays(data.x, data.y > 0, columns=data.columns)
    regression = state("Bernoulli", data.columns, {"beta": prior}, intercept=False)
    assert_same_density(regression, response, {"beta": np.array([0.1, -1.2, 0.7, 2.0, 3.1])})


def test_positions_of_interleaved_priors_are_kept():
    data = wide_data()
    kinds = ["Normal(0, 1)", "Laplace(0, 1)", "Normal(0, 3)", "Laplace(0, 4)", "Normal(2, 1)"]
    priors = {f"beta[{c}]": prior for c, prior in zip(data.columns, kinds, strict=True)}
    regression = state("Gaussian(sigma=1)", data.columns, priors, intercept=False)
    assert_same_density(regression, data, {"beta": np.array([5.0, 0.5, -3.0, 0.2, 1.0])})


def test_a_model_without_columns_has_a_density():
    nothing = from_arrays(np.empty((30, 0)), wide_data().y, columns=())
    regression = state("Gaussian", (), {"intercept": "Normal(0, 1)", "sigma": "Exponential(1)"})
    assert_same_density(regression, nothing, {"intercept": np.array(0.3), "sigma": np.array(1.7)})


def test_density_in_coordinates_has_the_jacobian():
    from bayescore_numpyro import problem
    from bayescore_numpyro.model import potential
    from bayescore_numpyro.precision import precision_of

    place = coordinates.for_method(FREE, DATA, NUTS())
    z = np.array([0.3, -1.0, 0.7])
    joint = density.log_density(FREE, DATA, place.constrained(z)).total
    want = joint + place.unconstrained(z)[2] + place.log_det
    with precision_of("float64"):
        built = problem.build(FREE, DATA)
        _, numbers = problem.locate(FREE, built, NUTS())
        got = -float(potential(built.form, *numbers, z))
    assert got == pytest.approx(want, rel=1e-12)


def test_every_declared_prior_and_family_is_in_its_table():
    from bayescore_numpyro.families import RESPONSES
    from bayescore_numpyro.priors import PRIORS

    declared = plugins.load()["numpyro"].info.supports
    priors = {d.rsplit(":", 1)[1] for d in declared if d.startswith("prior:")}
    assert priors == set(distributions.DISTRIBUTIONS) == {*PRIORS, "Flat"}
    assert {f"family:{family}" for family, _ in RESPONSES} | {f"link:{link}" for _, link in RESPONSES} == {
        d for d in declared if d.startswith(("family:", "link:"))
    }


@pytest.mark.parametrize("callers", [False, True])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_callers_precision_is_left_alone(callers, precision):
    from bayescore_numpyro.precision import precision_of

    numpyro = backend(precision)
    with precision_of("float64" if callers else "float32"):
        fit = numpyro.fit(TOY, numpyro.build_data(TOY, DATA), MAP(steps=2), seed=0)
        assert numpyro.sample_posterior(fit, seed=0).draws["beta"].dtype == np.float64
        assert jax.numpy.zeros(()).dtype == ("float64" if callers else "float32")


def test_float32_computes_in_float32():
    from bayescore_numpyro import problem
    from bayescore_numpyro.precision import precision_of

    with precision_of("float32"):
        assert problem.build(TOY, DATA).numbers.x.dtype == np.float32
    values = {"intercept": np.array(1.0), "beta": np.array([3.0])}
    narrow, wide = backend("float32"), backend()
    difference = (
        narrow.log_density(TOY, narrow.build_data(TOY, DATA), values).total
        - wide.log_density(TOY, wide.build_data(TOY, DATA), values).total
    )
    assert 0 < abs(difference) < 1e-3


def test_mle_is_least_squares():
    fit, posterior = fitted(FREE, MLE())
    design = np.column_stack([np.ones(DATA.rows), DATA.x])
    solution, rss, *_ = np.linalg.lstsq(design, DATA.y)
    sigma = math.sqrt(rss[0] / DATA.rows)
    got = [values.item() for values in posterior.parameters().values()]
    np.testing.assert_allclose(got, [*solution, sigma], rtol=1e-8)
    assert posterior.estimand == "mle"
    assert posterior.shape == (1, 1)
    assert fit.losses.shape == (1000,)


def test_map_is_the_mode_of_the_constrained_density():
    _, posterior = fitted(FREE, MAP())
    values = {site: draws[0, 0] for site, draws in posterior.draws.items()}
    gradient = density.log_density(FREE, DATA, values).gradient
    assert max(np.max(np.abs(slope)) for slope in gradient.values()) < 1e-4
    assert posterior.estimand == "map"


@pytest.mark.parametrize("guide", ["mean_field", "full_rank"])
def test_svi_lands_on_the_exact_posterior(guide):
    fit, posterior = fitted(TOY, SVI(guide=guide, steps=2000))
    mean, sd = exact_toy()
    moments = posterior.moments
    assert np.max(np.abs(moments.unconstrained_mean - mean) / sd) < 0.05
    np.testing.assert_allclose(moments.sd, sd, rtol=0.05)
    assert fit.losses.shape == (2000,)
    assert fit.iterates["loc"].shape == fit.iterates["log_scale"].shape == (1000, 2)
    assert fit.iterates["loc"].dtype == np.float64
    assert ("lower" in fit.iterates) == (guide == "full_rank")
    if guide == "full_rank":
        assert np.all(np.triu(fit.iterates["lower"]) == 0)
    assert np.max(split_rhat(fit.iterates["loc"])) < 1.1
    assert np.max(mean_error(fit.iterates["loc"])) < 0.02


def test_svi_draws_carry_their_log_density():
    _, posterior = fitted(FREE, SVI(guide="full_rank", steps=100))
    u = np.stack([*list(posterior.parameters().values())[:2], np.log(posterior.draws["sigma"])], axis=-1)[0]
    centred = u - posterior.moments.unconstrained_mean
    cov = posterior.moments.unconstrained_cov
    quadratic = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(cov), centred)
    want = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * cov)[1])
    np.testing.assert_allclose(posterior.sample_stats["log_q"][0], want, rtol=1e-9)


def test_minibatches_estimate_the_whole_elbo():
    whole, _ = fitted(TOY, SVI(steps=1, particles=4000))
    parts, _ = fitted(TOY, SVI(steps=400, particles=8, batch_size=20, rate=1e-9))
    error = parts.losses.std() / math.sqrt(len(parts.losses))
    assert abs(parts.losses.mean() - whole.losses[0]) < 4 * error + 0.1


def test_the_tutorials_settings_start_at_random():
    (first, _), (second, _) = (fitted(TOY, SVI.tutorial(), seed=seed) for seed in (0, 1))
    assert len(first.losses) == 1000
    assert first.losses[0] != second.losses[0]
    assert first.losses[0] > first.losses[-1]


def test_progress_tells_step_loss_and_rate_by_the_schedule():
    told = []
    method = SVI(steps=120, schedule="cosine", init="random")
    fit, _ = fitted(TOY, method, progress=lambda step, total, **figures: told.append((step, total, figures)))
    assert [step for step, _, _ in told] == [50, 100, 120]
    assert all(total == 120 for _, total, _ in told)
    assert [figures["rate"] for _, _, figures in told] == [method.rates[s - 1] for s in (50, 100, 120)]
    assert [figures["loss"] for _, _, figures in told] == [fit.losses[s - 1] for s in (50, 100, 120)]


def test_rates_are_used_at_every_step_across_chunks():
    fit, _ = fitted(TOY, SVI(steps=120, schedule="exponential", rate=0.5))
    moves = np.abs(np.diff(fit.iterates["loc"], axis=0)).max(axis=1)
    assert np.all(moves <= np.array(SVI(steps=120, schedule="exponential", rate=0.5).rates)[61:] * 3.2)


def test_other_numbers_need_no_other_program():
    from bayescore_numpyro import svi

    fitted(TOY, SVI(steps=10))
    programs = svi._advance._cache_size()
    other = from_arrays(DATA.x + 1, DATA.y * 2)
    priors = {"intercept": "Normal(1, 3)", "beta": "Normal(0, 1)"}
    fitted(state("Gaussian(sigma=0.3)", ("x",), priors), SVI(steps=20, rate=0.3), seed=5, data=other)
    assert svi._advance._cache_size() == programs


def test_the_program_is_the_same_in_every_process():
    code = """if True:
        import jax, numpy as np
        from functools import partial
        from bayescore.data import from_arrays
        from bayescore.methods import SVI
        from bayescore.regression import state
        from bayescore_numpyro import problem, svi
        from bayescore_numpyro.precision import key_of, precision_of
        priors = {"intercept": "Normal(0, 1)", "beta": "Flat()", "sigma": "HalfNormal(1)"}
        regression = state("Gaussian", ("x",), priors)
        with precision_of("float64"):
            built = problem.build(regression, from_arrays([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0]))
            _, place = problem.locate(regression, built, SVI())
            loss = partial(svi.minus_elbo, svi.Plan(built.form, 2, None), place)
            print(jax.make_jaxpr(loss)({"loc": np.zeros(3), "raw": np.zeros(3)}, key_of(0)))
    """
    programs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(programs) == 1


def test_nuts_samples_the_posterior_and_keeps_its_statistics():
    told = []
    method = NUTS(warmup=500, draws=500)
    fit, posterior = fitted(FREE, method, progress=lambda step, total, **figures: told.append((step, total)))
    assert posterior.shape == (4, 500)
    stats = posterior.sample_stats
    assert set(stats) == {"diverging", "energy", "tree_depth", "lp", "acceptance_rate", "n_steps"}
    assert all(values.shape == (4, 500) for values in stats.values())
    assert not stats["diverging"].any()
    assert np.all(2.0 ** (stats["tree_depth"] - 1) <= stats["n_steps"])
    assert np.all(stats["n_steps"] < 2.0 ** stats["tree_depth"])
    assert np.all(stats["energy"] >= -stats["lp"])
    assert 0.6 < stats["acceptance_rate"].mean() <= 1
    assert told[-1] == (1000, 1000)
    assert fit.seconds["compile"] > 0
    place = coordinates.for_method(FREE, DATA, method)
    joint = density.LogJoint(FREE, DATA)(posterior.draws)
    np.testing.assert_allclose(stats["lp"], joint + np.log(posterior.draws["sigma"]) + place.log_det, rtol=1e-9)
    mean, sd = exact_toy()
    got = np.stack(list(posterior.parameters().values())[:2], axis=-1).reshape(-1, 2)
    assert np.max(np.abs(got.mean(axis=0) - mean) / sd) < 0.15
    assert len({chain.tobytes() for chain in posterior.draws["beta"]}) == 4
    _, again = fitted(FREE, method)
    np.testing.assert_array_equal(again.draws["beta"], posterior.draws["beta"])
    _, other = fitted(FREE, method, seed=1)
    assert not np.array_equal(other.draws["beta"], posterior.draws["beta"])


def test_predictions_keep_chains_draws_and_rows_whatever_the_blocks(monkeypatch):
    from bayescore_numpyro import predict

    numpyro = backend()
    fit, posterior = fitted(TOY, SVI(steps=50, draws=300))
    new = from_arrays(np.linspace(6, 7, 20))
    want = posterior.draws["intercept"][..., None] + posterior.draws["beta"] @ new.x.T
    np.testing.assert_allclose(numpyro.predict(fit, posterior, new, seed=0), want, rtol=1e-12)
    monkeypatch.setattr(predict, "_BLOCK_VALUES", 20 * 128)
    np.testing.assert_allclose(numpyro.predict(fit, posterior, new, seed=0), want, rtol=1e-12)
    drawn = numpyro.predict(fit, posterior, new, kind="response", seed=0)
    noise = drawn - want
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert len(np.unique(noise)) == noise.size
    np.testing.assert_array_equal(drawn, numpyro.predict(fit, posterior, new, kind="response", seed=0))


def test_seeds_may_be_of_any_size():
    _, first = fitted(TOY, SVI(steps=2, draws=5), seed=2**100)
    _, second = fitted(TOY, SVI(steps=2, draws=5), seed=2**100 + 1)
    assert not np.array_equal(first.draws["beta"], second.draws["beta"])


def test_declaring_imports_no_jax():
    code = "import sys, bayescore_numpyro.plugin as p; list(p.bayescore_backends()); print('jax' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
