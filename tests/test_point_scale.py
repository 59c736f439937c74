"""Point estimates are held against each other in the sds of their own estimand, or not at all."""

import numpy as np
import pytest
from declared import problems

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.health import Health
from bayescore.agreement.verdict import decide
from bayescore.density.coordinates import constrain, standardizing_matrix
from bayescore.density.mode import laplace, start_of, unconstrained_density
from bayescore.density.specification import LogJoint
from bayescore.methods import MAP, MLE
from bayescore.model.data import from_arrays
from bayescore.model.posterior import label
from bayescore.tables import problem

PROBLEMS = problems()
WELL = Health({}, (), {})
TOY = problem.from_data(
    problem.toy().data, family="Gaussian(sigma=0.1)", priors={"intercept": "Normal(0, 2)", "beta": "Normal(0, 0.01)"}
)


def point(stated, method, name, values):
    """A candidate with these values of the sites, which are judged as a comparison judges them."""
    draws = {site: np.asarray(value, dtype=float)[None, None] for site, value in values.items()}
    posterior = label(stated.regression, draws, kind=method.kinds[0])
    return Candidate(name, stated.target, method, stated.target.judged(posterior), WELL)


def decided(stated, *candidates):
    return decide(candidates, stated.target, lost={})


def toy_point(method, name, shift=0.0):
    return point(TOY, method, name, {"intercept": 2.0, "beta": [0.1 + shift]})


def test_the_scale_is_the_curvature_of_the_estimands_own_density():
    """Of a Gaussian with sigma 0.1: (X'X / 0.01)^-1 for the likelihood, and with the prior's precision for the mode."""
    data = TOY.data
    x = np.column_stack([np.ones(data.rows), data.x])
    prior = np.diag([TOY.regression.intercept.scale**-2.0, 0.01**-2.0])
    for estimand, precision in (("mle", x.T @ x / 0.01), ("map", x.T @ x / 0.01 + prior)):
        wanted = np.sqrt(np.diag(np.linalg.inv(precision)))
        np.testing.assert_allclose(TOY.target.point_scale(estimand, []), wanted, rtol=1e-5)


def test_who_stands_before_it_changes_nothing_for_a_pair():
    """An MLE's unit is 3.5 times that of a mode here: 0.2 sds of the one are 0.06 of the other."""
    shift = 0.2 * TOY.target.point_scale("map", [])[1]
    modes = toy_point(MAP(), "a:map"), toy_point(MAP(), "b:map", shift)
    alone = decided(TOY, *modes)
    assert alone.pairs[0].verdict == "disagree"
    assert np.isclose(alone.pairs[0].max_difference_sd, 0.2, rtol=1e-6)
    other = toy_point(MLE(), "c:mle")
    for order in ((other, *modes), (*modes, other), (modes[0], other, modes[1])):
        found = next(p for p in decided(TOY, *order).pairs if {p.a, p.b} == {"a:map", "b:map"})
        assert found.verdict == "disagree"
        assert found.rows == alone.pairs[0].rows


@pytest.mark.parametrize("moved", [0.0, 0.05, 30.0])
def test_estimates_without_a_scale_are_inconclusive(moved):
    """Separated classes have no MLE: 0.05 apart in no unit at all is no agreement."""
    x = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    stated = problem.from_data(from_arrays(x, (x > 0).astype(float)), family="Bernoulli")
    a, b = (point(stated, MLE(), n, {"intercept": 0.0, "beta": [20.0 + m]}) for n, m in (("a", 0.0), ("b", moved)))
    decision = decided(stated, a, b)
    assert decision.verdict == "inconclusive"
    assert [reason.code for reason in decision.reasons] == ["not-identified"]
    assert "there is no sd to hold maximum likelihood estimates against" in decision.reasons[0].text
    assert (decision.pairs[0].rows, decision.pairs[0].max_difference_sd) == ((), None)


def mode_of(stated):
    joint = LogJoint(stated.regression, stated.data)
    basis = standardizing_matrix(stated.regression, stated.data)
    u, precision = laplace(joint, start_of(stated.regression, stated.data), basis, jacobian=False)
    return u, basis @ np.linalg.inv(precision) @ basis.T


def test_a_network_is_measured_in_the_sds_of_its_outputs():
    """Found here by draws from the Laplace approximation made so narrow that the outputs are linear in them."""
    stated = PROBLEMS["network-4"]
    u, cov = mode_of(stated)
    drawn = np.random.default_rng(0).multivariate_normal(u, 1e-8 * cov, 20_000)
    wanted = 1e4 * stated.target.flat(constrain(stated.regression.slots(), drawn)).std(axis=0)
    wanted[-1] /= float(constrain(stated.regression.slots(), u)["sigma"])  # judged as a logarithm
    scale = stated.target.point_scale("map", [])
    np.testing.assert_allclose(scale, wanted, rtol=0.03)
    at = constrain(stated.regression.slots(), u)
    bias = max(name for name in at if name.endswith(".bias"))
    moved = {**at, bias: at[bias] + 0.2 * scale[0]}
    decision = decided(stated, point(stated, MAP(), "a", at), point(stated, MAP(), "b", moved))
    (pair,) = decision.pairs
    assert decision.verdict == "disagree"
    first = next(row for row in pair.rows if row.quantity == "eta[row 1]")
    assert np.isclose(first.difference, -0.2, rtol=1e-9)
    assert decided(stated, point(stated, MAP(), "a", at), point(stated, MAP(), "b", at)).verdict == "agree"


def test_thresholds_are_measured_as_they_are_judged():
    """Not in the logarithms of their steps, which they are made of: against differences of the density itself."""
    stated = PROBLEMS["Ordinal-logit"]
    regression = stated.regression
    u, _ = mode_of(stated)
    joint = LogJoint(regression, stated.data)
    at = stated.target.flat(constrain(regression.slots(), u[None]))[0]

    def density(theta):
        values, stop = {}, 0
        for site in regression.sites:
            start, stop = stop, stop + site.size
            values[site.name] = theta[start:stop].reshape(site.shape)
        return float(joint(values))

    h, unit = 1e-4, np.eye(at.size)

    def second(a, b):
        plus, minus = h * (a + b), h * (a - b)
        return (density(at + plus) - density(at + minus) - density(at - minus) + density(at - plus)) / (4 * h * h)

    hessian = np.array([[second(a, b) for b in unit] for a in unit])
    wanted = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    np.testing.assert_allclose(stated.target.point_scale("map", []), wanted, rtol=1e-3)


def test_the_curvature_of_a_network_is_that_at_the_estimates():
    """From small weights the core's own search ends nowhere here; an estimate is a mode."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    stated = problem.from_data(from_arrays(x, np.sin(x[:, 0]) + 0.1 * rng.normal(size=40)), network=(3,))
    regression, target = stated.regression, stated.target
    value, gradient = unconstrained_density(LogJoint(regression, stated.data), jacobian=False)
    start = start_of(regression, stated.data)
    u = minimize(lambda u: -float(value(u)), start, jac=lambda u: -gradient(u), method="BFGS").x
    at = constrain(regression.slots(), u)
    estimate = label(regression, {name: v[None, None] for name, v in at.items()}, kind="map")
    assert target.point_scale("map", []) is None
    scale = target.point_scale("map", [estimate])
    assert scale is not None
    np.testing.assert_allclose(target.point_scale("map", [estimate, estimate]), scale)
    a, b = (point(stated, MAP(), name, at) for name in "ab")
    decision = decide([a, b], target, points=[estimate] * 2, lost={})
    assert decision.verdict == "agree"
