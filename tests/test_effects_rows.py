"""Which rows effects are of: their groups, their weights, and what stands for the rest."""

import numpy as np
import pandas as pd
import pytest
from effects_support import TABLE, by_hand, check, flat
from scipy.special import expit

import bayescore as bc
from bayescore.effects import comparisons, expected, predictions, slopes
from bayescore.model.data import from_arrays


@pytest.fixture(scope="module")
def grouped():
    problem = bc.from_table("real ~ x + (x | s)", TABLE)
    return problem, by_hand(problem)


def test_slopes_at_the_population_level_are_the_coefficient(grouped):
    problem, posterior = grouped
    values = posterior.flat()
    for conditional in (None, {}, {"x": [1.0, 2.0]}):
        found = slopes(problem, posterior, "x", conditional, groups="population")
        np.testing.assert_allclose(flat(found), np.tile(values["beta"], len(found)), rtol=1e-9, atol=1e-10)
    by_group = slopes(problem, posterior, "x", average_by="s")
    check(by_group, values["beta"] + values["offset(x|s)"], atol=1e-9)
    given = slopes(problem, posterior, "x", {"s": ["s3"]})
    check(given, values["beta"] + values["offset(x|s)"][:, [2]], atol=1e-9)
    own = values["offset(x|s)"][:, [int(s[1]) - 1 for s in TABLE["s"]]].mean(axis=1, keepdims=True)
    check(slopes(problem, posterior, "x"), values["beta"] + own, atol=1e-9)


def test_group_effects_are_those_that_are_said(grouped):
    problem, posterior = grouped
    assert predictions(problem, posterior).notes[-1] == "group effects of each row's own s"
    assert predictions(problem, posterior, {"x": [1]}).notes[-1] == "group effects of s at 0, the population's"
    assert predictions(problem, posterior, {"x": [1], "s": None}).notes[-1] == "group effects of each row's own s"


def test_a_new_level_of_a_group_is_drawn_from_the_population(grouped):
    problem = grouped[0]
    posterior = by_hand(problem, 4, 1000)
    found = slopes(problem, posterior, "x", {"s": ["s1", "new"]})
    values = posterior.flat()
    drawn = flat(found)[:, 1] - values["beta"][:, 0]
    sd = values["sd(x|s)"]
    assert abs(np.mean(drawn / sd)) < 4 / np.sqrt(4000)
    assert np.mean((drawn / sd) ** 2) == pytest.approx(1.0, abs=4 * np.sqrt(2 / 4000))
    assert "s new: not in the data, predicted from the population" in found.notes


def test_of_two_groups_only_the_one_whose_columns_are_given_counts():
    problem = bc.from_table("real ~ x + (1 | s:g) + (1 | k)", TABLE)
    posterior = by_hand(problem)
    values = posterior.flat()
    at = {"s": ["s2"], "g": ["b"], "x": [0.0]}
    level = next(t for t in problem.regression.groups if t.grouping.factor == "s:g").grouping.levels.index("s2:b")
    check(predictions(problem, posterior, at), values["intercept"][:, None] + values["offset(1|s:g)"][:, [level]])
    check(predictions(problem, posterior, {"s": ["s2"], "x": [0.0]}), values["intercept"][:, None])


@pytest.mark.parametrize("average_by", [None, "g"])
def test_a_row_of_weight_three_counts_as_three_rows(average_by):
    frame = TABLE.assign(w=np.arange(60) % 4)
    longer = frame.loc[frame.index.repeat(frame["w"])]
    once = bc.from_table("count ~ x + g", frame, family="Poisson", weights="w")
    often = bc.from_table("count ~ x + g", longer, family="Poisson")
    posterior = by_hand(once)
    for ask in (predictions, comparisons, slopes):
        weighted, repeated = (ask(problem, posterior, average_by=average_by) for problem in (once, often))
        check(weighted, flat(repeated), atol=1e-9)
        assert any("as often as its weight" in note for note in weighted.notes)
    check(predictions(once, posterior, {}), flat(predictions(often, posterior, {})))
    unweighted = predictions(once, posterior, average_by=average_by, weighted=False)
    plain = bc.from_table("count ~ x + g", frame, family="Poisson")
    check(unweighted, flat(predictions(plain, posterior, average_by=average_by)))


def test_trials_count_as_rows_of_zeros_and_ones():
    binomial = bc.from_table("p(hits, n) ~ x + g", TABLE, family="Binomial")
    longer = TABLE.loc[TABLE.index.repeat(TABLE["n"])]
    bernoulli = bc.from_table("zero_one ~ x + g", longer, family="Bernoulli")
    posterior = by_hand(binomial)
    for ask in (predictions, comparisons, slopes):
        check(ask(binomial, posterior), flat(ask(bernoulli, posterior)), atol=1e-9)
    assert predictions(binomial, posterior).title == "predictions of the probability of p(hits, n)"


