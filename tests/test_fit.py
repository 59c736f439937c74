"""One fit: its summary, its predictions, its health, against what is known of them."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import bayescore as bc
from bayescore.errors import DataError, FitError, KeepingError, RequestError, UnsupportedError
from bayescore.fitting.written import of_problem, plain, to_problem
from bayescore.model.posterior import label

FORMULA = "y ~ x + group"
PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}
EXACT = "exact(draws=4000)"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=60)
    group = rng.choice(["a", "b", "c"], size=60)
    y = 1.0 + 2.0 * x + (group == "b") - (group == "c") + rng.normal(scale=0.5, size=60)
    return pd.DataFrame({"y": y, "x": x, "group": group}, index=[f"row {k}" for k in range(60)])


@pytest.fixture(scope="module")
def fit(frame) -> bc.Fit:
    return bc.fit(FORMULA, frame, "exact", family="Gaussian(sigma=0.5)", priors=PRIORS, method=EXACT, seed=1)


def truth(frame: pd.DataFrame, new: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the expected response, by the normal equations."""

    def design(of: pd.DataFrame) -> np.ndarray:
        return np.column_stack([np.ones(len(of)), of.x, of.group == "b", of.group == "c"]).astype(float)

    x = design(frame)
    cov = np.linalg.inv(x.T @ x / 0.25 + np.eye(4) / 100.0)
    return design(new) @ cov @ x.T @ frame.y.to_numpy() / 0.25, design(new) @ cov @ design(new).T


def test_a_summary_has_the_moments_in_the_names_of_the_data(fit, frame):
    assert list(fit.summary().index) == ["intercept", "beta[x]", "beta[group[b]]", "beta[group[c]]"]
    mean, cov = truth(frame, pd.DataFrame({"x": [0.0], "group": ["a"]}))
    assert fit.summary().loc["intercept", "mean"] == pytest.approx(mean[0], abs=1e-10)
    assert fit.summary().loc["intercept", "sd"] == pytest.approx(cov[0, 0] ** 0.5, rel=1e-8)
    assert (fit.name, fit.healthy, fit.reasons) == ("exact:exact(draws=4000)", True, ())


def test_predictions_of_new_rows_are_those_of_the_posterior(fit, frame):
    new = pd.DataFrame({"group": ["c", "a"], "x": [3.0, 0.2]}, index=["far", "near"])
    mean, cov = truth(frame, new)
    sd, error = np.sqrt(np.diag(cov)), 1 / np.sqrt(4000)
    found = fit.predict(new, interval=0.8)
    assert list(found.index) == ["far", "near"]
    np.testing.assert_allclose(found["mean"], mean, atol=5 * error * sd.max())
    np.testing.assert_allclose(found["sd"], sd, rtol=5 * error)
    width = found["upper"] - found["lower"]
    np.testing.assert_allclose(width, 2 * 1.2816 * sd, rtol=10 * error)
    responses = fit.predict(new, kind="response", interval=0.8)
    np.testing.assert_allclose(responses["sd"], np.sqrt(sd**2 + 0.25), rtol=5 * error)
    pd.testing.assert_frame_equal(responses, fit.predict(new, kind="response", interval=0.8))
    assert len(fit.predict()) == 60


def test_new_levels_of_a_group_are_predicted_and_unseen_categories_are_refused(fit, frame):
    with pytest.raises(DataError, match="'group' of the new rows has the level 'd'"):
        fit.predict(pd.DataFrame({"x": [0.0], "group": ["d"]}))
    with pytest.raises(DataError, match="no column 'group'"):
        fit.predict(pd.DataFrame({"x": [0.0]}))
    problem = bc.from_table("y ~ 1 + (1 | group)", frame, family="Gaussian(sigma=0.5)")
    rng = np.random.default_rng(1)
    offsets = rng.normal([1.0, 2.0, 3.0], 0.1, size=(4, 1000, 3))
    draws = {"intercept": np.zeros((4, 1000)), "sd(1|group)": np.full((4, 1000), 2.0), "offset(1|group)": offsets}
    grouped = bc.Fit(problem, label(problem.regression, draws), fit.document)
    found = grouped.predict({"group": ["b", "zebra"]})
    np.testing.assert_allclose(found["mean"], [2.0, 0.0], atol=0.2)
    np.testing.assert_allclose(found["sd"], [0.1, 2.0], rtol=0.1)


