"""A guide's figures: the ELBO, the gap to the evidence, and Pareto's k, against known values."""

import numpy as np
import pytest
from scipy import stats

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.guide_quality import figures
from bayescore.agreement.health import Health
from bayescore.density.specification import LogJoint
from bayescore.exact.posterior import solve
from bayescore.methods import SVI
from bayescore.model.posterior import label
from bayescore.tables import problem

TOY = problem.toy()
SOLVED = solve(TOY.regression, TOY.data)
MEAN, COV = SOLVED.moments.unconstrained_mean, SOLVED.moments.unconstrained_cov
EVIDENCE = SOLVED.moments.log_evidence
WELL = Health({}, (), {})


def guide(mean, cov, draws=4000, log_joint=None):
    """A Gaussian guide of the toy, with its own log density at its draws."""
    flat = np.random.default_rng(0).multivariate_normal(mean, cov, (1, draws))
    log_q = stats.multivariate_normal(mean, cov).logpdf(flat)
    values = {"intercept": flat[..., 0], "beta": flat[..., 1:]}
    joint = LogJoint(TOY.regression, TOY.data)(values) if log_joint is None else log_q + log_joint
    posterior = label(TOY.regression, values, sample_stats={"log_q": log_q})
    return Candidate("a:svi", TOY.target, SVI(), posterior, WELL, None, joint)


def test_the_posterior_as_a_guide_reaches_the_evidence():
    found = figures(guide(MEAN, COV), EVIDENCE)
    assert found["elbo"] == pytest.approx(EVIDENCE, abs=1e-6)
    assert found["elbo_error"] < 1e-6
    assert abs(found["kl_gap"]) < 1e-6


@pytest.mark.parametrize("shift, stretch", [(0.5, 1.0), (0.0, 0.7), (0.0, 1.3), (-1.0, 0.9)])
def test_the_gap_is_the_kullback_leibler_divergence(shift, stretch):
    """Of two Gaussians in two dimensions, within 4.5 Monte Carlo errors."""
    move = shift * np.linalg.cholesky(COV) @ [1.0, 0.0]
    found = figures(guide(MEAN + move, stretch**2 * COV), EVIDENCE)
    wanted = 0.5 * (2 * stretch**2 - 2 - 2 * np.log(stretch**2) + shift**2)
    assert abs(found["kl_gap"] - wanted) < 4.5 * found["elbo_error"]
    assert "kl_gap" not in figures(guide(MEAN + move, stretch**2 * COV), None)


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
def test_k_is_the_tails_index(k):
    """Of importance weights u^-k with u uniform; its standard error with 4000 draws is under 0.1."""
    uniform = np.random.default_rng(1).random((1, 4000))
    found = figures(guide(MEAN, COV, log_joint=-k * np.log(uniform)), None)
    assert abs(found["pareto_k"] - k) < 0.2


def test_a_guide_that_is_too_narrow_has_a_worse_k_than_one_that_is_too_wide():
    narrow, wide = (figures(guide(MEAN, stretch**2 * COV), None)["pareto_k"] for stretch in (0.6, 1.3))
    assert narrow > 0.5
    assert wide < 0.3


@pytest.mark.parametrize("draws", [99, 100])
def test_few_draws_have_no_figures(draws):
    assert bool(figures(guide(MEAN, 0.8 * COV, draws), None)) == (draws >= 100)
