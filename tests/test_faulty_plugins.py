"""A plugin that misbehaves costs its own row, with the reason; the others' results stand."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, put_on_path

from bayescore.comparison import run as comparison
from bayescore.comparison import worker
from bayescore.comparison.contender import Contender, parse
from bayescore.comparison.outcome import Task
from bayescore.comparison.runner import Runner
from bayescore.methods import SVI
from bayescore.model.data import from_arrays, toy_data
from bayescore.plugins import loading
from bayescore.regressions.points import points
from bayescore.regressions.work import RegressionWork
from bayescore.settings import Settings
from bayescore.tables import problem

FAILED = {
    "raises_in_build_data": r"RuntimeError: no room for the data \(in build_data, line \d+ of bayescore_faulty.py\)",
    "raises_in_fit": "ZeroDivisionError: the step size is 0",
    "raises_in_sample_posterior": "KeyError: 'chain'",
    "raises_in_predict": "NotImplementedError: no message",
    "raises_in_factory": "OSError: no device",
    "raises_in_limits": "LookupError: no table of limits",
    "calls_exit": "SystemExit: enough",
    "no_fit": "expected a bayescore.backend.Fit, got NoneType",
    "wrong_sites": "expected sites .*'alpha'.*; likeliest mistake: intercept is called 'alpha'",
    "other_name": "likeliest mistake: beta is called 'weights'",
    "wrong_shape": r"beta: expected shape \(4, 2500, 1\), got \(4, 2500, 7\)",
    "wrong_labels": r"labels of beta: expected \('x',\), got \('other',\)",
    "nan_draws": "beta: expected finite values, got 1 of 10000 NaN or infinite",
    "integer_draws": "expected floating-point values, .*got int64",
    "log_sigma": "sigma: expected positive values, got -.*: its logarithm is given",
    "swapped_axes": r"expected \(chain, draw\) = \(4, 2500\).*got \(2500, 4\).*: \(chain, draw\) are swapped",
    "part_of_draws": r"expected \(chain, draw\) = \(4, 2500\).*got \(4, 250\).*thinned",
    "joined_chains": r"got \(1, 10000\).*the chains are joined into one",
    "stats_of_wrong_shape": r"energy: expected shape \(4, 2500\), got \(3,\)",
    "stats_in_words": "energy: expected an array of numbers, .*got str",
    "stats_of_objects": "energy: expected an array of numbers, .*got object",
    "stats_in_a_list": "energy: expected an array of numbers, .*got list",
    "stats_with_a_slash": "expected a name of letters, digits and _, got 'energy/first'",
    "nan_diverging": "diverging: expected finite values, got 4 of 10000 NaN",
    "long_double_stats": r"lp: expected an array of numbers, .*got (float128|longdouble)",
    "long_double_draws": "intercept: expected floating-point values, float64 or float32, got",
    "one_draw": r"expected \(chain, draw\) = \(4, 2500\)",
    "seconds_in_words": "seconds: compile: expected a real number, got <U4",
    "losses_in_words": "losses: expected a NumPy array, got str",
    "iterates_of_other_names": "iterates: expected loc and log_scale among them, got .'mu'.",
    "moments_of_other_names": "moments: expected names .*got .'a', 'b', 'c'.",
    "nan_moments": "moments: mean: expected finite values",
    "moments_of_wrong_shape": r"unconstrained_cov: expected shape \(3, 3\), got \(2, 2\)",
    "draws_moved": r"means of its own draws, .* for beta\[x\], got .*5 sds off",
    "variance_in_moments": "sds of its own draws, .*a variance or a precision for an sd",
    "no_correlations": "correlate by -0.87.*the correlations are left out",
    "other_log_joint": "the mean log joint of the draws",
    "moments_of_chains": "moments: expected none of chains",
    "nan_total": "log_density: total: expected the sum of its terms, .*got nan",
    "terms_dont_add": "log_density: total: expected the sum of its terms, .*counted in the total alone",
    "complex_density": "log_density: total: expected a real number, got complex128",
    "complex_terms": "log_density: intercept: expected a real number, got complex128",
    "gradient_of_nowhere": "gradient_of: expected constrained or unconstrained, got 'the logarithms'",
    "gradient_in_one_piece": "log_density: expected gradients of .*got ndarray",
    "nan_predictions": "predict: mean: expected finite values",
    "predictions_of_too_few_rows": r"predict: mean: expected shape \(4, 2500, 20\), got \(4, 2500, 19\)",
    "noisy_mean": "predict: mean: .*noise is added to the mean",
    "response_for_mean": "predict: mean: .*as in a new response",
    "mean_of_draws": "predict: mean: .*the mean over all draws is given for each",
    "rows_reversed": "predict: mean: .*the rows are in another order",
    "draws_reversed": "predict: mean: .*the draws are in another order",
    "mean_in_float32": "predict: mean: .*computed in float32",
    "offset_ignored": "predict: mean: .*the offset is ignored",
    "offset_ignored_in_responses": "predict: response: .*the offset is ignored",
    "mean_for_response": "predict: response: .*the expected response is given for a response",
    "seed_ignored": "predict: response: .*a fixed seed is used",
    "seed_of_the_process": "predict: response: expected the same responses .*the global one is used",
    "variance_for_sd": "predict: response: .*sigma is squared",
    "responses_of_the_mean": "predict: response: .*the posterior's mean is used in place of its draws",
    "noise_shared": "predict: response: .*whose noise is shared between rows",
}
"""What each of these is refused for."""
JUDGED = {
    "lies": ("disagree", "different-posterior"),
    "total_of_another_prior": ("disagree", "different-model"),
    "jacobian_left_out": ("disagree", "different-model"),
    "gradient_said_to_be_constrained": ("disagree", "different-model"),
    "gradient_said_to_be_unconstrained": ("disagree", "different-model"),
    "equal_chains": ("inconclusive", "resampled"),
    "blocks": ("inconclusive", "resampled"),
    "rounds": ("inconclusive", "resampled"),
    "resampled": ("inconclusive", "resampled"),
}
"""What these, whose form is right, end in, and by which reason."""
APART = {
    "kills_its_process": "its process ended by signal SIGKILL and left no result",
    "leaves_quietly": "its process ended with exit code 0 and left no result",
    "raises_in_fit": FAILED["raises_in_fit"],
    "swapped_axes": FAILED["swapped_axes"],
}
"""These are run as they are meant to be, each in its process."""
MISSING = {
    "needs_what_is_absent": "needs bayescore_faulty_engine, not installed here: .*pip install bayescore_faulty_engine",
    "fails_to_import": "No module named 'bayescore_faulty_engine'.*pip install bayescore_faulty_engine",
}


def free_toy():
    """The toy with an offset, and sigma unknown."""
    table, toy = toy_data(), problem.toy()
    offset = np.sin(np.arange(100.0))
    data = replace(from_arrays(table[:, 0], table[:, 1] + offset), offset=offset)
    priors = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)", "sigma": "HalfNormal(1)"}
    return problem.from_data(
        data, priors=priors, new_data=replace(toy.new_data, y=None, offset=np.cos(np.arange(20.0)))
    )


def rows(result):
    return {row["name"].partition(":")[0]: row for row in result.document["contenders"]}


class Bench:
    """Runs the faulty backends in this process, as a worker does."""

    def __init__(self):
        self.problem, self.registry = free_toy(), loading.load()
        self.at = tuple(points(self.problem.regression, self.problem.data))
        self.exact = self.outcome("exact")

    def outcome(self, contender):
        p, chosen = self.problem, parse(contender, self.registry)
        origin = self.registry[chosen.backend].origin
        task = Task(chosen, RegressionWork(p.regression, p.data, p.new_data, self.at), 0, "float64", origin)
        return worker.run(task, worker.Channel(io.StringIO(), Path()))

    def conclude(self, contender):
        return comparison.conclude_outcomes(self.problem, [self.exact, self.outcome(contender)], Settings())


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        put_on_path(patch, "faulty")
        yield Bench()


WITHOUT_FAULT = ("sound", "total_alone", "gradient_unconstrained")


@pytest.mark.parametrize(
    "contender", ["sound:nuts", "sound:svi", "sound:laplace", "sound:exact", "total_alone", "gradient_unconstrained"]
)
def test_without_a_fault_the_faulty_plugin_is_sound(bench, contender):
    """So that each fault is the only reason for what it ends in: all are changes to these."""
    result = bench.conclude(contender)
    assert result.verdict == "agree", str(result)
    assert all(row["healthy"] for row in result.document["contenders"])
    assert not [reason for reason in result.decision.reasons if reason.code != "guide-family"]


def test_every_fault_is_looked_for(bench):
    told = {*FAILED, *JUDGED, *APART, *MISSING, *WITHOUT_FAULT, "chatters", "braces", "hangs", "exact"}
    assert set(bench.registry.backends) == told


@pytest.mark.parametrize("name", FAILED)
def test_a_fault_is_named_in_its_row(bench, name):
    outcome = bench.outcome(name)
    assert outcome.status == "failed"
    assert re.search(FAILED[name], outcome.error), outcome.error
    assert "\n" not in outcome.error


OF_GUIDES = [(name, method) for name in ("blocks", "rounds", "resampled") for method in ("laplace", "svi", "exact")]


@pytest.mark.parametrize("name, method", [*((name, "nuts") for name in JUDGED), *OF_GUIDES])
def test_a_fault_of_sound_form_is_judged(bench, name, method):
    verdict, reason = JUDGED[name]
    result = bench.conclude(f"{name}:{method}")
    assert (result.verdict, result.decision.reasons[0].code) == (verdict, reason)


def test_moments_that_are_right_dont_hide_draws_that_are_not(bench):
    assert "means of its own draws" in bench.outcome("lies:laplace").error


def test_the_table_of_faults_in_the_documentation_is_what_comes_out(bench):
    """Numbers aside: they are of one machine."""
    lines = (ROOT / "docs" / "backends.md").read_text().partition("## Planted mistakes")[2].splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert found == table(bench)


def table(bench):
    """For each planted mistake: verdict, reason and the sentence."""
    found = []
    for name in sorted({*FAILED, *JUDGED}):
        result = bench.conclude(name)
        assert result.verdict != "agree", name
        reason = result.decision.reasons[0]
        text = re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", reason.text.removeprefix(f"{name}:nuts: "))
        found.append([f"`{name}`", result.verdict, f"`{reason.code}`", text.replace("|", "/")])
    return found


@pytest.fixture(scope="module")
def crowd():
    """One comparison of some faulty backends, each in its process, with exact."""
    with pytest.MonkeyPatch.context() as patch:
        put_on_path(patch, "faulty")
        return comparison.compare(free_toy(), [*APART, *MISSING, "chatters"], Settings(jobs=2))


@pytest.mark.parametrize("name", APART | MISSING)
def test_a_fault_costs_its_own_row(crowd, name):
    row = rows(crowd)[name]
    assert row["status"] == ("missing" if name in MISSING else "failed")
    assert re.search((APART | MISSING)[name], row["error"])
    assert "\n" not in row["error"]


def test_exact_stands_beside_the_faulty_ones(crowd):
    row = rows(crowd)["exact"]
    assert row["status"] == "ok"
    assert row["healthy"]
    names = {"intercept", "beta[x]", "sigma"}
    assert {p["name"] for p in crowd.document["parameters"] if p["contender"] == "exact"} == names


def test_what_prints_a_great_deal_is_as_sound_as_any(crowd):
    assert {pair["verdict"] for pair in crowd.document["pairs"]} == {"agree"}


def test_a_traceback_is_kept_and_the_row_says_where(install, tmp_path, monkeypatch):
    install("faulty")
    monkeypatch.setenv("BAYESCORE_CACHE", str(tmp_path))
    result = comparison.compare(free_toy(), ["raises_in_fit"])
    row, name = rows(result)["raises_in_fit"], result.outcomes[-1].contender.file_name
    path = re.search(r"\(traceback: (.*)\)$", row["error"]).group(1)
    assert path == str(tmp_path / "failures" / f"{name}.txt")
    assert "ZeroDivisionError: the step size is 0" in Path(path).read_text()


def test_a_lost_contender_makes_the_exit_code_4_and_is_named_in_the_reasons(install):
    install("faulty")
    result = comparison.compare(free_toy(), ["raises_in_fit"])
    assert result.decision.exit_code == 4
    assert result.verdict == "incomplete"
    assert [reason["code"] for reason in result.document["reasons"]] == ["not-run"]
    assert "raises_in_fit:nuts: failed: ZeroDivisionError" in result.document["reasons"][0]["text"]


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


def test_what_cant_be_handed_to_a_process_costs_its_own_row(install):
    """As a guide that was defined in a function: its name is the same in every run, too."""
    install("faulty")
    registry = loading.load()
    sound = registry["sound"]
    contender = Contender("sound", SVI(guide=lambda coordinates: None))
    assert (
        contender.name == "sound:svi(guide=test_what_cant_be_handed_to_a_process_costs_its_own_row.<locals>.<lambda>)"
    )
    p = free_toy()
    tasks = [
        Task(c, RegressionWork(p.regression, p.data, p.new_data), 0, "float64", sound.origin)
        for c in (contender, parse("sound", registry))
    ]
    lost, other = Runner(1).run(tasks, {})
    assert lost.status == "failed" and "can't be handed to a process" in lost.error
    assert other.status == "ok", other.error
