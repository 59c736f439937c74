"""The gallery, held together by the toolkit: every pair is the same model, and every planted fault is found.

``python tests/programs/test_checked.py`` looks at fifty seeds, and writes the table of faults into the documentation.
"""

import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import gallery  # noqa: E402
from conftest import ROOT, USABLE  # noqa: E402
from faults import FAULTS, Fault  # noqa: E402

from bayescore.agreement.model_check import ModelCheck  # noqa: E402
from bayescore.porting import state  # noqa: E402
from bayescore.programs.subject import Programs  # noqa: E402
from bayescore.programs.work import ProgramSession, verdicts  # noqa: E402
from bayescore.testing import programs  # noqa: E402

pytestmark = pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
PAGE = ROOT / "docs" / "programs-faults.md"
SEEDS = 5
"""Of points in a test; the command looks at fifty."""


def stated(pyro: Path, numpyro: Path, model: str, rename: dict[str, str] | None = None, seed: int = 0) -> Programs:
    files = {"pyro": f"{pyro}:model", "numpyro": f"{numpyro}:model"}
    return programs.here(state(files, str(gallery.data_file(model)), rename or {}, (), (), seed))


def held(sessions: dict[str, ProgramSession]) -> ModelCheck:
    looks, helds, points = programs.hold(sessions)
    return verdicts(looks, helds, points, "float64")["numpyro"]


def with_fault(fault: Fault, folder: Path, rename: dict[str, str] | None = None) -> ModelCheck:
    files = {side: gallery.program(fault.model, side) for side in gallery.SIDES} | {
        fault.side: gallery.faulty(fault, folder)
    }
    return held(programs.sessions(stated(files["pyro"], files["numpyro"], fault.model, rename), "float64"))


@pytest.mark.parametrize("model", gallery.MODELS)
def test_no_pair_is_called_another_model(model):
    look_at(model, SEEDS)


def look_at(model: str, seeds: int) -> None:
    """Hold a pair together at the points of so many seeds."""
    both = [gallery.program(model, side) for side in gallery.SIDES]
    sessions = programs.sessions(stated(*both, model), "float64")
    for seed in range(seeds):
        for who, session in sessions.items():
            session.work = replace(session.work, seed=1000 * seed + len(who))
        found = held(sessions)
        assert found.verdict == "same", found
        assert found.points >= 10


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_planted_fault_is_found_at_its_site_in_words(fault, tmp_path):
    found = with_fault(fault, tmp_path)
    if fault.shows == "nothing":
        assert found.verdict == "same", found
        assert re.search(fault.words, found.pattern or "", re.IGNORECASE), found
        return
    assert found.verdict == ("precision" if "float32" in fault.words else "different"), found
    assert re.search(fault.words, found.pattern, re.IGNORECASE), found
    assert fault.site in {found.site, *re.findall(r"\w+", found.pattern)}, found
    for row in fault.rows:
        assert re.search(rf"\b{row}\b", found.pattern), found
    if fault.rename:
        old, new = fault.rename.split("=")
        assert with_fault(fault, tmp_path, {old: new}).verdict == "same"


def table() -> str:
    lines = ["| fault | model | found | site | in words |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for fault in FAULTS:
            found = with_fault(fault, Path(folder))
            words = (found.pattern or "").replace("|", "\\|")
            code = found.code if found.verdict == "different" else found.verdict
            lines.append(f"| {fault.name} ({fault.side}) | {fault.model} | {code} | {found.site or ''} | {words} |")
    return "\n".join(lines)


if __name__ == "__main__":
    for model in gallery.MODELS:
        look_at(model, 50)
    head, _, _ = PAGE.read_text().partition("| fault |")
    PAGE.write_text(head + table() + "\n")
