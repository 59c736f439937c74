"""A fit that diverges is made again with a higher target of acceptance, in every backend, and that is said."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from conftest import put_on_path
from hypothesis import given
from hypothesis import strategies as st

from bayescore.backend import Backend, BackendInfo, Fit
from bayescore.cli import main
from bayescore.comparison.archive import Archive
from bayescore.comparison.run import compare
from bayescore.contract import refit
from bayescore.contract.checked import Checked
from bayescore.contract.refit import Attempt
from bayescore.errors import DataError, RequestError
from bayescore.methods import NUTS, SVI
from bayescore.model.posterior import Posterior, label
from bayescore.regressions.work import RegressionSession, RegressionWork
from bayescore.settings import Settings
from bayescore.study import measure, reference
from bayescore.study.targets import make
from bayescore.tables import problem

TOY = problem.toy()
DRAWS = 500
ALONE = Settings(NUTS(draws=DRAWS), reference="none")


@pytest.fixture(autouse=True)
def divergent(monkeypatch):
    put_on_path(monkeypatch, "divergent")


def fitted(name, settings=ALONE, **more):
    """A contender's comparison, its outcome, its row of the document and what it told meanwhile."""
    told = []
    result = compare(TOY, [name], settings, watch=lambda contender, message: told.append(dict(message)), **more)
    return result, result.outcomes[-1], result.document["contenders"][-1], told


def attempts(row):
    return [(one["target_accept"], one["divergences"], one["taken"]) for one in row["attempts"]]


def test_a_fit_that_settles_is_healthy_and_says_what_it_took():
    result, _, row, told = fitted("settles")
    assert attempts(row) == [(0.8, 3, False), (0.95, 0, True)]
    assert (row["healthy"], row["diagnostics"]["divergences"]) == (True, 0)
    first, second = (one["seconds"] for one in row["attempts"])
    assert row["refitted"] == f"3 divergences at 0.8, none at 0.95 ({first:.1f} s and {second:.1f} s)"
    assert f"\nsettles:nuts#1: refitted: {row['refitted']}\n" in str(result)
    assert row["method"] == "nuts(draws=500)"
    assert [reason["code"] for reason in result.document["reasons"]] == ["nothing-to-compare"]
    assert row["seconds"]["fit"] == pytest.approx(first + second)
    assert row["seconds"]["compile"] == 1.0
    assert min(first, second) > 0
    phases = [message["phase"] for message in told if "phase" in message]
    assert phases[-5:] == ["fit", "sample_posterior", "fit", "sample_posterior", "predict"]
    assert [message["again"] for message in told if "again" in message] == [
        f"fitted again at 0.95 after 3 divergences at 0.8 ({first:.1f} s)"
    ]
    assert [message.get("target_accept") for message in told if "step" in message] == [None, 0.95]


def test_the_same_seeds_are_used_again_and_the_last_fits_draws_are_kept():
    _, outcome, _, _ = fitted("settles")
    fit_seed, draw_seed, _ = outcome.contender.seeds(0)
    told = {
        name: np.unique(outcome.posterior.sample_stats[name]).tolist() for name in ("target", "fit_seed", "draw_seed")
    }
    assert told == {"target": [0.95], "fit_seed": [fit_seed], "draw_seed": [draw_seed]}


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        ("settles_late", [(0.8, 7, False), (0.95, 1, False), (0.99, 0, True)], "7 divergences at 0.8, 1 at 0.95, none"),
        ("goes_on", [(0.8, 4, False), (0.95, 3, False), (0.99, 2, True)], "4 divergences at 0.8, 3 at 0.95, 2 at 0.99"),
        ("gets_worse", [(0.8, 4, False), (0.95, 1, True), (0.99, 2, False)], "1 at 0.95, 2 at 0.99"),
        ("stays", [(0.8, 1, False), (0.95, 1, False), (0.99, 1, True)], "1 divergence at 0.8, 1 at 0.95, 1 at 0.99"),
        ("cancels", [(0.8, 2, False), (0.95, 2, False), (0.99, 2, True)], "2 divergences at 0.8"),
    ],
)
def test_what_still_diverges_is_unhealthy_with_its_count(name, found, words):
    result, outcome, row, _ = fitted(name, replace(ALONE, reference="auto"))
    assert attempts(row) == found
    assert words in row["refitted"]
    left = next(count for _, count, taken in found if taken)
    assert outcome.posterior.sample_stats["target"][0, 0] == next(target for target, _, taken in found if taken)
    assert row["diagnostics"]["divergences"] == left == outcome.posterior.divergences
    assert row["healthy"] == (left == 0)
    said = [reason["text"] for reason in result.document["reasons"] if reason["code"] == "unconverged"]
    assert said == ([f"{row['name']}: {left} divergent transition{'s' if left > 1 else ''}"] if left else [])
    assert ("; that at 0.95 is taken" in row["refitted"]) == (name == "gets_worse")


