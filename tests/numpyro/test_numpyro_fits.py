"""Fits against truth: closed forms, quadrature, the core's own mode; weights and offsets; statistics and progress."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from declared import problems
from numpyro_support import DATA, FREE, TOY, backend, exact_toy, fitted, stated

from bayescore.contract import refit
from bayescore.density import coordinates, specification
from bayescore.density.guide import mean_error, split_rhat
from bayescore.density.specification import LogJoint
from bayescore.errors import UnsupportedError
from bayescore.methods import MAP, MLE, NUTS, SVI, Laplace
from bayescore.model.data import Membership, from_arrays
from bayescore.model.distributions import Flat
from bayescore.model.groups import Grouping
from bayescore.regressions.work import RegressionSession, RegressionWork
from bayescore.tables.default_priors import state
from bayescore.tables.problem import from_data, from_table

PROBLEMS = problems()


def weighted(seed=0):
    """The toy's rows with weights and an offset."""
    rng = np.random.default_rng(seed)
    return replace(DATA, weights=rng.uniform(0.2, 3.0, DATA.rows), offset=rng.normal(size=DATA.rows))


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
    gradient = specification.log_density(FREE, DATA, values).gradient
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
    joint = specification.LogJoint(FREE, DATA)(posterior.draws)
    np.testing.assert_allclose(stats["lp"], joint + np.log(posterior.draws["sigma"]) + place.log_det, rtol=1e-9)
    mean, sd = exact_toy()
    got = np.stack(list(posterior.parameters().values())[:2], axis=-1).reshape(-1, 2)
    assert np.max(np.abs(got.mean(axis=0) - mean) / sd) < 0.15
    assert len({chain.tobytes() for chain in posterior.draws["beta"]}) == 4
    _, again = fitted(FREE, method)
    np.testing.assert_array_equal(again.draws["beta"], posterior.draws["beta"])
    _, other = fitted(FREE, method, seed=1)
    assert not np.array_equal(other.draws["beta"], posterior.draws["beta"])


def test_chains_have_a_device_each_on_a_cpu_and_are_vectorized_on_an_accelerator(monkeypatch):
    import jax
    from bayescore_numpyro.nuts import _devices

    monkeypatch.setattr(jax, "local_device_count", lambda: 4)
    for kind, wanted in {"cpu": [1, 3, 4, 4, 2], "gpu": [1, 1, 1, 1, 1]}.items():
        monkeypatch.setattr(jax, "default_backend", lambda kind=kind: kind)
        assert [_devices(chains) for chains in (1, 3, 4, 8, 10)] == wanted


def test_seeds_may_be_as_large_as_they_come():
    _, first = fitted(TOY, SVI(steps=2, draws=5), seed=2**32 - 1)
    _, second = fitted(TOY, SVI(steps=2, draws=5), seed=2**32 - 2)
    assert not np.array_equal(first.draws["beta"], second.draws["beta"])


def test_mle_honours_weights_and_offset():
    data = weighted()
    _, posterior = fitted(FREE, MLE(), data=data)
    design = np.column_stack([np.ones(data.rows), data.x])
    root = np.sqrt(data.weights)
    solution, rss, *_ = np.linalg.lstsq(design * root[:, None], (data.y - data.offset) * root)
    got = [values.item() for values in posterior.parameters().values()]
    np.testing.assert_allclose(got, [*solution, math.sqrt(rss[0] / data.weights.sum())], rtol=1e-8)


def test_an_exposure_is_honoured():
    """One count an exposure: the rate is their ratio."""
    rng = np.random.default_rng(0)
    exposure = rng.uniform(1.0, 9.0, 40)
    data = replace(from_arrays(np.empty((40, 0)), rng.poisson(2.0 * exposure), columns=()), offset=np.log(exposure))
    _, posterior = fitted(stated("Poisson", data, {}), MLE(), data=data)
    assert posterior.draws["intercept"].item() == pytest.approx(math.log(data.y.sum() / exposure.sum()), rel=1e-8)


