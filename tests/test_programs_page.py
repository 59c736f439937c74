"""The page on porting a program does what it says, from two files to a verdict and through its mistakes.

``python tests/test_programs_page.py`` writes the outputs on the page anew.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, USABLE

from bayescore.methods import SVI
from bayescore.plugins import loading
from bayescore.programs.source import InFile

PAGE = ROOT / "docs" / "programs.md"
MENDED = {"wrong": (), "half": (("sigma**2", "sigma"),), "right": (("sigma**2", "sigma"), ("2.0, 2.0", "2.0, 0.5"))}
CODES = {"wrong": 1, "half": 1, "right": 0}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), flags=re.S)


def run(folder: Path, name: str) -> tuple[int, str]:
    """Exit code and report, without the seconds."""
    schools, port, *_ = blocks("python")
    for old, new in MENDED[name]:
        assert port.count(old) == 1
        port = port.replace(old, new)
    (folder / "schools.py").write_text(schools)
    (folder / "port.py").write_text(port)
    (folder / "schools.json").write_text(blocks("json")[0])
    command, _ = (line for line in PAGE.read_text().splitlines() if line.startswith("bayescore programs"))
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    shown = re.sub(r"  seconds$|  +[\d.]+$", "", done.stdout, flags=re.M)
    return done.returncode, "\n".join(line.rstrip() for line in shown.rstrip().splitlines()) + "\n"


def on_page(name: str) -> str:
    return re.search(rf"<!-- output: {name} -->\n```\n(.*?)```", PAGE.read_text(), flags=re.S)[1]


@pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
@pytest.mark.parametrize("name", MENDED)
def test_the_page_shows_what_is_printed(name, tmp_path):
    code, report = run(tmp_path, name)
    assert code == CODES[name]
    figures = re.compile(r"\d+(\.\d+)?(e[-+]\d+)?")  # rounding of a sum is another on another machine
    assert figures.sub("#", report).split() == figures.sub("#", on_page(name)).split()


@pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
def test_the_guide_on_the_page_is_fitted_by_both_libraries(tmp_path):
    schools, port, guide, *_ = blocks("python")
    ported = guide.replace("import torch\n", "import jax.numpy as jnp\n").replace("from torch.", "from numpyro.")
    ported = ported.replace("torch.tensor", "jnp.array").replace("torch", "jnp").replace("pyro.", "numpyro.")
    ported = ported.replace("from numnumpyro", "from numpyro")
    data = {name: np.array(values, float) for name, values in json.loads(blocks("json")[0]).items()}
    for name, text in (("pyro", schools + guide), ("numpyro", port + ported)):
        (tmp_path / f"{name}_page.py").write_text(text)
        backend = loading.load()[name].make("float64")
        with backend.loading():
            function, own = InFile(tmp_path / f"{name}_page.py", "model", "guide").load()
        program = backend.program(function, data, guide=own)
        posterior = program.sample_posterior(program.fit(SVI(steps=3, particles=2, draws=5), seed=0), seed=0)
        assert {site: values.shape for site, values in posterior.draws.items()} == {
            "mu": (1, 5), "tau": (1, 5), "theta": (1, 5, 8)
        }  # fmt: skip


@pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
def test_what_the_page_calls_in_python(tmp_path, monkeypatch):
    """On the programs of the page, as they are mended in the end; densities alone, for draws take a minute."""
    schools, port, _, compared, asserted = blocks("python")
    for old, new in MENDED["right"]:
        port = port.replace(old, new)
    monkeypatch.chdir(tmp_path)
    models = {}
    for name, text in (("pyro", schools), ("numpyro", port)):
        (tmp_path / f"{name}_file.py").write_text(text)
        models[f"{name}_model"] = f"{name}_file.py:model"
    data = {name: np.array(values, dtype=float) for name, values in json.loads(blocks("json")[0]).items()}
    alone = compared.replace('"sigma": sigma})', '"sigma": sigma}, settings=bc.Settings(model_only=True))')
    assert alone != compared
    known = {**models, **data, "data": data}
    exec(alone, known)
    assert known["result"].verdict == "agree"
    exec(asserted, known)


def write(name: str, report: str) -> None:
    output = re.compile(rf"(<!-- output: {name} -->\n```\n).*?```", flags=re.S)
    PAGE.write_text(output.sub(lambda found: f"{found[1]}{report}```", PAGE.read_text()))


if __name__ == "__main__":
    for name in MENDED:
        with tempfile.TemporaryDirectory() as folder:
            write(name, run(Path(folder), name)[1])