@pytest.mark.parametrize("average_by", [None, False, "g", ["k", "g"]])
def test_blocks_of_rows_and_draws_change_nothing(monkeypatch, average_by):
    problem = bc.from_table("grade ~ x + g + k", TABLE, family="Ordinal")
    posterior = by_hand(problem)
    asked = [(ask, conditional) for ask in (predictions, comparisons, slopes) for conditional in (None, {"k": [4, 8]})]
    view = {"others": "observed", "average_by": average_by}
    whole = [ask(problem, posterior, conditional=c, **view) for ask, c in asked]
    sizes = []
    law = expected.Law.of
    monkeypatch.setattr(expected.Law, "of", lambda r, data, v: sizes.append(data.rows) or law(r, data, v))
    monkeypatch.setattr(expected, "_BLOCK_VALUES", 80 * 4 * 7)
    for (ask, c), before in zip(asked, whole, strict=True):
        again = ask(problem, posterior, conditional=c, **view)
        np.testing.assert_allclose(again.draws, before.draws, rtol=1e-9, atol=1e-11)  # rounding, over a slope's step
        pd.testing.assert_frame_equal(again.frame, before.frame, atol=1e-10)
    assert max(sizes) == 7


def test_a_column_of_zeros_and_ones_is_compared_at_both():
    problem = bc.from_table("real ~ zero_one * x", TABLE)
    posterior = by_hand(problem)
    found = comparisons(problem, posterior, "zero_one")
    assert found.frame["contrast"].tolist() == ["1 - 0"]
    of, _, product = posterior.flat()["beta"].T
    check(found, (of + product * TABLE["x"].mean())[:, None])


def test_a_problem_of_arrays_has_its_columns():
    problem = bc.toy()
    posterior = by_hand(problem)
    values = posterior.flat()
    check(slopes(problem, posterior), values["beta"])
    far = predictions(problem, posterior, {"x": [6, 7]})
    check(far, values["intercept"][:, None] + values["beta"] * [6, 7])
    assert far.notes == ("beyond the data, where x goes from 0.0027385 to 0.99721",)
    offset = bc.from_data(
        bc.Data(np.ones((3, 1)) * [[1], [2], [4]], np.array([1.0, 0.0, 2.0]), ("a",), offset=np.array([0.0, 1.0, 2.0])),
        family="Poisson",
    )
    posterior = by_hand(offset)
    eta = posterior.flat()["intercept"][:, None] + posterior.flat()["beta"] * [1, 2, 4] + [0, 1, 2]
    check(predictions(offset, posterior, average_by=False), np.exp(eta))


def test_a_network_has_slopes():
    rng = np.random.default_rng(0)
    problem = bc.from_data(from_arrays(rng.normal(size=(20, 2)), rng.normal(size=20)), network=(3,))
    posterior = by_hand(problem)
    w = {name: posterior.flat()[name] for name in ("layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias")}
    x = problem.data.x
    hidden = np.tanh(np.einsum("duc,rc->dru", w["layer0.weight"], x) + w["layer0.bias"][:, None])
    wanted = np.einsum("dru,dou,du->dr", 1 - hidden**2, w["layer1.weight"], w["layer0.weight"][..., 0])
    check(slopes(problem, posterior, "x1", average_by=False), wanted, atol=1e-8)


def test_a_point_estimate_has_no_interval():
    problem = bc.from_table("real ~ x", TABLE)
    found = predictions(problem, by_hand(problem, 1, 1), {"x": [1]})
    assert found.frame[["lower", "upper"]].isna().all(axis=None)
    assert "a point estimate, which has no interval" in repr(found)


def test_another_interval(grouped):
    problem, posterior = grouped
    found = predictions(problem, posterior, interval=0.5)
    np.testing.assert_allclose(found.frame[["lower", "upper"]].to_numpy()[0], np.quantile(flat(found), [0.25, 0.75]))
    assert "50 % intervals" in repr(found)


def test_an_intercept_alone_has_predictions():
    problem = bc.from_table("real ~ 1", TABLE)
    posterior = by_hand(problem)
    check(predictions(problem, posterior), posterior.flat()["intercept"][:, None])
    check(predictions(problem, posterior, {}), posterior.flat()["intercept"][:, None])


def test_fits_have_them_and_so_have_those_that_are_loaded(tmp_path):
    fit = bc.fit("real ~ x + g", TABLE, "exact", progress=False)
    fit.save(tmp_path / "fit.nc")
    again = bc.load_fit(tmp_path / "fit.nc")
    values = fit.posterior.flat()
    for one in (fit, again):
        check(one.slopes("x"), values["beta"][:, :1], atol=1e-9)
        check(one.comparisons("g"), values["beta"][:, 1:], atol=1e-9)
        check(one.predictions({"x": [0], "g": ["a"]}), values["intercept"][:, None])


def test_trials_that_are_a_predictor_too_leave_a_probability():
    problem = bc.from_table("p(hits, n) ~ n", TABLE, family="Binomial")
    posterior = by_hand(problem)
    eta = posterior.flat()["intercept"][:, None] + posterior.flat()["beta"] * [4, 8]
    check(predictions(problem, posterior, {"n": [4, 8]}), expit(eta))


def test_what_is_typical_is_so_by_weights_and_rows_without_weight_are_not_there():
    frame = TABLE.assign(w=(TABLE["g"] == "a") * 100.0 + (TABLE["g"] == "b") * 1.0)
    assert TABLE["g"].mode()[0] == "b"
    problem = bc.from_table("real ~ x + g", frame, weights="w")
    posterior = by_hand(problem)
    typical = predictions(problem, posterior, {"x": [0.0]})
    assert typical.notes[0] == "held at g a (most common)"
    check(typical, posterior.flat()["intercept"][:, None])
    by = predictions(problem, posterior, average_by="g")
    assert by.frame["g"].tolist() == ["a", "b"]
    assert np.isfinite(by.draws).all()
    assert len(predictions(problem, posterior, average_by=False)) == 60
