"""Is a fit healthy? Each thing that can be wrong with it is found."""

from dataclasses import dataclass

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayescore.agreement.copies import copies
from bayescore.agreement.health import examine
from bayescore.density.coordinates import for_method
from bayescore.density.guide import mean_error, split_rhat, summarize
from bayescore.methods import MAP, NUTS, SVI, Exact, Laplace, Method
from bayescore.model.posterior import label
from bayescore.tables import problem

TOY = problem.toy()


def draws(chains=4, n=1000, seed=0):
    return np.random.default_rng(seed).standard_normal((chains, n, 2))


def examined(values, method=None, kind="chains", **stats):
    draws = {"intercept": values[..., 0], "beta": values[..., 1:]}
    posterior = label(TOY.regression, draws, sample_stats=stats, kind=kind)
    return examine(method or NUTS(), posterior, {})


def ailments(health):
    return [(ailment.code, ailment.text) for ailment in health.ailments]


def test_independent_draws_are_healthy():
    health = examined(draws(), diverging=np.zeros((4, 1000)), tree_depth=np.full((4, 1000), 3))
    assert ailments(health) == []
    assert 0.99 < health.figures["rhat_max"] < 1.01
    assert health.figures["ess_bulk_min"] > 3000
    assert health.figures["divergences"] == 0
    assert set(health.parameters) == {"intercept", "beta[x]"}


def test_a_frozen_chain_is_found():
    values = draws()
    values[2] = values[2, 0]
    found = ailments(examined(values))
    assert any("R-hat of" in text for _, text in found)
    assert {code for code, _ in found} == {"unconverged"}


def test_draws_that_never_move_are_found():
    health = examined(np.ones((4, 1000, 2)))
    assert any("bulk ESS of intercept is 0" in text for _, text in ailments(health))
    assert not np.isnan(list(health.figures.values())).any()


def test_a_shifted_chain_is_found():
    values = draws()
    values[0] += 0.5
    assert any("R-hat" in text for _, text in ailments(examined(values)))


def test_slow_chains_are_found():
    rng = np.random.default_rng(1)
    values = np.empty((4, 1000, 2))
    values[:, 0] = rng.standard_normal((4, 2))
    for t in range(1, 1000):
        values[:, t] = 0.98 * values[:, t - 1] + np.sqrt(1 - 0.98**2) * rng.standard_normal((4, 2))
    assert any("bulk ESS" in text for _, text in ailments(examined(values)))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_chains_too_short_to_judge_are_found(n):
    assert ailments(examined(draws(n=n))) == [("unconverged", f"{n} draws a chain are too few to judge")]


@pytest.mark.parametrize("n", [4, 10, 50])
def test_short_chains_have_too_small_an_ess(n):
    found = ailments(examined(draws(n=n)))
    assert any("ESS" in text for _, text in found)


@pytest.mark.parametrize("chains", [1, 3])
def test_too_few_chains_are_found(chains):
    found = ailments(examined(draws(chains=chains)))
    assert ("unconverged", f"{chains} chains, and R-hat needs 4") in found


JITTER = 1e-12


