"""The study's faults are caught by the part that should catch them, and its tables hold what was counted."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import USABLE

from bayescore.agreement.conclusion import Finished, conclude_pair, enter
from bayescore.exact.posterior import solve
from bayescore.methods import NUTS
from bayescore.model.posterior import Posterior
from bayescore.study import measure, tables
from bayescore.study.faults import DENSITY_FAULTS, DRAW_FAULTS
from bayescore.study.targets import NAMES, Source, make
from bayescore.tables import problem

TOY = problem.toy()


def independent(seed: int) -> Posterior:
    """Four chains of independent draws from the toy's exact posterior."""
    flat = solve(TOY.regression, TOY.data).sample(10_000, seed)
    return Posterior({site: v.reshape(4, 2500, *v.shape[2:]) for site, v in flat.draws.items()}, flat.labels)


SOURCE = Source(TOY.target, independent, TOY)


def test_every_fault_of_a_density_is_caught_and_named() -> None:
    found = measure.density_faults(measure.Extent(), "density", range(3))
    for fault in DENSITY_FAULTS:
        counts = found["density", fault.name]
        assert (counts["caught"], counts["named"]) == (3, 3), fault.name
    assert tables.density(found).count("| 1.000 | 1.000 |") == len(DENSITY_FAULTS)


@pytest.mark.parametrize("fault", DRAW_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_draws_is_caught_by_its_part(fault) -> None:
    sound = enter(TOY.target, Finished("a", NUTS(), SOURCE.draw(1)))
    wrong = enter(TOY.target, Finished("b", NUTS(), fault.spoil(SOURCE.draw(2), np.random.default_rng(0))))
    pair = conclude_pair(sound, wrong)
    assert not sound.health.ailments
    assert bool(wrong.health.ailments) == (fault.caught_by == "health")
    wanted = {
        "limit": {"agree", "inconclusive"},
        "none": {"agree"},
        "health": {"inconclusive"},
        "posterior": {"disagree", "inconclusive"},
    }
    assert pair.verdict in wanted[fault.caught_by]


@pytest.mark.skipif("numpyro" not in USABLE, reason="the study draws with numpyro")
@pytest.mark.parametrize("name", NAMES)
def test_a_target_can_be_drawn_from_and_is_healthy(name: str) -> None:
    method = NUTS(warmup=300, draws=600)
    source = make(name, measure._backend("numpyro"), method)
    candidate = enter(source.target, Finished("a", method, source.draw(0)))
    assert not candidate.health.ailments
    assert np.all(np.isfinite(candidate.log_joint))


@pytest.mark.parametrize(
    "option, word, meant", [("--targets", "tooy", "toy"), ("--faults", "slope skew", "slope skewed")]
)
def test_the_command_refuses_what_it_does_not_know(option: str, word: str, meant: str) -> None:
    command = [sys.executable, "-m", "bayescore", "study", option, word]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"bayescore: unknown {option[2:-1]} {word!r}; did you mean {meant!r}?")
