"""Regressions, and what is right of their densities, for the tests of the model check."""

import numpy as np
from declared import problems

from bayescore.agreement.model_check import ModelCheck, check
from bayescore.backend import LogDensity
from bayescore.density import specification
from bayescore.model.data import Data, from_arrays, toy_data
from bayescore.model.regression import Regression
from bayescore.regressions.points import points
from bayescore.tables import problem
from bayescore.tables.problem import Problem

PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}


def gaussian(sigma: str = "Gamma(2, 3)") -> Problem:
    table = toy_data(n=100, p=2)
    return problem.from_data(from_arrays(table[:, :2], table[:, 2]), priors={**PRIORS, "sigma": sigma})


def logistic() -> Problem:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = (rng.random(100) < 1 / (1 + np.exp(-x))).astype(float)
    return problem.from_data(from_arrays(x, y), family="Bernoulli", priors=PRIORS)


def densities(regression: Regression, data: Data, at) -> list[LogDensity]:
    return [specification.log_density(regression, data, point) for point in at]


def judged(honest: Problem, regression: Regression, data: Data | None = None) -> ModelCheck:
    at = points(honest.regression, honest.data)
    found = densities(regression, data or honest.data, at)
    return check("wrong", honest.target, at, found)


def scaled(found: LogDensity, term: str, factor: float = 1.0, constant: float = 0.0) -> LogDensity:
    terms = dict(found.by_site)
    terms[term] = factor * terms[term] + constant
    return LogDensity(sum(terms.values()), terms, None)


def without_terms(found: list[LogDensity]) -> list[LogDensity]:
    return [LogDensity(f.total) for f in found]


PROBLEMS = problems()


def zeros(scale: float) -> Problem:
    """Twenty counts of 0: far out the rate overflows, and the density lies 1e198 nats under the mode's."""
    data = from_arrays(np.empty((20, 0)), np.zeros(20))
    return problem.from_data(data, family="Poisson", priors={"intercept": f"Normal(0, {scale})"})