def repeated(at, seed=0, d=2):
    """Draws (4, 2500, d) of which those at positions ``at`` are handed over, each with a jitter of its own."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((10_000, d))[at.reshape(-1)].reshape(4, 2500, d)
    return values + JITTER * rng.standard_normal(values.shape)


ORDER = np.arange(10_000).reshape(4, 2500)
COPIES = {
    "with replacement": np.random.default_rng(2).integers(0, 10_000, (4, 2500)),
    "two equal chains": np.stack([ORDER[0], ORDER[1], ORDER[2], ORDER[0]]),
    "equal chains": np.tile(ORDER[0], (4, 1)),
    **{f"in blocks of {k}": ORDER // k * k for k in (2, 5, 10)},
    **{f"in {k} rounds": ORDER[:, :1] + np.arange(2500) % (2500 // k) for k in (2, 5, 10)},
}


@pytest.mark.parametrize("kind", ["chains", "independent"])
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("name", COPIES)
def test_copies_are_found_jittered_or_not(name, d, kind):
    values = np.moveaxis(repeated(COPIES[name], d=d), -1, 0)
    assert copies(values, chains=kind == "chains")
    assert copies(values.round(9), chains=kind == "chains") or "blocks" in name
    sound = np.moveaxis(repeated(ORDER, d=d), -1, 0)
    assert copies(sound, chains=kind == "chains") is None


@pytest.mark.parametrize("method, kind", [(NUTS(), "chains"), (Laplace(), "guide"), (Exact(), "independent")], ids=str)
def test_copies_make_a_fit_of_every_method_unhealthy(method, kind):
    again = repeated(COPIES["with replacement"])
    assert "resampled" in {code for code, _ in ailments(examined(again, method, kind))}
    assert ailments(examined(repeated(ORDER), method, kind)) == []


def test_independent_draws_that_are_all_the_same_are_copies_and_rejections_are_none():
    one = np.ones((4, 1000, 2))
    assert ailments(examined(one, Exact(), "independent")) == [("resampled", "all draws are the same")]
    twice = np.repeat(draws(), 2, axis=1)
    assert "resampled" in {code for code, _ in ailments(examined(twice, Exact(), "independent"))}


def significant(values, digits):
    unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - digits + 1)
    return np.round(values / unit) * unit


HONEST = {
    "plain": lambda rng: rng.standard_normal((1, 4, 2500)),
    "of two parameters": lambda rng: rng.standard_normal((2, 4, 2500)),
    "collinear": lambda rng: np.repeat(rng.standard_normal((1, 4, 2500)), 3, axis=0),
    "few": lambda rng: rng.standard_normal((1, 4, 50)),
    "heavy tails": lambda rng: rng.standard_cauchy((1, 4, 2500)),
    "float32": lambda rng: rng.standard_normal((1, 4, 2500)).astype(np.float32).astype(float),
    "float32 far from zero": lambda rng: (1000.0 + rng.standard_normal((1, 4, 2500))).astype(np.float32).astype(float),
    "float32 of all sizes": lambda rng: np.exp(3 * rng.standard_normal((1, 4, 2500))).astype(np.float32).astype(float),
    "six digits": lambda rng: significant(30.0 + rng.standard_normal((1, 4, 2500)), 6),
    "four digits": lambda rng: significant(3.0 + rng.standard_normal((1, 4, 2500)), 4),
}


@pytest.mark.parametrize("name", HONEST)
def test_chance_and_precision_are_no_copies(name):
    """Twenty seeds each, as chains and as independent draws, where the rate is under one in a million."""
    for seed in range(20):
        values = HONEST[name](np.random.default_rng(seed))
        assert copies(values, chains=seed % 2 == 0) is None, seed


def test_rejected_moves_are_no_resampling():
    values = np.repeat(draws(), 2, axis=1)
    assert ailments(examined(values)) == []


@pytest.mark.parametrize(
    "stats, text",
    [
        ({"diverging": np.arange(4000).reshape(4, 1000) < 3}, "3 divergent transitions"),
        ({"tree_depth": np.full((4, 1000), 10)}, "100% of the trees reach depth 10"),
        ({"energy": np.cumsum(np.random.default_rng(0).standard_normal((4, 1000)), axis=1)}, "E-BFMI is 0.0"),
    ],
    ids=["divergences", "depth", "energy"],
)
def test_the_samplers_own_figures_are_looked_at(stats, text):
    assert any(text in found for _, found in ailments(examined(draws(), **stats)))


def svi(loc, log_scale):
    method = SVI()
    space = for_method(TOY.regression, TOY.data, method)
    iterates = {"loc": loc, "log_scale": log_scale}
    found = summarize(TOY.regression, space, iterates, average=True)
    posterior = label(
        TOY.regression, {"intercept": np.zeros((1, 4)), "beta": np.zeros((1, 4, 1))}, moments=found.moments
    )
    return examine(method, posterior, iterates)


def noise(scale, steps=2000, seed=0):
    return scale * np.random.default_rng(seed).standard_normal((steps, 2))


def test_settled_iterates_are_healthy():
    health = svi(noise(0.1), noise(0.1, seed=1))
    assert ailments(health) == []
    assert health.figures["svi_error_max"] < 0.02


def test_drifting_iterates_are_found():
    drift = np.linspace(0, 1, 2000)[:, None]
    assert any("R-hat of the guide's locations" in t for _, t in ailments(svi(noise(0.1) + drift, noise(0.1))))
    assert any("R-hat of the guide's log scales" in t for _, t in ailments(svi(noise(0.1), noise(0.1) + drift)))


def test_noisy_iterates_are_found():
    assert any("Monte Carlo error of" in text for _, text in ailments(svi(noise(3.0), noise(0.1))))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_few_iterates_are_never_healthy(steps):
    assert svi(noise(0.1, steps), noise(0.1, steps)).ailments


def test_unknown_iterates_are_never_healthy():
    posterior = label(TOY.regression, {"intercept": np.zeros((1, 4)), "beta": np.zeros((1, 4, 1))})
    assert any("not known" in text for _, text in ailments(examine(SVI(), posterior, {})))


@pytest.mark.parametrize("method, kind", [(Exact(), "independent"), (Laplace(), "guide"), (MAP(), "map")], ids=str)
def test_closed_forms_and_points_have_nothing_to_converge(method, kind):
    assert examined(draws(1, 1), method, kind).ailments == ()
    assert examined(draws(1, 5000), method, kind).ailments == ()


@dataclass(frozen=True)
class Own(Method):
    """A method of somebody else's."""

    name = "own"
    kinds = ("chains", "independent")


def test_a_method_that_nobody_knows_is_not_taken_for_healthy():
    assert ailments(examined(draws(), Own())) == []  # chains are judged as any
    assert any("R-hat" in text for _, text in ailments(examined(draws() + np.arange(4)[:, None, None], Own())))
    found = ailments(examined(draws(), Own(), "independent"))
    assert found == [("unconverged", "nobody knows by what a fit with own is seen to have converged")]


def test_batch_means_of_independent_steps_are_the_plain_standard_error():
    series = np.random.default_rng(3).standard_normal((4000, 200))
    assert np.isclose(np.median(mean_error(series)), 1 / np.sqrt(4000), rtol=0.05)
    assert np.isclose(np.std(series.mean(axis=0) / mean_error(series)), 1.0, atol=0.2)
    assert np.all(np.isnan(mean_error(series[:1])))


def test_split_rhat_of_one_series():
    series = np.random.default_rng(4).standard_normal((1000, 3))
    np.testing.assert_allclose(split_rhat(series), 1.0, atol=0.01)
    assert np.all(split_rhat(series + np.linspace(0, 5, 1000)[:, None]) > 1.5)
    np.testing.assert_array_equal(split_rhat(np.ones((10, 1))), 1.0)
    halves = np.stack([series[1:500], series[500:999]])
    known = array_stats.rhat(halves, chain_axis=0, draw_axis=1, method="identity")
    np.testing.assert_allclose(split_rhat(series[:999]), known, rtol=1e-12)
    assert np.all(np.isnan(split_rhat(series[:3])))
