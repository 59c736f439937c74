"""The points at which log densities are compared: where they lie, and which can be used."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import USABLE
from honest import PRIORS, PROBLEMS, densities, gaussian, judged, zeros

import bayescore
from bayescore.agreement.model_check import check
from bayescore.backend import LogDensity, Precision
from bayescore.density import specification, target
from bayescore.model.data import from_arrays
from bayescore.model.distributions import Normal
from bayescore.regressions.points import points
from bayescore.tables import problem


def test_points_without_a_mode_come_from_the_priors() -> None:
    """Separated classes under flat priors have no mode."""
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    data = from_arrays(x, (x > 0).astype(float))
    honest = problem.from_data(data, family="Bernoulli", priors=PRIORS)
    flat = replace(honest.regression, intercept=Normal(0, 1e12), beta=(Normal(0, 1e12),))
    assert len(points(flat, data)) == 20


@pytest.mark.parametrize("name", PROBLEMS)
def test_points_lie_in_the_support_and_are_spread(name: str) -> None:
    honest = PROBLEMS[name]
    at = points(honest.regression, honest.data, 8)
    totals = [f.total for f in densities(honest.regression, honest.data, at)]
    assert np.all(np.isfinite(totals))
    assert np.ptp(totals) > 1.0
    for point in at:
        for site in honest.regression.sites:
            lows, highs = np.array(site.bounds).T
            value = np.reshape(point[site.name], -1)
            assert np.all((value > lows) & (value < highs))


@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_a_far_point_hides_no_other_prior(scale: float) -> None:
    """As it would if one limit, by the largest of all densities, were set to all of them; here without gradients."""
    honest = zeros(scale)
    at = points(honest.regression, honest.data)
    totals = np.array([f.total for f in densities(honest.regression, honest.data, at)])
    assert len(at) == 20
    assert np.ptp(totals) < 1000.0
    wrong = replace(honest.regression, intercept=Normal(0, 1))
    found = [replace(f, gradient=None) for f in densities(wrong, honest.data, at)]
    result = check("wrong", honest.target, at, found)
    assert (result.verdict, result.site) == ("different", "intercept")
    assert result.pattern == f"as if the scale were 1 instead of {scale:g}"
    assert judged(honest, honest.regression).verdict == "same"


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("backend", [name for name in USABLE if name in {"pyro", "numpyro"}])
@pytest.mark.parametrize("scale", [100.0, 1000.0])
def test_honest_backends_have_the_same_model_far_out(backend: str, precision: Precision, scale: float) -> None:
    """Where the rate is no number but 0, too."""
    honest, engine = zeros(scale), bayescore.get_backend(backend, precision=precision)
    native = engine.build_data(honest.regression, honest.data)
    at = points(honest.regression, honest.data)
    found = [engine.log_density(honest.regression, native, point) for point in at]
    result = check(backend, honest.target, at, found, precision=precision)
    assert (result.verdict, result.points) == ("same", 20)
    assert result.gradient_spread is not None


def test_points_that_say_nothing_are_left_out() -> None:
    """Ten are enough; of fewer nothing follows, whatever the backend says."""
    honest = zeros(100.0)
    at = points(honest.regression, honest.data)
    far = [{"intercept": np.array(float(u))} for u in (20, 100, 700, 800)]
    with np.errstate(over="ignore"):
        found = densities(honest.regression, honest.data, at[:10]) + [LogDensity(np.nan, {"intercept": np.nan})] * 4
    result = check("a", honest.target, [*at[:10], *far], found)
    assert (result.verdict, result.points) == ("same", 10)
    result = check("a", honest.target, [*at[1:10], *far], found[1:])
    assert (result.verdict, result.points) == ("not-checked", 0)
    assert result.pattern is not None
    assert result.pattern.startswith("9 of 13 points can be used, and 10 are needed")


def test_a_parameter_that_no_point_tells_apart_leaves_the_model_unchecked() -> None:
    honest = gaussian()
    at = [{**point, "sigma": np.array(0.1)} for point in points(honest.regression, honest.data)]
    result = check("a", honest.target, at, densities(honest.regression, honest.data, at))
    assert (result.verdict, result.points) == ("not-checked", 0)
    assert result.pattern == "sigma has the same value at all points"


def test_many_parameters_have_points_that_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """At twice the posterior's width all would lie too far under the mode, as 600 parameters by 1000 nats."""
    monkeypatch.setattr(target, "DEEPEST", 50.0)
    rng = np.random.default_rng(2)
    data = from_arrays(rng.normal(size=(40, 30)), rng.normal(size=40))
    honest = problem.from_data(data, family="Gaussian(sigma=1)", priors={"beta": "Normal(0, 1)"})
    at = points(honest.regression, honest.data)
    joint = specification.LogJoint(honest.regression, honest.data)
    totals = np.array([float(joint(point)) for point in at])
    assert len(at) == 20
    assert 5.0 < np.ptp(totals) < 50.0
