"""Targets with no regression behind them go the one road to a verdict."""

from dataclasses import dataclass

import numpy as np
import pytest

from bayescore.agreement.conclusion import Finished, conclude
from bayescore.agreement.model_check import check
from bayescore.backend import LogDensity
from bayescore.density.target import Scalars, Target
from bayescore.methods import MAP, NUTS
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import POSITIVE, REAL
from bayescore.model.variables import Bounded

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCHOOLS = tuple("ABCDEFGH")


def normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class EightSchools(Target):
    """Rubin (1981), with mu ~ Normal(0, 5) and tau ~ HalfNormal(scale)."""

    scale: float = 5.0

    @property
    def sites(self):
        return (
            Bounded("mu", (), (), (REAL,)),
            Bounded("tau", (), (), (POSITIVE,)),
            Bounded("theta", (8,), SCHOOLS, (REAL,) * 8),
        )

    def terms(self, values):
        mu, tau, theta = (np.asarray(values[name]) for name in ("mu", "tau", "theta"))
        return {
            "mu": normal(mu, 0.0, 5.0),
            "tau": normal(tau, 0.0, self.scale) + np.log(2.0),
            "theta": normal(theta, mu[..., None], tau[..., None]).sum(axis=-1),
            "likelihood": normal(Y, theta, SIGMA).sum(axis=-1),
        }

    def log_density(self, values):
        terms = {name: float(term) for name, term in self.terms(values).items()}
        return LogDensity(sum(terms.values()), terms)

    def log_joint(self, posterior):
        return sum(self.terms(posterior.draws).values())

    def draws(self, seed, chains=4, count=2500):
        """Exact ones: tau from its marginal on a grid, mu given tau, theta given both."""
        rng, n = np.random.default_rng(seed), chains * count
        grid = (np.arange(20_000) + 0.5) * self.scale / 2000.0
        precision = 1.0 / (SIGMA**2 + grid[:, None] ** 2)
        total = precision.sum(axis=1) + 1.0 / 25.0
        middle = precision @ Y / total
        log_weight = normal(grid, 0.0, self.scale) + 0.5 * np.log(precision).sum(axis=1) - 0.5 * np.log(total)
        log_weight -= 0.5 * (precision @ Y**2 - total * middle**2)
        weight = np.exp(log_weight - log_weight.max())
        at = rng.choice(grid.size, n, p=weight / weight.sum())
        tau = grid[at] + rng.uniform(-0.5, 0.5, n) * (grid[1] - grid[0])
        mu = middle[at] + rng.standard_normal(n) / np.sqrt(total[at])
        both = 1.0 / SIGMA**2 + 1.0 / tau[:, None] ** 2
        theta = (Y / SIGMA**2 + mu[:, None] / tau[:, None] ** 2) / both
        theta += rng.standard_normal((n, 8)) / np.sqrt(both)
        found = {"mu": mu, "tau": tau, "theta": theta}
        draws = {name: v.reshape(chains, count, *v.shape[1:]) for name, v in found.items()}
        return Posterior(draws, {"theta": SCHOOLS})


RIGHT, WRONG = EightSchools(), EightSchools(scale=10.0)


def points(count=20):
    flat = RIGHT.draws(99).flat()
    return [{name: values[k] for name, values in flat.items()} for k in range(count)]


def judged(second):
    """The right density against another that says that it is the same, each with draws of its own."""
    at = points()
    models = [check(name, RIGHT, at, [t.log_density(p) for p in at]) for name, t in (("a", RIGHT), ("b", second))]
    fits = [Finished("a", NUTS(), RIGHT.draws(1)), Finished("b", NUTS(), second.draws(2))]
    return conclude(RIGHT, fits, models=models)


def test_two_sets_of_draws_of_one_target_agree():
    found = judged(RIGHT)
    assert found.decision.verdict == "agree", found.decision.reasons
    assert not any(candidate.health.ailments for candidate in found.candidates.values())
    quantities = {row.quantity for row in found.decision.pairs[0].rows}
    assert {"mu", "tau", "theta[A]", "theta[H]", "pc1", "log joint"} <= quantities


def test_a_wrong_copy_of_a_target_is_another_model_and_its_site_is_named():
    (reason,) = judged(WRONG).decision.reasons
    assert reason.code == "different-model"
    assert "in the term of tau" in reason.text


def test_a_wrong_copy_is_found_by_its_draws_alone():
    fits = [Finished("a", NUTS(), RIGHT.draws(1)), Finished("b", NUTS(), WRONG.draws(2))]
    decision = conclude(RIGHT, fits).decision
    assert decision.verdict == "disagree"
    assert {reason.code for reason in decision.reasons} == {"different-posterior"}


@pytest.mark.parametrize("target", [RIGHT, Scalars(("mu", "tau"), (REAL, POSITIVE))])
def test_point_estimates_of_a_target_without_a_curvature_have_no_unit(target):
    draws = {site.name: np.ones((1, 1, *site.shape)) for site in target.sites}
    fits = [Finished(name, MAP(), Posterior(draws, kind="map")) for name in "ab"]
    decision = conclude(target, fits).decision
    assert decision.verdict == "inconclusive"
    assert [reason.code for reason in decision.reasons] == ["not-identified"]
