"""Rows with equal covariates taken together have the likelihood of all rows, with all its digits."""

from dataclasses import replace

import numpy as np
import pytest
from declared import problems
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescore.density import equal_rows
from bayescore.density.equal_rows import aggregate
from bayescore.density.reduction import compress
from bayescore.density.specification import likelihood
from bayescore.model import families
from bayescore.model.data import Data, Membership
from bayescore.regressions.points import prior_draw
from bayescore.tables.default_priors import state

FAMILY = families.Bernoulli()


def different(n):
    rng = np.random.default_rng(0)
    return Data(rng.normal(size=(n, 2)), rng.integers(0, 2, n).astype(float), ("a", "b"))


def repeated(n=300, kinds=12, seed=0, **more):
    """Rows of few kinds, in random order."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, kinds, n)
    x = np.round(rng.normal(size=(kinds, 2)), 2)[kind]
    y = rng.integers(0, 2, kinds)[kind].astype(float)
    return Data(x, y, ("a", "b"), **{name: np.asarray(v)[kind] for name, v in more.items()})


def test_equal_rows_count_once_with_a_weight():
    data = repeated()
    few = aggregate(FAMILY, data)
    assert few.rows == 12
    assert few.weights.sum() == 300
    for row in range(few.rows):
        same = np.all(data.x == few.x[row], axis=1) & (data.y == few.y[row])
        assert few.weights[row] == same.sum()


def test_weights_of_equal_rows_are_added():
    data = replace(repeated(), weights=np.random.default_rng(1).uniform(0.1, 3.0, 300))
    few = aggregate(FAMILY, data)
    regression = state("bernoulli", data, {})
    values = {"intercept": np.array(0.4), "beta": np.array([1.0, -0.7])}
    assert few.rows == 12
    assert np.isclose(few.weights.sum(), data.weights.sum())
    assert np.isclose(likelihood(regression, few, values), likelihood(regression, data, values), rtol=1e-13)


@pytest.mark.parametrize("part", ["y", "offset", "trials", "ones", "level", "value", "x"])
def test_rows_that_differ_in_anything_are_kept_apart(part):
    """Two kinds of rows that are equal in all but one thing."""
    n = 100
    which = np.arange(n) % 2
    data = Data(
        np.ones((n, 1)),
        np.zeros(n),
        ("a",),
        offset=np.zeros(n),
        trials=np.ones(n),
        ones=np.ones(n),
        groups={"1|g": Membership(np.zeros(n, dtype=int), np.ones(n))},
    )
    assert aggregate(FAMILY, data).rows == 1
    member = data.groups["1|g"]
    if part in {"level", "value"}:
        index, value = (which, member.value) if part == "level" else (member.index, which + 1.0)
        other = replace(data, groups={"1|g": Membership(index, value)})
    elif part == "x":
        other = replace(data, x=data.x + which[:, None])
    else:
        other = replace(data, **{part: which + 1.0})
    few = aggregate(FAMILY, other)
    assert few.rows == 2
    np.testing.assert_array_equal(few.weights, [50.0, 50.0])


def test_groups_and_trials_go_with_their_rows():
    data = repeated(trials=np.arange(12.0) + 3, offset=np.linspace(-1.0, 1.0, 12))
    level = data.trials.astype(int) % 5
    data = replace(data, groups={"1|g": Membership(level, data.x[:, 0])})
    few = aggregate(FAMILY, data)
    assert few.rows == 12
    np.testing.assert_array_equal(few.groups["1|g"].index, few.trials.astype(int) % 5)
    np.testing.assert_array_equal(few.groups["1|g"].value, few.x[:, 0])
    assert few.groups["1|g"].index.dtype.kind == "i"


def test_rows_that_are_hardly_ever_equal_are_left_as_they_are():
    data = different(100)
    assert aggregate(FAMILY, data) is data
    pairs = data.take(np.repeat(np.arange(100), 2)[:150])  # 75 kinds in 150 rows: just worth it
    assert aggregate(FAMILY, pairs).rows == 75
    assert aggregate(FAMILY, data.take(np.r_[np.arange(100), np.arange(49)])).rows == 149


def test_different_responses_of_one_cell_are_no_reason_to_leave_them():
    y = np.random.default_rng(2).permutation(np.arange(100.0))
    data = Data(np.ones((100, 1)), y, ("a",))
    assert aggregate(families.Poisson(), data).rows <= 4
    assert aggregate(families.NegativeBinomial(), data) is data


def test_rows_that_repeat_at_the_beginning_only_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(equal_rows, "_SAMPLE", 50)
    data = different(500)
    early = data.take(np.r_[np.zeros(50, dtype=int), np.arange(500)])
    assert aggregate(FAMILY, early) is early


def test_repetition_that_the_first_rows_do_not_show_is_not_looked_for(monkeypatch):
    monkeypatch.setattr(equal_rows, "_SAMPLE", 50)
    data = different(50)
    late = data.take(np.r_[np.arange(50), np.zeros(500, dtype=int)])
    assert aggregate(FAMILY, late) is late


def cells(family, n=400, seed=0, weighted=False):
    """Rows whose covariates are of eight kinds, with responses of the family."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 8, n)
    x = rng.normal(size=(8, 2))[kind]
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    if family.name == "Poisson":
        y = rng.poisson(np.exp(rng.normal(2.0, 1.0, n))).astype(float)
        return Data(x, y, ("a", "b"), offset=np.linspace(-1.0, 1.0, 8)[kind], weights=weights)
    trials = np.arange(3.0, 11.0)[kind]
    y = rng.binomial(trials.astype(int), rng.beta(1.0, 1.0, n)).astype(float)
    return Data(x, y, ("a", "b"), trials=trials, weights=weights)


