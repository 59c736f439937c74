"""Pages whose commands are run: the start, the gallery of verdicts, the problem file, stating a regression.

``python tests/test_pages.py`` writes the gallery's outputs and the tables of keys and reasons anew.
"""

import re
import tempfile
from pathlib import Path

import commands
import pytest
from conftest import ROOT, USABLE

from bayescore.agreement.explanations import EXPLANATIONS
from bayescore.cli import flags
from bayescore.cli.programs import Ported
from bayescore.cli.request import PARTS
from bayescore.printable import cell
from bayescore.settings import Settings

DOCS = ROOT / "docs"
GALLERY, FILE = DOCS / "verdicts.md", DOCS / "problem-file.md"
RUN = [
    pytest.param(command, id=f"{page.stem}: {command.name}")
    for page in (GALLERY, FILE)
    for command in commands.commands(page)
]
COUNTIES = "log_radon,floor,county\n" + "".join(f"{0.7 + (i * 7 % 5) / 4},{i % 2},c{i % 3}\n" for i in range(12))


def reasons() -> str:
    rows = [f"| `{code}` | {cell(one.meaning)} | {cell(one.found)} | {cell(one.remedy)} |"
            for code, one in EXPLANATIONS.items()]  # fmt: skip
    return "\n".join(["| reason | means | is found by | what to do |", "|---|---|---|---|", *rows])


TABLES = {
    (GALLERY, "reasons"): reasons,
    (FILE, "compare"): lambda: flags.keys(*PARTS.values()),
    (FILE, "programs"): lambda: flags.keys(Ported, Settings),
}


@pytest.mark.skipif("numpyro" not in USABLE, reason="the pages' commands run numpyro")
@pytest.mark.parametrize("command", RUN)
def test_a_command_prints_what_its_page_shows(command, tmp_path):
    code, printed, said = commands.run(command, tmp_path, GALLERY, FILE)
    assert code == command.code, printed + said
    if command.shown is not None:
        assert commands.comparable(printed) == commands.comparable(command.shown), "run 'python tests/test_pages.py'"


def test_the_start_runs_what_the_gallery_does():
    blocks = re.findall(r"```\n(bayescore .*?)\n```", (DOCS / "index.md").read_text(), re.DOTALL)
    readme = (ROOT / "README.md").read_text()
    known = [command.line for command in commands.commands(GALLERY)]
    known += ["bayescore compare --backends conjugate", *re.findall(r"<!-- run -->\n```\n(.*?)\n```", readme)]
    assert len(blocks) == 4
    assert set(blocks) <= set(known)


@pytest.mark.skipif("numpyro" not in USABLE, reason="the page's command runs numpyro")
def test_the_command_that_states_a_regression_is_taken(tmp_path):
    """By one engine's density; the draws of both take minutes."""
    (line,) = re.findall(r"```\n(bayescore compare .*?)\n```", (DOCS / "regressions.md").read_text(), re.DOTALL)
    assert line.count(" pyro:nuts") == 1
    line = line.replace(" pyro:nuts", "")
    (tmp_path / "radon.csv").write_text(COUNTIES)
    code, printed, said = commands.run(commands.Command("stated", 0, f"{line} --model-only", None), tmp_path)
    assert code == 0, printed + said
    assert re.search(r"^AGREE ", printed, re.MULTILINE)


@pytest.mark.parametrize(("page", "name"), TABLES)
def test_a_table_is_the_declared_one(page, name):
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page.read_text(), re.DOTALL)
    assert found
    assert found[1] == TABLES[page, name](), "run 'python tests/test_pages.py'"


def main() -> None:
    for (page, name), table in TABLES.items():
        before, _, rest = page.read_text().partition(f"<!-- {name} -->\n")
        page.write_text(f"{before}<!-- {name} -->\n{table()}\n<!-- end -->{rest.partition('<!-- end -->')[2]}")
    printed = {}
    for command in commands.commands(GALLERY):
        with tempfile.TemporaryDirectory() as folder:
            printed[command.name] = commands.run(command, Path(folder), GALLERY)[1]
    commands.write(GALLERY, printed)


if __name__ == "__main__":
    main()