@pytest.mark.parametrize(
    "name", ["Poisson-weights-offset", "groups-independent-Gaussian", "Categorical-weights-offset"]
)
def test_minibatches_take_weights_offset_and_groups_along(name):
    """The average over pairs that are all rows is the density itself."""
    import jax
    from bayescore_numpyro import native
    from bayescore_numpyro.model import potential
    from bayescore_numpyro.precision import precision_of

    regression, data = PROBLEMS[name].regression, PROBLEMS[name].data
    with precision_of("float64"):
        place = native.locate(regression, native.build(regression, data), SVI()).place
        z = np.random.default_rng(0).normal(0.0, 0.3, place.size)
        pairs = np.random.default_rng(1).permutation(data.rows).reshape(-1, 2)
        parts = np.asarray(jax.jit(jax.vmap(lambda chosen: potential(place, z, chosen)))(pairs))
        whole = float(jax.jit(potential)(place, z))
    assert parts.mean() == pytest.approx(whole, rel=1e-12)
    assert parts.std() > 0


def hierarchy():
    """Six groups of three: sigma and intercept's prior known, one sd to be learned."""
    rng = np.random.default_rng(2)
    level = np.repeat(np.arange(6), 3)
    y = 1.0 + rng.normal(0.0, 1.0, 6)[level] + rng.normal(0.0, 0.5, 18)
    data = replace(from_arrays(np.empty((18, 0)), y, columns=()), groups={"1|g": Membership(level, np.ones(18))})
    priors = {"intercept": "Normal(0, 2)", "sd(1|g)": "HalfNormal(1)"}
    return from_data(
        data, family="Gaussian(sigma=0.5)", priors=priors, groupings=(Grouping("g", ("1",), tuple("abcdef")),)
    )


def exact_hierarchy(problem):
    """Posterior mean and sd of the sd, and means of the offsets, by quadrature over the sd."""
    y, level = problem.data.y, problem.data.groups["1|g"].index
    z = np.eye(6)[level]
    grid = np.linspace(1e-4, 6.0, 4000)
    log_posterior, offsets = np.empty(grid.size), np.empty((grid.size, 6))
    for k, sd in enumerate(grid):
        cov = sd**2 * z @ z.T + 4.0 + 0.25 * np.eye(y.size)
        solved = np.linalg.solve(cov, y)
        log_posterior[k] = -0.5 * (y @ solved + np.linalg.slogdet(cov)[1]) - 0.5 * sd**2
        offsets[k] = sd**2 * z.T @ solved
    weights = np.exp(log_posterior - log_posterior.max())
    weights /= weights.sum()
    mean = weights @ grid
    return mean, math.sqrt(weights @ (grid - mean) ** 2), weights @ offsets


@pytest.mark.parametrize("centred", [False, True])
def test_nuts_on_a_hierarchy_finds_what_quadrature_finds(centred):
    problem = hierarchy()
    method = NUTS(warmup=500, draws=1500, target_accept=0.95, centred=centred)
    _, posterior = fitted(problem.regression, method, data=problem.data)
    mean, sd, offsets = exact_hierarchy(problem)
    draws = posterior.draws["sd(1|g)"]
    assert draws.mean() == pytest.approx(mean, abs=0.1 * sd)
    assert draws.std() == pytest.approx(sd, rel=0.1)
    found = posterior.draws["offset(1|g)"]
    assert found.shape == (4, 1500, 6)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), offsets, atol=0.1 * found.std(axis=(0, 1)).min())
    assert posterior.sample_stats["diverging"].mean() < 0.01


def test_laplace_of_a_gaussian_posterior_is_exact():
    _, posterior = fitted(TOY, Laplace())
    mean, sd = exact_toy()
    np.testing.assert_allclose(posterior.moments.mean, mean, rtol=1e-9)
    np.testing.assert_allclose(posterior.moments.sd, sd, rtol=1e-9)
    assert np.all(posterior.moments.mean_error == 0)
    assert posterior.shape == (1, 10_000)
    for draws, centre, scale in zip(posterior.parameters().values(), mean, sd, strict=True):
        assert draws.mean() == pytest.approx(centre, abs=0.05 * scale)
        assert draws.std() == pytest.approx(scale, rel=0.05)


