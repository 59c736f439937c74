"""The page on porting a program does what it says, from two files to a verdict and through its mistakes.

``python tests/test_programs_page.py`` writes the outputs on the page anew.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, USABLE

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
    (command,) = (line for line in PAGE.read_text().splitlines() if line.startswith("bayescore programs"))
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


def write(name: str, report: str) -> None:
    output = re.compile(rf"(<!-- output: {name} -->\n```\n).*?```", flags=re.S)
    PAGE.write_text(output.sub(lambda found: f"{found[1]}{report}```", PAGE.read_text()))


if __name__ == "__main__":
    for name in MENDED:
        with tempfile.TemporaryDirectory() as folder:
            write(name, run(Path(folder), name)[1])
