"""Pairs of contenders, and the overall verdict."""

import re

import numpy as np
import pytest
from conftest import ROOT

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.estimates import FromDraws, FromMoments
from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.agreement.guide_family import best_mean_field_sd
from bayescore.agreement.health import Ailment, Health
from bayescore.agreement.model_check import ModelCheck
from bayescore.agreement.pairs import judge_pair
from bayescore.agreement.verdict import decide
from bayescore.density import coordinates
from bayescore.density.guide import gaussian_moments
from bayescore.exact.posterior import solve
from bayescore.methods import MAP, MLE, NUTS, SVI, Exact
from bayescore.model.data import from_arrays
from bayescore.model.posterior import label
from bayescore.tables import problem

TOY = problem.toy()
SOLVED = solve(TOY.regression, TOY.data)
WELL = Health({}, (), {})
ILL = Health({}, (Ailment("unconverged", "R-hat of beta[x] is 1.3"),), {})


def exact():
    return Candidate("exact", TOY.target, Exact(), SOLVED.sample(10_000, 0), WELL)


def sampler(name="a:nuts", shift=0.0, stretch=1.0, draws=2000, seed=0, health=WELL):
    """Four chains of independent draws from the posterior, moved by so many sds and stretched."""
    m = SOLVED.moments
    rng = np.random.default_rng(seed)
    z = stretch * rng.standard_normal((4, draws, 2)) @ np.linalg.cholesky(m.unconstrained_cov).T
    u = m.mean + shift * m.sd + z
    posterior = label(TOY.regression, {"intercept": u[..., 0], "beta": u[..., 1:]})
    return Candidate(name, TOY.target, NUTS(), posterior, health)


def point(method, shift=0.0, name=None):
    values = SOLVED.moments.mean + shift * SOLVED.moments.sd
    posterior = label(
        TOY.regression,
        {"intercept": values[None, None, 0], "beta": values[None, None, 1:]},
        kind=method.kinds[0],
    )
    return Candidate(name or f"a:{method.name}", TOY.target, method, posterior, WELL)


def guide(stretch=1.0, method=None, shift=0.0, name="a:svi"):
    """A mean-field guide at the best of its family in its own coordinates, its scales stretched."""
    method = method or SVI()
    space = coordinates.for_method(TOY.regression, TOY.data, method)
    precision = space.matrix.T @ np.linalg.solve(SOLVED.moments.unconstrained_cov, space.matrix)
    scale = stretch / np.sqrt(np.diag(precision))
    cov = (space.matrix * scale**2) @ space.matrix.T
    mean = SOLVED.moments.mean + shift * SOLVED.moments.sd
    error = 1e-3 * np.sqrt(np.diag(cov))
    moments = gaussian_moments(TOY.regression, mean, cov, np.diag(error**2), error)
    return Candidate(name, TOY.target, method, drawn(TOY.regression, mean, cov, moments), WELL, space)


def drawn(regression, mean, cov, moments):
    """Draws of a Gaussian guide, with its moments."""
    z = np.random.default_rng(5).standard_normal((1, 10_000, len(mean)))
    theta = mean + z @ np.linalg.cholesky(cov).T
    return label(regression, {"intercept": theta[..., 0], "beta": theta[..., 1:]}, moments=moments)


def verdict(*candidates, lost=None, **more):
    return decide(candidates, TOY.target, lost=lost or {}, **more)


def test_the_same_posterior_agrees():
    decision = verdict(exact(), sampler(), sampler("b:nuts", seed=1))
    assert (decision.verdict, decision.exit_code) == ("agree", 0)
    assert [(p.a, p.b) for p in decision.pairs] == [("exact", "a:nuts"), ("exact", "b:nuts"), ("a:nuts", "b:nuts")]


@pytest.mark.parametrize("wrong", [{"shift": 0.3}, {"shift": -0.3}, {"stretch": 1.4}, {"stretch": 0.7}])
def test_another_posterior_disagrees(wrong):
    decision = verdict(exact(), sampler(**wrong))
    assert (decision.verdict, decision.exit_code) == ("disagree", 1)
    assert {reason.code for reason in decision.reasons} == {"different-posterior"}


def test_too_few_draws_are_inconclusive_with_how_many_more():
    decision = verdict(exact(), sampler(draws=100))
    assert (decision.verdict, decision.exit_code) == ("inconclusive", 3)
    (reason,) = decision.reasons
    assert reason.code == "too-few-draws"
    assert "times the draws would settle it" in reason.text


