"""Whatever a backend declares, its log density is the specification's, to the tolerance of the model check."""

import numpy as np
import pytest
from conftest import USABLE
from declared import problems

import bayescore
from bayescore.agreement import model_check
from bayescore.density.mode import unconstrained_density
from bayescore.density.specification import LogJoint, log_density
from bayescore.model.transforms import constrain, unconstrain
from bayescore.plugins import loading
from bayescore.regressions.points import points
from bayescore.tables.problem import Problem

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
    absent = wanted - set(info.supports)
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