@pytest.mark.parametrize("name", ["StudentT-identity", "Ordinal-logit", "prior-coefficient-Uniform"])
def test_laplace_is_at_the_cores_mode(name):
    regression, data = PROBLEMS[name].regression, PROBLEMS[name].data
    fit, posterior = fitted(regression, Laplace(draws=400), data=data)
    found = coordinates.laplace(
        LogJoint(regression, data),
        coordinates.start_of(regression, data),
        coordinates.standardizing_matrix(regression, data),
    )
    mode, precision = found
    basis = coordinates.standardizing_matrix(regression, data)
    cov = basis @ np.linalg.inv(precision) @ basis.T
    place, guide = fit.native
    root = place.matrix @ guide.scale_tril
    sd = np.sqrt(np.diag(cov))
    assert np.max(np.abs(place.unconstrained(guide.loc) - mode) / sd) < 1e-4
    np.testing.assert_allclose(root @ root.T / np.outer(sd, sd), cov / np.outer(sd, sd), atol=1e-4)
    assert posterior.moments.unconstrained_cov.shape == cov.shape


@pytest.mark.parametrize("guide", [Laplace(draws=50), SVI(steps=50, draws=50)])
def test_draws_carry_the_log_density_of_what_is_reported(guide):
    """Thresholds, whose steps are exponentials: the density changes by their Jacobian."""
    regression, data = PROBLEMS["Ordinal-logit"].regression, PROBLEMS["Ordinal-logit"].data
    fit, posterior = fitted(regression, guide, data=data)
    place, gaussian = fit.native
    beta, threshold = (posterior.draws[name][0] for name in ("beta", "threshold"))
    steps = np.log(np.diff(threshold, axis=-1))
    u = np.concatenate([beta, threshold[:, :1], steps], axis=-1)
    root = place.matrix @ gaussian.scale_tril
    noise = np.linalg.solve(root, (u - place.unconstrained(gaussian.loc)).T).T
    of_u = -0.5 * (noise**2).sum(axis=-1) - 2.0 * math.log(2.0 * math.pi) - np.linalg.slogdet(root)[1]
    np.testing.assert_allclose(posterior.sample_stats["log_q"][0], of_u - steps.sum(axis=-1), rtol=1e-9)


def test_laplace_says_where_there_is_no_mode():
    """Separated classes under a flat prior, which the core would have refused."""
    x = np.linspace(-1.0, 1.0, 20)
    data = from_arrays(x, (x > 0).astype(float))
    regression = state("Bernoulli", data, {"intercept": Flat(), "beta": Flat()})
    with pytest.raises(UnsupportedError, match="no proper maximum"):
        fitted(regression, Laplace(), data=data)


UNLIKE = ["prior-Horseshoe", "groups-correlated-Poisson", "network-Bernoulli", "Ordinal-weights-offset"]
BRIEF = [(name, SVI(steps=2, draws=5, batch_size=10)) for name in UNLIKE]


@pytest.mark.parametrize(("name", "method"), [*BRIEF, (UNLIKE[1], NUTS(chains=2, warmup=2, draws=3))])
def test_unlike_regressions_are_fitted(name, method):
    regression, data = PROBLEMS[name].regression, PROBLEMS[name].data
    _, posterior = fitted(regression, method, data=data)
    shapes = {name: draws.shape for name, draws in posterior.draws.items()}
    assert shapes == {site.name: (*posterior.shape, *site.shape) for site in regression.sites}


def test_a_funnel_that_diverges_settles_with_smaller_steps():
    """Twelve groups of one row each, whose sd the data hardly tell, sampled as they are and with steps too large."""
    table = pd.DataFrame({"y": np.random.default_rng(0).normal(size=12), "g": list("abcdefghijkl")})
    priors = {"intercept": "Normal(0, 2)", "sd(1|g)": "HalfNormal(2)"}
    funnel = from_table("y ~ 1 + (1|g)", table, family="Gaussian(sigma=3)", priors=priors)
    method = NUTS(warmup=300, draws=300, centred=True, target_accept=0.5)
    found, session = [], RegressionSession(RegressionWork(funnel.regression, funnel.data, funnel.new_data), backend())
    _, posterior = refit.fit(session, method, seeds=(2, 2), attempts=found)
    assert found[0].divergences > 10
    assert posterior.divergences == min(one.divergences for one in found) < found[0].divergences / 5
    first, last = found[0], found[-1]
    assert (first.target_accept, first.taken, last.target_accept >= 0.95) == (0.5, False, True)