@pytest.mark.parametrize("name, stated", problems().items())
def test_everything_declared_keeps_its_likelihood(name, stated):
    rng = np.random.default_rng(3)
    data = stated.data.take(rng.integers(0, stated.data.rows, 6 * stated.data.rows))
    few = compress(stated.regression, data)
    assert few.rows <= stated.data.rows
    draws = [prior_draw(stated.regression, rng) for _ in range(5)]
    whole = np.array([likelihood(stated.regression, data, values) for values in draws])
    np.testing.assert_allclose([likelihood(stated.regression, few, values) for values in draws], whole, rtol=1e-9)


LINEAR = [
    families.Poisson(),
    *(families.Binomial(link=link) for link in families.Binomial.links),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("family", LINEAR, ids=str)
def test_four_rows_say_all_about_equal_covariates(family, weighted):
    data = cells(family, weighted=weighted)
    regression = state(str(family), data, {})
    few = aggregate(family, data)
    assert few.rows <= 4 * 8
    assert np.all(few.weights > 0)
    assert np.all(few.y == np.round(few.y))
    family.check_response(few)
    for a in (-2.0, 0.0, 1.5):
        values = {"intercept": np.array(a), "beta": np.array([0.3, -0.8])}
        assert np.isclose(likelihood(regression, few, values), likelihood(regression, data, values), rtol=1e-12)


@pytest.mark.parametrize("family", [f() for f in families.FAMILIES.values() if f.linear], ids=str)
def test_a_linear_familys_density_is_linear_in_the_response(family):
    """Its differences in eta are; at one eta it is concave."""
    y, given_trials = np.arange(6.0), {"trials": np.full(6, 5.0)}
    at = {eta: family.log_prob(y, np.full(6, eta), given_trials) for eta in (-1.1, 0.0, 0.7)}
    np.testing.assert_allclose(np.diff(at[0.7] - at[-1.1], 2), 0.0, atol=1e-12)
    assert np.all(np.diff(at[0.0], 2) < 0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.25, 1.0, 1e-9, 1e6])), min_size=1, max_size=12),
    st.sampled_from(LINEAR),
)
def test_any_responses_and_weights_keep_their_sums(rows, family):
    y, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    n = len(y)
    repeat = np.tile(np.arange(n), 10)
    trials = None if family.name == "Poisson" else np.full(10 * n, 30.0)
    data = Data(np.ones((10 * n, 1)), y[repeat], ("a",), trials=trials, weights=w[repeat])
    few = aggregate(family, data)
    assert few.rows <= 4
    scale = 10 * w.sum() * (1 + y.max())
    assert np.isclose(few.weights.sum(), 10 * w.sum(), rtol=1e-12)
    np.testing.assert_allclose(few.weights @ few.y, 10 * w @ y, rtol=0, atol=1e-12 * scale)
    for eta in (-3.0, 0.0, 2.0):

        def total(rows, eta=eta):
            return rows.weights @ family.log_prob(rows.y, np.full(rows.rows, eta), {"trials": rows.trials})

        np.testing.assert_allclose(total(few), total(data), rtol=1e-11, atol=1e-11 * scale)
