"""Pages of the documentation with files, commands and what they print; each is run in a folder with the page's files.

A page has ``<!-- file: NAME -->`` before a file, ``<!-- run: NAME, exit code N -->`` before a command, and
``<!-- output: NAME -->`` before what it prints where the page shows it.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
_RUN = re.compile(
    r"<!-- run: (?P<name>[\w ]+), exit code (?P<code>\d+) -->\n```\w*\n(?P<command>.*?)```"
    r"(?:\n\n<!-- output: (?P=name) -->\n```\n(?P<shown>.*?)```)?",
    re.DOTALL,
)
_FIGURE = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?")


@dataclass(frozen=True)
class Command:
    """A command of a page.

    Attributes
    ----------
    code
        Its exit code.
    shown
        What the page says that it prints; None where it shows nothing.
    """

    name: str
    code: int
    line: str
    shown: str | None


def commands(page: Path) -> list[Command]:
    """What is run, in the page's order."""
    return [
        Command(found["name"], int(found["code"]), found["command"].strip(), found["shown"])
        for found in _RUN.finditer(page.read_text())
    ]


def run(command: Command, folder: Path, *pages: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error in a folder that has the pages' files."""
    for page in pages:
        for name, text in _FILE.findall(page.read_text()):
            (folder / name).write_text(text)
    words = shlex.split(command.line.replace("\\\n", " "))
    assert words[0] == "bayescore"
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.rstrip().splitlines())
    return done.returncode, printed, done.stderr


def comparable(report: str) -> list[str]:
    """What two runs of a command have in common: the words of the report, figures aside.

    NUTS draws otherwise on another processor: of it the heads of the report's parts, the verdict among them.
    """
    if "nuts" not in report:
        return _FIGURE.sub("#", report).split()
    return [re.split(r"  | \(", part.strip("\n").split("\n")[0])[0] for part in report.split("\n\n")]


def write(page: Path, printed: dict[str, str]) -> None:
    """Put what is printed today on the page."""

    def again(found: re.Match[str]) -> str:
        if found["shown"] is None or found["name"] not in printed:
            return found[0]
        return found[0][: found.start("shown") - found.start()] + printed[found["name"]] + "```"

    page.write_text(_RUN.sub(again, page.read_text()))