@pytest.mark.parametrize(("target", "tried"), [(0.97, [0.97, 0.99]), (0.99, []), (0.999, [])])
def test_a_target_of_ones_own_is_only_gone_beyond(target, tried):
    _, outcome, row, _ = fitted("goes_on", replace(ALONE, method=NUTS(draws=DRAWS, target_accept=target)))
    assert [one["target_accept"] for one in row.get("attempts", [])] == tried
    assert ("refitted" in row) == bool(tried)
    assert outcome.posterior.divergences == {0.97: 2, 0.99: 2, 0.999: 0}[target]
    assert row["healthy"] == (target == 0.999)


def test_a_backend_without_the_statistic_is_fitted_once():
    _, _, row, told = fitted("silent")
    assert row["healthy"]
    assert not {"attempts", "refitted"} & set(row)
    assert "divergences" not in row["diagnostics"]
    assert [message["phase"] for message in told if "phase" in message].count("fit") == 1


def test_a_backend_that_declines_another_target_keeps_its_divergences():
    _, outcome, row, _ = fitted("declines")
    assert (outcome.status, outcome.attempts, row["healthy"]) == ("ok", (), False)
    assert row["diagnostics"]["divergences"] == 3


def test_a_smoke_run_is_fitted_once():
    result, outcome, row, told = fitted("stays", replace(ALONE, smoke=True))
    assert (outcome.attempts, row["diagnostics"]) == ((), {})
    assert [message["phase"] for message in told if "phase" in message].count("fit") == 1
    assert [reason["code"] for reason in result.document["reasons"]] == ["smoke"]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("breaks", "failed", "FloatingPointError: the step size is 0"),
        ("forgets", "failed", "expected the statistic 'diverging', which the fit before had, got none"),
        ("dies", "failed", "signal SIGKILL and left no result, fitted again at 0.95 after 1 divergence at 0.8 ("),
        ("hangs", "timeout", "not finished after 6 s, fitted again at 0.95 after 1 divergence at 0.8 ("),
    ],
)
def test_where_a_second_fit_is_not_to_be_had_the_first_is_not_hidden(name, status, words):
    result, outcome, row, _ = fitted(name, replace(ALONE, timeout=6.0 if name == "hangs" else None))
    assert (outcome.status, outcome.posterior) == (status, None)
    assert words in row["error"]
    if name in {"breaks", "forgets"}:
        assert attempts(row) == [(0.8, 3, False)]
        assert row["seconds"]["fit"] >= row["attempts"][0]["seconds"]
        assert f"refitted: 3 divergences at 0.8 ({row['attempts'][0]['seconds']:.1f} s)\n" in str(result)


def test_what_was_kept_and_taken_up_tells_the_same(tmp_path):
    def run():
        with Archive(tmp_path / "out", TOY, ALONE, resume=True) as archive:
            return *fitted("settles", archive=archive)[1:], archive.remarks

    first, row, told, _ = run()
    stored, again, none, remarks = run()
    assert ([m for m in told if "phase" in m] != [], none, remarks) == (True, [], [])
    assert stored.attempts == first.attempts != ()
    assert again == row


