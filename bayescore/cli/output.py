"""What becomes of a comparison: the report, JSON, a folder, and the exit code."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bayescore.errors import RequestError
from bayescore.options import Option, Options

if TYPE_CHECKING:
    from bayescore.comparison.run import Comparison


@dataclass(frozen=True)
class Output(Options):
    """What becomes of the result."""

    json: Annotated[
        str | None,
        Option("write the result as JSON; - for standard output, without the report", "FILE|-", in_file=False),
    ] = None
    out: Annotated[
        str | None,
        Option("keep everything: report, posteriors as ArviZ netCDF, problem, log", "DIR", in_file=False),
    ] = None
    force: Annotated[bool, Option("replace a comparison that is in DIR", in_file=False)] = False
    resume: Annotated[bool, Option("take up the fits of the same problem that are in DIR", in_file=False)] = False
    quiet: Annotated[bool, Option("no report and no progress; the exit code tells", in_file=False)] = False

    def check(self, inputs: "Sequence[str | Path | None]") -> None:
        """Refuse options that don't go together, and a file that can't be written or that the comparison reads.

        Raises
        ------
        RequestError
            It is so.
        """
        if (self.force or self.resume) and self.out is None:
            raise RequestError("--force and --resume go with --out DIR")
        if self.json not in {None, "-"}:
            _check_json(Path(str(self.json)), inputs)


def deliver(result: "Comparison", output: Output, unkept: list[str]) -> int:
    """Report a comparison, write what was asked for, and return the exit code."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.report.terminal import plain_console, show

    text = json.dumps(result.document, indent=1)
    if output.json == "-":
        print(text)
    elif not output.quiet:
        show(result.document, plain_console(width=None if sys.stdout.isatty() else 130))
    if output.json not in {None, "-"}:
        unkept += keep(Path(str(output.json)), text + "\n")
    return exit_code(130 if result.interrupted else result.decision.exit_code, unkept)


def _check_json(path: Path, inputs: "Sequence[str | Path | None]") -> None:
    """Refuse a file that can't be written, or that the comparison reads."""
    from bayescore.system import writing

    writing.check(path)
    for used in inputs:
        with suppress(OSError, ValueError):  # it is no file's name
            if used is not None and path.is_file() and path.samefile(used):
                raise RequestError(f"{str(path)!r} is read by this comparison: name another file with --json")
