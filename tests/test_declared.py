"""Whatever a backend declares, its log density is the specification's, to the tolerance of the model check."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from conftest import USABLE
from declared import observed, problems, rows

import bayescore
from bayescore.agreement import model_check
from bayescore.density.mode import unconstrained_density
from bayescore.density.specification import LogJoint, log_density
from bayescore.errors import UnsupportedError
from bayescore.methods import METHODS, NUTS
from bayescore.model.distributions import DISTRIBUTIONS, Normal
from bayescore.model.families import FAMILIES, Gaussian
from bayescore.model.transforms import constrain, unconstrain
from bayescore.plugins import loading
from bayescore.regressions.points import points, prior_draw
from bayescore.tables.problem import Problem, from_data, toy

PROBLEMS = problems()
REGISTRY = loading.load()
CASES = [(backend, name) for backend in USABLE if backend != "exact" for name in PROBLEMS]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_gradient_is_that_of_the_density(name: str) -> None:
    """Automatic differentiation against central differences, in the unconstrained space."""
    problem = PROBLEMS[name]
    value, gradient = unconstrained_density(LogJoint(problem.regression, problem.data))
    u = np.random.default_rng(0).normal(0.0, 0.5, len(problem.regression.parameters))
    step = 1e-5 * np.eye(u.size)
    numeric = (value(u + step) - value(u - step)) / 2e-5
    found = gradient(u)
    assert np.max(np.abs(found - numeric)) < 1e-6 * (1 + np.max(np.abs(found)))


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_transforms_are_each_others_inverse(name: str) -> None:
    slots = PROBLEMS[name].regression.slots()
    u = np.random.default_rng(0).normal(0.0, 0.7, (5, slots[-1].stop))
    assert np.max(np.abs(unconstrain(slots, constrain(slots, u, np)[0], np) - u)) < 1e-9


@pytest.mark.parametrize("name", PROBLEMS)
def test_fewer_rows_have_the_same_density(name: str) -> None:
    """The rows taken together, against row by row."""
    problem = PROBLEMS[name]
    joint = LogJoint(problem.regression, problem.data)
    for point in points(problem.regression, problem.data, 3):
        whole = log_density(problem.regression, problem.data, point).total
        assert abs(float(joint(point)) - whole) < 1e-9 * (1 + abs(whole))


@pytest.mark.parametrize(("backend", "name"), CASES, ids=["-".join(case) for case in CASES])
def test_a_declared_regression_is_the_stated_one(backend: str, name: str) -> None:
    problem: Problem = PROBLEMS[name]
    wanted = problem.regression.requirements | problem.data.requirements
    info = REGISTRY[backend].info
    absent = wanted - info.declared()
    if absent:
        assert all(info.gaps.get(a, "").startswith(("not yet", "upstream", "never")) for a in absent), absent
        return
    engine = bayescore.get_backend(backend)
    native = engine.build_data(problem.regression, problem.data)
    at = points(problem.regression, problem.data)
    found = [engine.log_density(problem.regression, native, point) for point in at]
    check = model_check.check(backend, problem.target, at, found)
    assert check.verdict == "same", check
    assert check.points == 20
    assert check.gradient_spread is not None


@dataclass(frozen=True)
class Novel(Gaussian):
    """A family that the core has learned, and no plugin yet."""


@dataclass(frozen=True)
class Unheard(Normal):
    """A prior that the core has learned, and no plugin yet."""


@dataclass(frozen=True)
class Unseen(NUTS):
    """A method that the core has learned, and no plugin yet."""

    name: ClassVar[str] = "unseen"


def test_what_a_plugin_has_not_written_yet_is_declared_and_found_not_to_be_there(
    backends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests above find it, and who runs an older plugin with a newer core is told."""
    monkeypatch.setitem(FAMILIES, "Novel", Novel)
    monkeypatch.setitem(DISTRIBUTIONS, "Unheard", Unheard)
    monkeypatch.setitem(METHODS, "unseen", Unseen)
    engine, small = bayescore.get_backend(backends), toy(n=30)
    assert {"family:Novel", "prior:coefficient:Unheard", "method:unseen"} <= engine.info.declared()
    with pytest.raises(UnsupportedError, match=r"^not yet: the method unseen is not in this version of the backend"):
        engine.fit(small.regression, engine.build_data(small.regression, small.data), Unseen(), seed=0)
    if backends == "exact":  # it knows families and priors by the specification alone
        return
    data = observed(Gaussian(), rows(1), 2)
    known = from_data(data, family="Gaussian(sigma=1)").regression
    for news, what in (
        (replace(known, family=Novel(sigma=1.0)), "the family Novel"),
        (replace(known, beta=(Unheard(0.0, 1.0),) * 2), "the prior Unheard"),
    ):
        native, point = engine.build_data(news, data), prior_draw(news, np.random.default_rng(0))
        with pytest.raises(UnsupportedError, match=f"^not yet: {what}.* is not in this version of the backend"):
            engine.log_density(news, native, point)
