"""The posteriors that the rule is measured on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.conclusion import Finished, enter
from bayescore.contract import refit
from bayescore.contract.checked import Checked
from bayescore.density.target import Scalars, Target
from bayescore.exact import quadrature
from bayescore.exact.posterior import solve
from bayescore.methods import NUTS, Exact
from bayescore.model.arrays import Array
from bayescore.model.data import from_arrays
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import REAL
from bayescore.regressions.problem import Problem
from bayescore.regressions.work import RegressionSession, RegressionWork
from bayescore.tables import problem

Draw = Callable[[int], Posterior]


@dataclass(frozen=True)
class Source:
    """A posterior that can be drawn from again and again.

    Attributes
    ----------
    draw
        Draws of a seed, as a healthy backend would give them.
    problem
        The regression, or None for a posterior made by hand.
    """

    target: Target
    draw: Draw
    problem: Problem | None = None

    def exact(self, seed: int) -> Candidate | None:
        """The exact posterior, where there is one."""
        if self.problem is None or self.problem.regression.family.name != "Gaussian":
            return None
        posterior = solve(self.problem.regression, self.problem.data).sample(10_000, seed)
        return enter(self.target, Finished("exact", Exact(), posterior))


def make(name: str, backend: Checked, method: NUTS) -> Source:
    """Make a source; a regression is drawn from by ``backend`` with ``method``."""
    if name == "funnel":
        return _funnel(method)
    if name == "heavy":
        return _heavy(method)
    stated = PROBLEMS[name]()
    session = RegressionSession(RegressionWork(stated.regression, stated.data, stated.new_data), backend)

    def draw(seed: int) -> Posterior:
        return refit.fit(session, method, seeds=(seed, seed))[1]

    return Source(stated.target, draw, stated)


def _skewed() -> Problem:
    """A logistic regression of few rows: skewed."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(15, 2))
    y = (rng.random(15) < 1 / (1 + np.exp(-1.5 * x[:, 0] - 1.0))).astype(float)
    return problem.from_data(from_arrays(x, y), family="Bernoulli")


def _twenty() -> Problem:
    """Twenty parameters, sigma among them."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(100, 18))
    y = x @ rng.normal(size=18) + rng.normal(size=100)
    return problem.from_data(from_arrays(x, y))


def _correlated() -> Problem:
    """Uncentred columns: intercept and slope correlate at -0.9999, two columns at 0.99."""
    rng = np.random.default_rng(5)
    x1 = rng.normal(100.0, 1.0, 60)
    x2 = x1 + rng.normal(0.0, 0.14, 60)
    y = 2.0 + x1 - x2 + rng.normal(0.0, 1.0, 60)
    return problem.from_data(from_arrays(np.column_stack([x1, x2]), y))


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "toy": problem.toy,
    "skewed": _skewed,
    "twenty": _twenty,
    "correlated": _correlated,
}
NAMES = (*PROBLEMS, "funnel", "heavy")


def _heavy(method: NUTS) -> Source:
    """Separated classes under a Cauchy prior, drawn independently from the lattice: the slope has no mean."""
    x = np.linspace(-2.0, 2.0, 20)
    priors = {"intercept": "Normal(0, 2.5)", "beta": "Cauchy(0, 2.5)"}
    stated = problem.from_data(from_arrays(x, (x > 0).astype(float)), family="Bernoulli", priors=priors)
    solved = quadrature.solve(stated.regression, stated.data)

    def draw(seed: int) -> Posterior:
        flat = solved.sample(method.chains * method.draws, seed)
        shape = (method.chains, method.draws)
        return Posterior({site: v.reshape(*shape, *v.shape[2:]) for site, v in flat.draws.items()}, flat.labels)

    return Source(stated.target, draw, stated)


def _funnel(method: NUTS) -> Source:
    """A mild funnel by hand, log tau ~ Normal(0, 1/2) and three effects ~ Normal(0, tau), drawn independently."""
    names = ("log_tau", "effect1", "effect2", "effect3")

    def draw(seed: int) -> Posterior:
        rng = np.random.default_rng([seed, 7])
        shape = (method.chains, method.draws)
        log_tau = rng.normal(0.0, 0.5, shape)
        effects = {name: np.exp(log_tau) * rng.standard_normal(shape) for name in names[1:]}
        return Posterior({"log_tau": log_tau, **effects})

    return Source(Funnel(names, (REAL,) * 4), draw)


class Funnel(Scalars):
    """Its log tau, and the effects."""

    def log_joint(self, posterior: Posterior) -> Array:
        log_tau, *effects = (posterior.draws[name] for name in self.names)
        total = -2.0 * log_tau**2 - 3.0 * log_tau
        for effect in effects:
            total = total - 0.5 * (effect / np.exp(log_tau)) ** 2
        return np.asarray(total)
