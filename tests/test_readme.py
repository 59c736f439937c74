"""The README is true, and so are the pages on backends: tables are generated, examples run."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import ABSENT, ROOT

import bayescore
from bayescore.backend import BackendInfo
from bayescore.cli import main
from bayescore.comparison.run import compare
from bayescore.plugins import loading
from bayescore.plugins.hook import check
from bayescore.report.capabilities import markdown
from bayescore.settings import Settings
from bayescore.tables.problem import toy

README = (ROOT / "README.md").read_text()
BACKENDS, CAPABILITIES, GALLERY = (
    (ROOT / "docs" / f"{n}.md").read_text() for n in ("backends", "capabilities", "verdicts")
)


def marked(name: str, text: str = README) -> str:
    """The code block after a marker."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found, name
    return found[1]


@pytest.mark.skipif(bool(ABSENT), reason="the table is made with all backends installed")
def test_the_table_of_capabilities_is_the_declared_one() -> None:
    found = re.search(r"<!-- capabilities -->\n(.*?)\n<!-- end -->", CAPABILITIES, re.DOTALL)
    assert found
    known = {name: row for name, row in loading.load().backends.items() if name in {"exact", "pyro", "numpyro"}}
    assert found[1] == markdown(known), "put the output of 'bayescore backends --markdown' into docs/capabilities.md"


def outline(report: str) -> list[str]:
    """What a report's parts begin with, the heads of the table of pairs, and the margins."""
    first = [part.strip("\n").split("\n")[0] for part in report.split("\n\n")]
    heads = [" ".join(line.split()) for line in report.splitlines() if line.startswith("pair ")]
    return [
        *(re.split(r"  | \(margin", line)[0] for line in first),
        *heads,
        *re.findall(r"\((margin [\d.]+ posterior sd.*?), \d+ quantities a pair", " ".join(report.split())),
    ]


@pytest.mark.usefixtures("only_core")
def test_the_sample_of_a_report_looks_as_reports_do() -> None:
    found = outline(str(compare(toy(), ["exact", "exact:exact(draws=2000)"], Settings(jobs=1))))
    assert len(found) == 7
    assert outline(marked("output: agree", GALLERY)) == found, "run 'python tests/test_pages.py'"
    assert outline(marked("verdict: make compare")) == [found[4], found[-1]], (
        "put the end of 'make compare' into the README"
    )


def test_the_start_has_the_readmes_commands_and_ways_to_install() -> None:
    start = (ROOT / "docs" / "index.md").read_text()
    installing = [block for block in re.findall(r"```\n(.*?)```", README, re.DOTALL) if block.startswith("pip install")]
    assert len(installing) == 1
    for block in (marked("run"), *installing):
        assert f"```\n{block}```" in start
    for command in ("compare", "test"):
        assert re.search(rf"^make {command}$", README, re.MULTILINE)
        assert re.search(rf"^{command}: ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def fences(name: str, text: str = README) -> list[str]:
    """The Python blocks under a heading."""
    part = re.split(rf"^## {name}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


@pytest.mark.usefixtures("only_core")
def test_the_example_of_a_fit_runs_with_the_exact_posterior(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which has no group effects, and takes no minute."""
    import pandas as pd

    (example,) = fences("One fit")
    for old, new in ((" + (Days | Subject)", ""), ("numpyro:nuts", "exact")):
        assert example.count(old) == 1
        example = example.replace(old, new)
    frame = pd.DataFrame({"Days": np.arange(10.0), "Reaction": 250 + 10 * np.arange(10.0) + 5 * np.cos(np.arange(10))})
    monkeypatch.chdir(tmp_path)
    exec(example, {"frame": frame, "new_frame": frame[:2]})
    assert bayescore.load_fit("fit.nc").healthy


def test_the_assertions_hold_of_the_same_posterior() -> None:
    (example,) = fences("What is decided, and how")
    rng = np.random.default_rng(0)
    mine, theirs = ({name: rng.normal(size=(4, 2500)) for name in ("b", "tau")} for _ in range(2))
    exec(
        example,
        {
            "draws_of_mine": mine,
            "reference_draws": theirs,
            "pyro_mcmc": mine,
            "numpyro_mcmc": {"beta": theirs["b"], "tau": theirs["tau"] + 5.0},
        },
    )


@pytest.mark.usefixtures("only_core")
def test_the_page_on_the_json_validates_a_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "json.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--backends", "exact", "--reference", "none", "--quiet", "--out", "out"]) == 3
    exec(example, {})
    kept = tmp_path / "out" / "comparison.json"
    kept.write_text(kept.read_text().replace('"inconclusive"', '"perhaps"'))
    with pytest.raises(jsonschema.ValidationError):
        exec(example, {})


@pytest.mark.skipif(bool(ABSENT), reason="the example names all backends")
def test_the_python_example_runs(tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(marked("python"))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "\nagree" in done.stdout


def test_the_backend_example_is_found_and_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_plugin.py").write_text(marked("backend", BACKENDS))
    metadata = tmp_path / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bayescore]\nconjugate = my_plugin\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("BAYESCORE_PLUGINS", "conjugate")
    command = [sys.executable, "-m", "bayescore", "compare", "--backends", "conjugate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AGREE  exact and conjugate:exact found the same posterior" in done.stdout


def test_the_example_of_a_method_can_be_brought_and_written() -> None:
    written: dict[str, Any] = {"__name__": "mine"}
    exec(marked("method", BACKENDS), written)
    brought = BackendInfo("mine", lambda precision: None, frozenset(), methods=(written["Metropolis"],))  # type: ignore
    check(replace(brought, default_method="metropolis(step=0.5)"))


@pytest.mark.skipif(bool(ABSENT), reason="the example names all backends")
def test_the_command_on_own_data_runs(tmp_path: Path, reference: Path) -> None:
    shutil.copy(reference / "kidiq.csv", tmp_path)
    line = marked("run").strip()
    assert line.startswith("bayescore compare")
    done = subprocess.run(
        line.replace("bayescore", f"{sys.executable} -m bayescore", 1),
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif("pyro" in ABSENT, reason="the page's modules are lifted by the Pyro plugin")
def test_the_tutorials_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)
    script = tmp_path / "tutorial.py"
    script.write_text("\n".join([*blocks, "assert mse < 0.05, mse"]))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "(1, 10000, 1, 1)" in done.stdout
