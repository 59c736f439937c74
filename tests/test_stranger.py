"""A plugin of a stranger's gets in by the same door, and is judged by the same rule."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, put_on_path
from declared import problems

from bayescore import methods
from bayescore.cli import main
from bayescore.comparison import run as comparison
from bayescore.comparison.archive import Archive
from bayescore.errors import RequestError
from bayescore.model.data import NEW_LEVEL, from_arrays
from bayescore.plugins.registered import get_backend
from bayescore.settings import Settings
from bayescore.tables import problem


def test_a_stranger_agrees_with_exact_from_the_command_line(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "plugins" / "tiny"), "BAYESCORE_PLUGINS": "tiny"}
    command = [sys.executable, "-m", "bayescore", "compare", "--backends", "tiny", "--json", "-"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "agree"
    assert [c["name"] for c in document["contenders"]] == ["exact", "tiny:metropolis"]


def test_a_strangers_draws_are_the_same_for_the_same_seed(install):
    install("tiny")
    few = "tiny:metropolis(warmup=50, draws=100)"
    first, second, other = (
        comparison.compare(problem.toy(), [few], Settings(reference="none", seed=seed)).outcomes[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.posterior.draws["beta"], second.posterior.draws["beta"])
    assert not np.array_equal(first.posterior.draws["beta"], other.posterior.draws["beta"])


def test_with_sigma_free_a_stranger_agrees_with_exact_too(install):
    install("tiny")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    stated = problem.from_data(from_arrays(x, x @ [1.0, -1.0] + rng.normal(size=60)))
    result = comparison.compare(stated, ["tiny"])
    assert result.verdict == "agree", str(result)
    assert {row.quantity for row in result.decision.pairs[0].rows} >= {"intercept", "beta[x1]", "beta[x2]", "sigma"}


@pytest.fixture(scope="module")
def draws_of_the_toy():
    with pytest.MonkeyPatch.context() as patch:
        put_on_path(patch, "tiny")
        return comparison.compare(problem.toy(), ["tiny"], Settings(reference="none")).outcomes[0]


@pytest.mark.parametrize("changed", ["sigma", "prior"])
def test_a_stranger_that_fits_another_model_is_found_out(draws_of_the_toy, changed):
    """Its draws are of the toy; they are held against the exact posterior of a neighbouring model."""
    toy = problem.toy()
    neighbour = problem.toy(sigma=0.12)
    if changed == "prior":
        priors = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 0.2)"}
        neighbour = problem.from_data(toy.data, family=toy.regression.family, priors=priors, new_data=toy.new_data)
    exact = comparison.compare(neighbour, ["exact"]).outcomes[0]
    concluded = comparison.conclude_outcomes(neighbour, [exact, draws_of_the_toy], Settings())
    assert (concluded.verdict, concluded.decision.exit_code) == ("disagree", 1)


WIDER = {name: stated for name, stated in problems().items() if name in {"Ordinal-logit", "groups-correlated-Gaussian"}}


@pytest.mark.parametrize("name", WIDER)
def test_a_strangers_fit_of_a_wider_model_is_reported_kept_and_taken_up(install, tmp_path, name):
    """Thresholds, offsets of groups, probabilities of categories: through processes, JSON and netCDF."""
    install("tiny")
    stated = WIDER[name]
    settings, few = Settings(reference="none"), ["tiny:metropolis(warmup=100, draws=200)"]

    def run():
        with Archive(tmp_path / "out", stated, settings, resume=True) as archive:
            return comparison.compare(stated, few, settings, archive=archive)

    first, again = run(), run()
    (outcome,), (stored,) = first.outcomes, again.outcomes
    assert outcome.status == "ok", outcome.error
    assert {row["name"] for row in first.document["parameters"]} == set(stated.regression.parameters)
    for site, values in outcome.posterior.draws.items():
        np.testing.assert_array_equal(stored.posterior.draws[site], values)
    np.testing.assert_array_equal(stored.predictions.mean, outcome.predictions.mean)
    assert json.loads(json.dumps(again.document, allow_nan=False))["predictions"] == first.document["predictions"]
    categories = max(len(stated.regression.categories), 1)
    assert len(first.document["predictions"]) == stated.data.rows * categories


def test_a_new_level_is_predicted_by_a_stranger(install):
    """Whose backend sees nothing but one level more."""
    install("tiny")
    stated = WIDER["groups-correlated-Gaussian"]
    rows = stated.data.take(slice(4))
    unknown = {key: replace(m, index=np.full(4, NEW_LEVEL)) for key, m in rows.groups.items()}
    problem_ = replace(stated, new_data=replace(rows, groups=unknown))
    settings, few = Settings(reference="none"), ["tiny:metropolis(warmup=200, draws=300)"]
    (new,) = comparison.compare(problem_, few, settings).outcomes
    (known,) = comparison.compare(replace(stated, new_data=rows), few, settings).outcomes
    assert new.status == "ok", new.error
    assert np.all(new.predictions.sd > known.predictions.sd)


FEW = "metropolis(warmup=50, draws=100"


@pytest.fixture
def unloaded(install, monkeypatch):
    """The plugin is installed, and no test before has loaded it into this process."""
    install("tiny")
    monkeypatch.delitem(sys.modules, "bayescore_tiny", raising=False)


@pytest.mark.usefixtures("unloaded")
def test_a_strangers_method_has_its_own_settings():
    """Which are read here, where its plugin is not loaded, and arrive there."""
    settings = Settings(reference="none", jobs=2)
    small, large = comparison.compare(
        problem.toy(), [f"tiny:{FEW}, step=0.01)", f"tiny:{FEW}, step=2)"], settings
    ).outcomes
    assert [o.contender.name for o in (small, large)] == [f"tiny:{FEW}, step=0.01)", f"tiny:{FEW}, step=2)"]
    moves = [np.abs(np.diff(o.posterior.draws["beta"][..., 0])).mean() for o in (small, large)]
    assert moves[0] < moves[1] / 20
    assert "bayescore_tiny" not in sys.modules


@pytest.mark.parametrize(
    "text, message",
    [
        ("metropolis(step=0)", "metropolis: step must be a positive number, not 0"),
        ("metropolis(step=fast)", "metropolis: step must be a positive number"),
        ("metropolis(draws=2.5)", "metropolis: draws must be a whole number of at least 1"),
        ("metropolis(chains=1001)", "metropolis: chains must be at most 1000"),
        ("metropolis(steps=3)", "metropolis has no setting 'steps'; did you mean 'step'"),
        ("metropolis(4)", "write the settings by name"),
        ("metropolitan", "unknown method 'metropolitan'; did you mean 'metropolis'"),
    ],
)
@pytest.mark.usefixtures("unloaded")
def test_a_wrong_setting_of_a_strangers_is_refused_before_any_work(text, message):
    with pytest.raises(RequestError, match=re.escape(message)):
        comparison.compare(problem.toy(), [f"tiny:{text}"])
    assert "bayescore_tiny" not in sys.modules


def test_a_strangers_method_is_known_to_its_backend_alone(install):
    install("tiny")
    with pytest.raises(RequestError, match="unknown method 'metropolis'"):
        comparison.compare(problem.toy(), ["exact:metropolis"])
    assert "metropolis" not in methods.METHODS


def test_what_a_stranger_brings_beside_nuts_is_no_nuts(install):
    """Whoever asks it for one is told that it has none."""
    install("tiny")
    (outcome,) = comparison.compare(problem.toy(), ["tiny:nuts"], Settings(reference="none")).outcomes
    assert (outcome.status, outcome.error) == ("unsupported", "tiny does not declare 'method:nuts'")


def test_a_strangers_unconverged_chains_are_not_healthy(install):
    install("tiny")
    result = comparison.compare(problem.toy(), ["tiny:metropolis(warmup=0, step=0.01, draws=500)"])
    assert result.verdict == "inconclusive", str(result)
    assert {reason.code for reason in result.decision.reasons} >= {"unconverged"}


@pytest.mark.usefixtures("unloaded")
def test_a_strangers_method_is_listed_with_its_settings(capsys):
    assert main(["backends", "--all"]) == 0
    assert "  of its own: metropolis(chains=4, warmup=1000, draws=2500, step=2.38)\n" in capsys.readouterr().out


@pytest.mark.usefixtures("unloaded")
def test_a_loaded_backend_takes_its_own_methods():
    toy, backend = problem.toy(), get_backend("tiny")
    fit = backend.fit(toy.regression, backend.build_data(toy.regression, toy.data), f"{FEW})", seed=0)
    assert type(fit.method).__module__ == "bayescore_tiny"
    assert backend.sample_posterior(fit, seed=0).shape == (4, 100)