def test_a_pair_is_judged_the_same_either_way():
    settings = {"scale": SOLVED.moments.sd, "cov": SOLVED.moments.unconstrained_cov, "margin": 0.1, "alpha": 0.01}
    candidates = [exact(), sampler(), sampler("b:nuts", 0.2, seed=3), guide(), guide(0.6, name="b:svi")]
    for a in candidates:
        for b in candidates:
            there, back = judge_pair(a, b, **settings), judge_pair(b, a, **settings)
            assert there.verdict == back.verdict
            assert there.max_difference_sd == back.max_difference_sd
            for row, mirrored in zip(there.rows, back.rows, strict=True):
                sign = 1 if row.statistic == "sd_in_family" else -1
                assert np.isclose(row.difference, sign * mirrored.difference, atol=1e-12)


def test_an_unhealthy_fit_makes_its_pairs_inconclusive_and_never_disagree():
    decision = verdict(exact(), sampler(shift=3.0, health=ILL))
    assert (decision.verdict, decision.exit_code) == ("inconclusive", 3)
    (reason,) = decision.reasons
    assert (reason.code, reason.text) == ("unconverged", "a:nuts: R-hat of beta[x] is 1.3")


def test_disagreement_comes_before_a_lost_contender_and_that_before_inconclusive():
    assert verdict(exact(), sampler(shift=1.0), lost={"b": "failed"}).exit_code == 1
    assert verdict(exact(), sampler(draws=100), lost={"b": "failed"}).exit_code == 4
    assert verdict(exact(), sampler(), lost={"b": "failed"}).exit_code == 4
    assert verdict(lost={"b": "failed: no memory"}).reasons[0].text == "b: failed: no memory"


def test_with_an_exact_contender_agreement_with_it_is_enough():
    ridge = np.array([0.05, -0.05])
    loose = [sampler("a:nuts", shift=ridge), sampler("b:nuts", shift=-ridge, seed=1)]
    assert verdict(*loose).verdict != "agree"
    assert verdict(exact(), *loose).verdict == "agree"


def test_a_single_contender_has_nothing_to_agree_with():
    decision = verdict(exact())
    assert (decision.verdict, decision.exit_code) == ("inconclusive", 3)
    assert [reason.code for reason in decision.reasons] == ["nothing-to-compare"]


def test_a_smoke_run_concludes_nothing():
    decision = verdict(exact(), sampler(shift=3.0), smoke=True)
    assert (decision.verdict, decision.exit_code) == ("inconclusive", 3)
    assert [reason.code for reason in decision.reasons] == ["smoke"]


def test_a_point_is_never_compared_with_a_posterior():
    decision = verdict(exact(), point(MAP()))
    assert decision.pairs[0].verdict == "not-comparable"
    assert (decision.verdict, decision.exit_code) == ("inconclusive", 3)
    assert [reason.code for reason in decision.reasons] == ["not-comparable"]
    assert verdict(point(MLE()), point(MAP())).pairs[0].verdict == "not-comparable"


@pytest.mark.parametrize("method", [MLE(), MAP()], ids=str)
def test_points_are_compared_in_posterior_sds(method):
    near, far = point(method, 0.05, "b"), point(method, 0.2, "b")
    assert verdict(point(method), near).verdict == "agree"
    decision = verdict(point(method), far)
    assert decision.verdict == "disagree"
    assert np.isclose(decision.pairs[0].max_difference_sd, 0.2, rtol=1e-3)


def test_a_mean_field_guide_is_judged_against_the_best_of_its_family():
    raw = SVI(standardize=False)
    decision = verdict(exact(), guide(method=raw))
    rows = decision.pairs[0].rows
    expected = [row for row in rows if row.verdict == "expected"]
    assert {row.quantity for row in expected} == {"intercept", "beta[x]"}
    assert all(0.4 < row.expected_ratio < 0.6 for row in expected)
    assert decision.verdict == "agree"
    assert {reason.code for reason in decision.reasons} == {"guide-family"}


@pytest.mark.parametrize("stretch", [0.7, 1.4])
def test_a_mean_field_guide_that_misses_the_best_of_its_family_disagrees(stretch):
    decision = verdict(exact(), guide(stretch, SVI(standardize=False)))
    assert decision.verdict == "disagree"


def test_a_mean_field_guide_on_centred_columns_reaches_the_posterior():
    decision = verdict(exact(), guide())
    assert decision.verdict == "agree"
    assert all(row.verdict == "agree" for row in decision.pairs[0].rows)


def test_the_best_mean_field_sd_of_the_raw_toy_is_about_half():
    space = coordinates.for_method(TOY.regression, TOY.data, SVI(standardize=False))
    ratio = best_mean_field_sd(TOY.target, space, SOLVED.moments.unconstrained_cov, exact().posterior)
    np.testing.assert_allclose(ratio / SOLVED.moments.sd, 0.48, atol=0.02)


