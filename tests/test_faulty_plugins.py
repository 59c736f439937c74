"""A plugin that misbehaves costs its own row, with the reason; the others' results stand."""

import re

import pytest
from conftest import put_on_path

from bayescore import problem
from bayescore.comparison import run as comparison
from bayescore.comparison.run import Settings
from bayescore.data import from_arrays, toy_data

REASONS = {
    "raises_in_build_data": "RuntimeError: no room for the data",
    "raises_in_fit": "ZeroDivisionError: the step size is 0",
    "raises_in_sample_posterior": "KeyError: 'chain'",
    "raises_in_predict": "NotImplementedError: no message",
    "raises_in_factory": "OSError: no device",
    "raises_in_limits": "LookupError: no table of limits",
    "calls_exit": "SystemExit: enough",
    "no_fit": "expected a bayescore.backend.Fit, got NoneType",
    "wrong_sites": r"expected sites \['intercept', 'beta', 'sigma'\], got \['beta', 'sigma'",
    "wrong_shape": r"beta: expected shape \(4, 100, 1\), got \(4, 100, 7\)",
    "wrong_labels": r"labels of beta: expected \('x',\), got \('other',\)",
    "nan_draws": "beta: expected finite values, got 1 of 400 NaN or infinite",
    "integer_draws": "expected floating-point values, got int64",
    "negative_sigma": "sigma: expected positive values, got -",
    "nan_predictions": "predict: mean: expected finite values",
    "predictions_of_too_few_rows": r"predict: mean: expected shape \(4, 100, 20\), got \(4, 100, 19\)",
    "moments_of_other_names": "moments",
    "nan_moments": "moments",
    "moments_of_wrong_shape": "moments",
    "stats_of_wrong_shape": "energy",
    "losses_in_words": "losses",
    "iterates_of_other_names": "iterates",
    "kills_its_process": "its process ended by signal SIGKILL and left no result",
    "leaves_quietly": "its process ended with exit code 0 and left no result",
}
BESIDE_THE_DRAWS = (
    "moments_of_other_names",
    "nan_moments",
    "moments_of_wrong_shape",
    "stats_of_wrong_shape",
    "losses_in_words",
    "iterates_of_other_names",
)


def free_toy():
    table = toy_data()
    toy = problem.toy()
    priors = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)", "sigma": "HalfNormal(1)"}
    return problem.from_data(from_arrays(table[:, 0], table[:, 1]), priors=priors, new_data=toy.new_data)


def rows(result):
    return {row["name"].partition(":")[0]: row for row in result.document["contenders"]}


@pytest.fixture(scope="module")
def crowd():
    """One comparison of most of the faulty backends, with exact."""
    with pytest.MonkeyPatch.context() as patch:
        put_on_path(patch, "faulty")
        names = [name for name in REASONS if name not in BESIDE_THE_DRAWS]
        return comparison.compare(free_toy(), [*names, "chatters"], Settings(jobs=3))


@pytest.mark.parametrize("name", [name for name in REASONS if name not in BESIDE_THE_DRAWS])
def test_a_fault_costs_its_own_row_and_is_named_in_it(crowd, name):
    row = rows(crowd)[name]
    assert row["status"] == "failed"
    assert re.search(REASONS[name], row["error"])
    assert "\n" not in row["error"]


def test_exact_stands_beside_the_faulty_ones(crowd):
    row = rows(crowd)["exact"]
    assert row["status"] == "ok"
    assert row["healthy"]
    assert {p["name"] for p in crowd.document["parameters"] if p["contender"] == "exact"} == {
        "intercept",
        "beta[x]",
        "sigma",
    }


def test_a_lost_contender_makes_the_exit_code_4_and_is_named_in_the_reasons(install):
    install("faulty")
    result = comparison.compare(free_toy(), ["raises_in_fit"])
    assert result.decision.exit_code == 4
    assert result.verdict == "incomplete"
    assert [reason["code"] for reason in result.document["reasons"]] == ["not-run"]
    assert "raises_in_fit:nuts: failed: ZeroDivisionError" in result.document["reasons"][0]["text"]


def test_wrong_draws_are_a_disagreement_or_unhealthy_but_never_agreement(crowd):
    assert rows(crowd)["chatters"]["status"] == "ok"
    verdicts = {pair["verdict"] for pair in crowd.document["pairs"]}
    assert "agree" not in verdicts


@pytest.mark.parametrize("name", BESIDE_THE_DRAWS)
def test_a_fault_beside_the_draws_costs_its_own_row_too(install, name):
    install("faulty")
    result = comparison.compare(free_toy(), [name])
    assert rows(result)["exact"]["status"] == "ok"
    assert rows(result)[name]["status"] == "failed"
    assert re.search(REASONS[name], rows(result)[name]["error"])
    assert result.decision.exit_code == 4


def test_a_declared_variable_may_have_braces(install):
    install("faulty")
    result = comparison.compare(free_toy(), ["braces"], Settings(reference="none"))
    assert rows(result)["braces"]["status"] == "ok"


def test_a_backend_that_hangs_is_ended_at_its_timeout(install):
    install("faulty")
    result = comparison.compare(free_toy(), ["hangs"], Settings(timeout=8, jobs=2))
    assert rows(result)["hangs"]["status"] == "timeout"
    assert "not finished after 8 s" in rows(result)["hangs"]["error"]
    assert rows(result)["exact"]["status"] == "ok"
    assert result.decision.exit_code == 4


def test_what_a_backend_does_not_declare_is_unsupported_with_its_own_sentence(install):
    install("faulty")
    result = comparison.compare(free_toy(), ["chatters:map"])
    row = rows(result)["chatters"]
    assert (row["status"], row["error"]) == ("unsupported", "not yet: faulty has no optimizer")
    assert result.decision.exit_code == 4


@pytest.mark.parametrize(
    "name, reason",
    [("broken", "RuntimeError: the licence server does not answer"), ("quitter", "SystemExit: no graphics card")],
)
def test_a_plugin_that_fails_at_import_costs_its_own_row(install, monkeypatch, name, reason):
    install("broken")
    monkeypatch.setenv("BAYESCORE_PLUGINS", name)
    result = comparison.compare(free_toy(), [name])
    assert rows(result)["exact"]["status"] == "ok"
    assert rows(result)[name]["status"] == "failed"
    assert reason in rows(result)[name]["error"]
    assert "bayescore-broken" in rows(result)[name]["error"]
    assert result.decision.exit_code == 4
