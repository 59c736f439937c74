"""The page on one fit does what it says; ``python tests/test_fit_page.py`` writes its outputs anew."""

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

PAGE = ROOT / "docs" / "fit.md"
BLOCK = re.compile(
    r"(<!-- pictures -->\n)?```python\n(.*?)```(?:\n\n<!-- output: (\w+) -->\n```\n(.*?)```)?", flags=re.S
)


def outputs(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Run the blocks one after another: the name of each output, what is on the page, what is printed."""
    known: dict[str, object] = {}
    with contextlib.chdir(folder):
        for picture, code, name, shown in BLOCK.findall(PAGE.read_text()):
            if picture and not pictures():
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, str(PAGE), "exec"), known)
            yield name, shown, "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def pictures() -> bool:
    try:
        import arviz_plots
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("agg")
    return arviz_plots is not None


@pytest.mark.filterwarnings("ignore:.*GetCoreApp")
def test_the_page_shows_what_is_printed(tmp_path):
    figures = re.compile(r"-?\d+(\.\d+)?")  # rounding of a sum is another on another machine
    found = list(outputs(tmp_path))
    assert [name for name, _, _ in found if name] == re.findall(r"<!-- output: (\w+) -->", PAGE.read_text())
    for _, shown, printed in found:
        assert figures.sub("#", printed).split() == figures.sub("#", shown).split()


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    with tempfile.TemporaryDirectory() as folder:
        for name, _, printed in list(outputs(Path(folder))):
            output = re.compile(rf"(<!-- output: {name} -->\n```\n).*?```", flags=re.S)
            if name:
                PAGE.write_text(output.sub(lambda found, new=printed: f"{found[1]}{new}```", PAGE.read_text()))