def test_the_command_shows_it_again(tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    assert main(["compare", "--backends", "settles", "--method", "nuts(draws=500)", *out]) == 0
    printed = capsys.readouterr().out
    assert "settles:nuts#1: refitted: 3 divergences at 0.8, none at 0.95 (" in printed
    assert main(["show", str(tmp_path / "out")]) == 0
    assert "refitted: 3 divergences at 0.8, none at 0.95 (" in capsys.readouterr().out


ODD = Posterior({"x": np.zeros((4, 5))}, sample_stats={"diverging": np.arange(20).reshape(4, 5) < 2})


@pytest.mark.parametrize(
    "told",
    [
        [Attempt(0.8, 3, 1.0), Attempt(0.95, 0, 1.0, taken=True)],
        [Attempt(0.8, 3, 1.0), Attempt(0.95, 2, 1.0)],
        [Attempt(0.8, 2, 1.0, taken=True), Attempt(0.95, 2, 1.0, taken=True)],
    ],
    ids=["another", "none", "two"],
)
def test_stored_attempts_that_are_not_of_these_draws_are_refused(told):
    refit.check([], ODD)
    refit.check([Attempt(0.8, 3, 1.0), Attempt(0.95, 2, 1.0, taken=True)], ODD)
    with pytest.raises(DataError, match="its divergences are 2, and its attempts tell of"):
        refit.check(told, ODD)


@pytest.mark.parametrize(
    "figures", [("0.8", 1, 1.0), (0.8, 1.0, 1.0), (0.8, None, 1.0), (0.8, 1, None), (0.8, 1, 1.0, 1)]
)
def test_an_attempt_has_numbers(figures):
    with pytest.raises(DataError, match="no attempt has the figures"):
        Attempt(*figures)


class Counted(Backend):
    """Draws that don't matter, with so many divergences at each target, and all calls taken down."""

    def __init__(self, counts):
        self.counts, self.calls = counts, []

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        self.calls.append((method.target_accept, seed))
        return Fit(regression, method, method.target_accept, seconds={"compile": 0.25, 3: 1.0})

    def sample_posterior(self, fit, *, seed):
        draws = np.random.default_rng(seed).normal(size=(4, 50))
        diverging = np.arange(200).reshape(4, 50) < self.counts[fit.native]
        return label(
            fit.regression, {"intercept": draws, "beta": draws[..., None]}, sample_stats={"diverging": diverging}
        )


def counted(counts, method, **more):
    """What is taken of a backend with these divergences, the attempts and the backend, whose calls are checked."""
    supports = {"family:Gaussian", "link:identity", "prior:coefficient:Normal", "method:nuts", "precision:float64"}
    backend = Counted(counts)
    checked = Checked(backend, BackendInfo("counted", lambda precision: backend, supports))
    found = []
    _, posterior = refit.fit(
        RegressionSession(RegressionWork(TOY.regression, TOY.data, TOY.new_data), checked),
        method,
        seeds=(5, 6),
        attempts=found,
        **more,
    )
    return posterior, found, backend.calls, checked.seconds


@given(
    own=st.sampled_from([0.6, 0.8, 0.95, 0.96, 0.99, 0.995]),
    counts=st.tuples(*[st.sampled_from([0, 0, 1, 2, 200])] * 3),
)
def test_no_divergence_is_hidden_and_none_is_asked_for_in_vain(own, counts):
    targets = [own, *(target for target in refit.TARGETS if target > own)]
    by_target = dict(zip(targets, counts, strict=False))
    posterior, found, calls, seconds = counted(by_target, NUTS(draws=50, target_accept=own))
    tried = [target for target, _ in calls]
    clean = next((n for n, target in enumerate(targets) if by_target[target] == 0), len(targets) - 1)
    assert tried == targets[: clean + 1]
    assert {seed for _, seed in calls} == {5}
    fewest = min(by_target[target] for target in tried)
    assert posterior.divergences == fewest
    assert seconds["compile"] == 0.25 * len(tried)
    if len(tried) == 1:
        assert found == []
        return
    assert [(one.target_accept, one.divergences) for one in found] == [(t, by_target[t]) for t in tried]
    assert [one.target_accept for one in found if one.taken] == [[t for t in tried if by_target[t] == fewest][-1]]
    assert sum(one.seconds for one in found) == pytest.approx(seconds["fit"])
    refit.check(found, posterior)


def test_it_is_not_made_again_where_nobody_wants_it():
    assert counted({0.8: 3}, NUTS(draws=50), again=False)[1] == []


@dataclass(frozen=True)
class Timid(NUTS):
    """One whose target of acceptance has an end."""

    def __post_init__(self):
        super().__post_init__()
        if self.target_accept > 0.9:
            raise RequestError("target_accept must be at most 0.9")


def test_a_method_that_takes_no_higher_target_is_fitted_once():
    posterior, found, calls, _ = counted({0.8: 3}, Timid(draws=50))
    assert (posterior.divergences, found, calls) == (3, [], [(0.8, 5)])


def test_methods_without_a_target_are_not_made_again():
    assert compare(TOY, ["exact"], Settings(reference="none", jobs=1)).outcomes[0].attempts == ()
    assert refit._more_careful(None, SVI()) is None


def test_a_reference_says_what_was_refitted(tmp_path):
    exact = compare(TOY, ["exact"], Settings(reference="none", jobs=1)).outcomes[0].posterior.moments
    known = reference.Reference("toy", TOY, exact.mean, 0 * exact.mean, exact.sd, 0 * exact.sd)
    rows = [reference.hold(known, [name], ALONE, lambda contender, message: None)[0] for name in ("settles", "stays")]
    assert rows[0].refitted.startswith("3 divergences at 0.8, none at 0.95 (")
    table = reference.markdown(rows)
    assert f"| within; refitted: {rows[0].refitted} |" in table
    assert f"| unconverged: 1 divergent transition; refitted: {rows[1].refitted} |" in table


def test_the_study_measures_what_a_comparison_does():
    method = NUTS(draws=DRAWS)
    drawn = make("toy", measure._backend("settles"), method).draw(7)
    assert (drawn.divergences, drawn.sample_stats["target"][0, 0]) == (0, 0.95)
    left = [measure._refit(measure.Extent(engine=name), method, 0)[2].health.ailments for name in ("settles", "stays")]
    assert [[ailment.text for ailment in found] for found in left] == [[], ["1 divergent transition"]]