def test_probabilities_of_categories(frame):
    table = frame.assign(size=pd.cut(frame.y, 3, labels=["low", "middle", "high"]))
    found = bc.fit("size ~ x", table, "exact", family="Ordinal", method="mle").predict({"x": [0.0, 1.0]})
    assert list(found.index) == [(k, size) for k in range(2) for size in ("low", "middle", "high")]
    np.testing.assert_allclose(found["mean"].to_numpy().reshape(2, 3).sum(axis=1), 1.0)
    assert found[["sd", "lower", "upper"]].isna().all(axis=None)  # a point estimate has none


def test_a_problem_of_arrays_is_predicted_by_its_columns():
    fit = bc.fit(bc.toy(), backend="exact")
    by_table, by_data = fit.predict({"x": [6.0, 7.0]}), fit.predict(bc.from_arrays([6.0, 7.0]))
    pd.testing.assert_frame_equal(by_table, by_data)
    with pytest.raises(DataError, match="no column 'x'"):
        fit.predict({"z": [6.0]})


@pytest.mark.parametrize(
    ("arguments", "keywords", "kind", "said"),
    [
        (("y ~ x",), {}, RequestError, "needs a table"),
        ((3,), {}, RequestError, "a formula or a Problem comes first, not 3"),
        ((bc.toy(),), {"family": "Poisson"}, RequestError, "go with a formula"),
        ((bc.toy(),), {"sed": 1}, RequestError, "unknown keyword 'sed'; did you mean 'seed'"),
        ((bc.toy(), None, ["exact"]), {}, RequestError, "one backend is named by a text"),
        ((bc.toy(), None, "exact:nuts"), {}, UnsupportedError, "exact:nuts"),
        ((bc.toy(), None, "nothing"), {}, RequestError, "nothing"),
    ],
)
def test_what_can_not_be_fitted_is_told_in_one_line(arguments, keywords, kind, said):
    with pytest.raises(kind, match=said) as raised:
        bc.fit(*arguments, **keywords)
    assert "\n" not in str(raised.value)


def test_a_fit_that_takes_too_long_has_come_to_no_end():
    with pytest.raises(FitError, match="exact: not finished after"):
        bc.fit(bc.toy(), backend="exact", timeout=0.001)


def test_a_smoke_run_is_not_healthy():
    fit = bc.fit(bc.toy(), backend="exact", smoke=True)
    assert not fit.healthy
    assert "smoke" in fit.reasons[0]


def test_a_comparison_takes_a_formula_and_a_frame(frame):
    result = bc.compare("y ~ x", frame, backends=["exact"], reference="none", method=bc.Exact, seed=4)
    assert result.document["problem"]["formula"] == "y ~ x"
    assert result.document["settings"]["seed"] == 4
    with pytest.raises(RequestError, match="no contender"):
        bc.compare("y ~ x", frame)


def test_the_parent_of_a_fit_imports_no_engine_and_no_pictures():
    script = "import sys, bayescore as bc; bc.fit(bc.toy(), backend='exact').summary(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"torch", "pyro", "jax", "numpyro", "matplotlib"}.isdisjoint(done.stdout.split())


