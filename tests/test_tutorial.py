"""The old tutorial on Bayesian regression, step by step, as a user of the toolkit would do it."""

import numpy as np
import pytest
from conftest import USABLE

import bayescore
from bayescore import MLE, SVI
from bayescore.methods import parse
from bayescore.tables.problem import toy, toy_data

ENGINES = [name for name in USABLE if name in {"pyro", "numpyro"}]


def least_squares(table: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(len(table)), table[:, :-1]])
    return np.linalg.lstsq(design, table[:, -1], rcond=None)[0]


def test_toy_data_is_a_table_with_the_response_last() -> None:
    table = toy_data(n=100, p=2, noise_sd=0.0, seed=0)
    assert table.shape == (100, 3)
    assert np.allclose(table[:, 2], 3 * table[:, 0] + 3 * table[:, 1] + 1)
    assert table[:, :2].min() >= 0
    assert table[:, :2].max() <= 1


def test_noise_of_the_data_and_sigma_of_the_model_are_two_things() -> None:
    problem = toy(noise_sd=0.01)
    assert problem.regression.family.fixed == {"sigma": 0.1}
    residual = problem.data.observed - 1 - 3 * problem.data.x[:, 0]
    assert 0.008 < residual.std() < 0.012


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("standardize", [True, False])
def test_the_vanilla_regression_is_trained_by_adam(engine: str, standardize: bool) -> None:
    problem = toy()
    steps: list[tuple[int, int, dict[str, float]]] = []
    backend = bayescore.get_backend(engine)
    data = backend.build_data(problem.regression, problem.data)
    method = MLE(steps=1000, rate=0.05, standardize=standardize)
    fit = backend.fit(
        problem.regression,
        data,
        method,
        seed=0,
        progress=lambda step, total, **figures: steps.append((step, total, figures)),
    )
    point = backend.sample_posterior(fit, seed=0)
    found = [point.draws["intercept"][0, 0], point.draws["beta"][0, 0, 0]]
    assert np.allclose(found, least_squares(toy_data()), atol=1e-3)
    assert point.estimand == "mle"
    assert fit.losses is not None
    assert len(fit.losses) == 1000
    assert fit.losses[-1] < fit.losses[0]
    assert (steps[-1][0], steps[-1][1]) == (1000, 1000)
    assert {"loss", "rate"} <= set(steps[-1][2])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_tutorials_svi_runs_and_is_found_not_to_have_converged(engine: str) -> None:
    from bayescore.agreement.health import examine

    problem = toy()
    backend = bayescore.get_backend(engine)
    data = backend.build_data(problem.regression, problem.data)
    fit = backend.fit(problem.regression, data, SVI.tutorial(), seed=0)
    posterior = backend.sample_posterior(fit, seed=0)
    assert fit.losses is not None
    assert len(fit.losses) == 1000
    assert posterior.draws["beta"].mean() == pytest.approx(3.0, abs=0.5)
    assert examine(fit.method, posterior, fit.iterates).ailments[0].code == "unconverged"
    assert SVI.tutorial() == parse("svi(tutorial)")


@pytest.mark.parametrize("engine", ENGINES)
def test_predictions_on_new_points_average_to_the_line(engine: str) -> None:
    """The tutorial's 20 points on [6, 7], averaged over draws, against 3 x + 1."""
    problem = toy()
    backend = bayescore.get_backend(engine)
    data = backend.build_data(problem.regression, problem.data)
    fit = backend.fit(problem.regression, data, SVI(), seed=0)
    posterior = backend.sample_posterior(fit, seed=0)
    drawn = backend.predict(fit, posterior, problem.new_data, kind="mean", seed=0)
    x = problem.new_data.x[:, 0]
    assert np.allclose(x, np.linspace(6, 7, 20))
    exact = bayescore.get_backend("exact")
    sure = exact.fit(problem.regression, exact.build_data(problem.regression, problem.data), bayescore.Exact(), seed=0)
    moments = exact.sample_posterior(sure, seed=0).moments
    assert moments is not None
    wanted = moments.mean[0] + moments.mean[1] * x
    sd = np.sqrt(
        moments.unconstrained_cov[0, 0]
        + 2 * x * moments.unconstrained_cov[0, 1]
        + x**2 * moments.unconstrained_cov[1, 1]
    )
    assert np.abs((drawn.mean(axis=(0, 1)) - wanted) / sd).max() < 0.08
    assert np.allclose(drawn.std(axis=(0, 1)), sd, rtol=0.06)
    noisy = backend.predict(fit, posterior, problem.new_data, kind="response", seed=0)
    assert np.allclose(noisy.var(axis=(0, 1)), sd**2 + 0.01, rtol=0.1)


def test_the_same_model_with_a_bernoulli_family_is_a_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = (rng.random(100) < 1 / (1 + np.exp(-2 * x))).astype(float)
    problem = bayescore.from_data(bayescore.from_arrays(x, y), family="Bernoulli")
    assert problem.regression.describe().splitlines()[0] == "y ~ Bernoulli(logistic(eta))"
    assert str(problem.regression.intercept) == "AtMeans(Normal(0, 2.5))"