def test_known_moments_are_carried_along_any_direction():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2, 2))
    mean, cov = rng.normal(size=2), root @ root.T
    zero = np.zeros(2)
    found = FromMoments(gaussian_moments(TOY.regression, mean, cov, np.diag(zero), zero)).along(np.array([[1.0, -2.0]]))
    assert np.isclose(found.mean[0], mean[0] - 2 * mean[1])
    assert np.isclose(found.sd[0] ** 2, cov[0, 0] - 4 * cov[0, 1] + 4 * cov[1, 1])


@pytest.mark.parametrize("phi", [0.0, 0.6, -0.4])
def test_monte_carlo_errors_are_calibrated_on_chains_of_known_autocorrelation(phi):
    rng = np.random.default_rng(1)
    chains, draws, parallel = 4, 1000, 300
    x = np.empty((chains, draws, parallel))
    x[:, 0] = rng.standard_normal((chains, parallel)) / np.sqrt(1 - phi**2)
    for t in range(1, draws):
        x[:, t] = phi * x[:, t - 1] + rng.standard_normal((chains, parallel))
    sd = 1 / np.sqrt(1 - phi**2)
    found = FromDraws(x).along(np.eye(parallel))
    n = chains * draws
    known_mean_error = sd * np.sqrt((1 + phi) / (1 - phi) / n)
    known_sd_error = sd * np.sqrt((1 + phi**2) / (1 - phi**2) / (2 * n))
    assert np.isclose(np.median(found.mean_error), known_mean_error, rtol=0.06)
    assert np.isclose(np.median(found.sd_error), known_sd_error, rtol=0.06)
    assert np.isclose(np.std(found.mean / found.mean_error), 1.0, atol=0.13)
    assert np.isclose(np.std((found.sd - sd) / found.sd_error), 1.0, atol=0.13)


def test_a_quantity_that_does_not_move_has_no_error():
    found = FromDraws(np.ones((4, 100, 1))).along(np.eye(1))
    assert (found.mean[0], found.mean_error[0], found.sd[0], found.sd_error[0]) == (1.0, 0.0, 0.0, 0.0)


def test_every_reason_that_is_given_is_explained():
    source = "".join(path.read_text() for path in (ROOT / "bayescore" / "agreement").glob("*.py"))
    given = set(re.findall(r'(?:Reason|Ailment)\(\s*"([a-z-]+)"', source))
    assert len(given) >= 8
    assert given <= set(EXPLANATIONS)


def test_a_family_that_can_only_be_too_wide_is_expected_to_be() -> None:
    """Uncentred, correlated columns: the intercept is a sum of coordinates that a guide takes as independent."""
    rng = np.random.default_rng(1)
    x1 = rng.normal(5.0, 1.0, 100)
    x2 = x1 + rng.normal(0.0, 0.7, 100)
    stated = problem.from_data(
        from_arrays(np.column_stack([x1, x2]), x1 - x2 + rng.normal(size=100)), family="Gaussian(sigma=1)"
    )
    truth = solve(stated.regression, stated.data)
    sound = Candidate("exact", stated.target, Exact(), truth.sample(10_000, 0), WELL)
    method = SVI()
    space = coordinates.for_method(stated.regression, stated.data, method)
    precision = space.matrix.T @ np.linalg.solve(truth.moments.unconstrained_cov, space.matrix)
    cov = (space.matrix / np.diag(precision)) @ space.matrix.T
    none = np.zeros((3, 3))
    moments = gaussian_moments(stated.regression, truth.moments.mean, cov, none, np.zeros(3))
    posterior = drawn(stated.regression, truth.moments.mean, cov, moments)
    best = Candidate("a:svi", stated.target, method, posterior, WELL, space)
    pair = judge_pair(sound, best, scale=None, cov=truth.moments.unconstrained_cov, margin=0.1, alpha=0.01)
    ratios = {row.quantity: row.expected_ratio for row in pair.rows if row.verdict == "expected"}
    assert ratios["intercept"] > 1.05
    assert ratios["beta[x1]"] < 0.95
    assert pair.verdict == "agree"
    assert "as a mean-field guide's must be" in pair.reasons[0].text


def test_digits_that_are_lost_are_no_model_that_could_not_be_looked_at():
    """Also where models alone are compared."""
    lost = ModelCheck("a", "precision", points=20, spread=0.01, pattern="float32 loses the digits")
    unseen = ModelCheck("b", "not-checked", pattern="it gives no log density")
    decision = decide([], TOY.target, lost={}, models=[lost, unseen], model_only=True)
    assert decision.verdict == "inconclusive"
    assert [reason.code for reason in decision.reasons] == ["precision", "not-checked"]
    assert "0.01 nats" in decision.reasons[0].text