def test_a_fit_that_was_saved_predicts_again_without_its_engine(fit, frame, tmp_path):
    fit.save(tmp_path / "fit.nc")
    script = (
        "import sys, pandas as pd, bayescore as bc; fit = bc.load_fit(sys.argv[1]);"
        "print(fit.predict({'x': [3.0, 0.2], 'group': ['c', 'a']}).to_csv(), fit.name, fit.healthy);"
        "assert not {'torch', 'pyro', 'jax', 'numpyro'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "fit.nc")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    expected = fit.predict({"x": [3.0, 0.2], "group": ["c", "a"]}).to_csv()
    assert done.stdout.split() == f"{expected} {fit.name} {fit.healthy}".split()


TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 6.0, 9.0],
        "count": [0, 1, 2, 1, 3, 5, 2, 4],
        "of": [5, 6, 7, 8, 9, 9, 9, 9],
        "x": [0.1, 0.5, 0.2, 0.8, 0.3, 0.9, 0.4, 0.7],
        "flag": [True, False, True, True, False, False, True, False],
        "text": list("aabbccab"),
        "level": pd.Categorical([3, 1, 2, 3, 1, 2, 1, 3], categories=[3, 1, 2]),
        "order": pd.Categorical(list("lmhlmhlh"), categories=list("lmh"), ordered=True),
        "day": pd.to_datetime(["2024-01-02", "2024-01-03"] * 4),
        "cut": pd.cut([1, 2, 3, 4, 5, 6, 7, 8], 2),
        "w": [1.0, 2.0, 1.0, 1.0, 0.5, 1.0, 1.0, 3.0],
    }
)


@pytest.mark.parametrize(
    ("formula", "asked"),
    [
        ("y ~ bs(x, df=4) + scale(w)", {"weights": "w"}),
        ("y ~ poly(x, 2) * text + flag", {"priors": {"beta": "Laplace(0, 1)", "intercept": "StudentT(3, 0, 2.5)"}}),
        ("y ~ C(level, Treatment(1)) + C(day) + cut", {}),
        ("count ~ x + offset(log(of))", {"family": "Poisson"}),
        ("count ~ 1", {"family": "NegativeBinomial"}),
        ("proportion(count, of) ~ x", {"family": "Binomial(link=probit)"}),
        ("order ~ x + w", {"family": "Ordinal"}),
        ("text ~ x", {"family": "Categorical"}),
        ("text['a'] ~ x", {"family": "Bernoulli"}),
        ("w ~ x + w", {"family": "Gamma", "priors": {"beta": "Horseshoe()"}}),
        ("y ~ x", {"network": (3,)}),
        ("y ~ x + (x | text) + (1 | text:flag)", {"family": "StudentT(df=4)"}),
    ],
)
def test_every_problem_is_the_same_after_it_was_written(formula, asked):
    problem = bc.from_table(formula, TABLE, new_table=TABLE.head(3), **asked)
    again = to_problem(json.loads(json.dumps(of_problem(problem))))
    assert again.regression == problem.regression
    assert (again.source, again.formula, again.notes) == (problem.source, problem.formula, problem.notes)
    assert plain(again.design.new(TABLE.iloc[::-1])) == plain(problem.design.new(TABLE.iloc[::-1]))


def test_a_file_that_is_no_fit_is_told_in_one_line(fit, tmp_path):
    whole = tmp_path / "fit.nc"
    fit.save(whole)
    content = whole.read_bytes()
    (tmp_path / "half.nc").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.nc").write_text("no")
    bc.save(fit.posterior, tmp_path / "draws.nc")
    swapped = content.replace(b'"source": "a data frame"', b'"source": "another one!"')
    (tmp_path / "other.nc").write_bytes(swapped.replace(b'"sigma": 0.5', b'"sigma": 0.9'))
    for name in ("half.nc", "text.nc", "draws.nc", "other.nc", "none.nc", "."):
        with pytest.raises(DataError) as raised:
            bc.load_fit(tmp_path / name)
        assert "\n" not in str(raised.value)
    with pytest.raises(KeepingError, match="can't write"):
        fit.save(tmp_path / "nowhere" / "fit.nc")
    assert whole.read_bytes() == content
