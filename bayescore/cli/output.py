"""What becomes of a comparison: the report, JSON, a folder, and the exit code."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bayescore.errors import RequestError
from bayescore.options import Option, Options

if TYPE_CHECKING:
    from bayescore.comparison.archive import Archive
    from bayescore.comparison.contender import Contender
    from bayescore.comparison.run import Comparison
    from bayescore.comparison.runner import Watcher
    from bayescore.comparison.subject import Subject
    from bayescore.settings import Settings


ToJson = Annotated[
    str | None, Option("write the result as JSON; - for standard output, without the report", "FILE|-", in_file=False)
]
Quiet = Annotated[bool, Option("no report and no progress; the exit code tells", in_file=False)]


@dataclass(frozen=True)
class Output(Options):
    """What becomes of the result."""

    json: ToJson = None
    junit: Annotated[
        str | None,
        Option("write the result as JUnit XML, a case a contender and a pair", "FILE.xml", in_file=False),
    ] = None
    out: Annotated[
        str | None,
        Option("keep everything: report, posteriors as ArviZ netCDF, problem, log", "DIR", in_file=False),
    ] = None
    html: Annotated[
        str | None,
        Option("write the result as a page to read, one file that holds all of it", "FILE.html", in_file=False),
    ] = None
    plots: Annotated[str | None, Option("draw pictures of the result into a folder, as PNG", "DIR", in_file=False)] = (
        None
    )
    force: Annotated[bool, Option("replace a comparison that is in DIR", in_file=False)] = False
    resume: Annotated[bool, Option("take up the fits of the same problem that are in DIR", in_file=False)] = False
    full: Annotated[bool, Option("print every table, not one screen", in_file=False)] = False
    quiet: Quiet = False

    def check(self, inputs: "Sequence[str | Path | None]") -> None:
        """Refuse options that don't go together, and a file that can't be written or that the comparison reads.

        Raises
        ------
        RequestError
            It is so.
        """
        if (self.force or self.resume) and self.out is None:
            raise RequestError("--force and --resume go with --out DIR")
        if "-" in {self.junit, self.html}:
            raise RequestError("only --json can be -, standard output: name a file")
        from bayescore.cli.keeping import check_files

        check_files({"--json": self.json, "--junit": self.junit, "--html": self.html}, inputs)
        if self.plots is not None:
            from bayescore.cli.looks import check_folder

            check_folder(Path(self.plots))


def run(
    output: Output,
    subject: "Subject",
    settings: "Settings",
    contenders: "Sequence[Contender]",
    problem_file: str,
    compare: "Callable[[Watcher, Archive | None], Comparison]",
) -> int:
    """Compare, keep what is to be kept, report, and return the exit code.

    Parameters
    ----------
    problem_file
        What runs it again.
    compare
        Takes whom to tell of the progress, and where fits are kept.
    """
    from bayescore.cli import say
    from bayescore.comparison.archive import Archive
    from bayescore.report.progress import Bars
    from bayescore.report.terminal import plain_console

    unkept: list[str] = []
    with ExitStack() as stack:
        archive = None
        if output.out is not None:
            archive = Archive(Path(output.out), subject, settings, contenders, force=output.force, resume=output.resume)
            stack.enter_context(archive).begin(problem_file)
        with Bars(plain_console(stderr=True), quiet=output.quiet) as bars:
            result = compare(bars, archive)
        if archive is not None:
            archive.finish(result.document)
            for remark in () if output.quiet else archive.remarks:
                say(remark)
            unkept += archive.unkept
    return _deliver(result, output, problem_file, unkept)


def _deliver(result: "Comparison", output: Output, problem_file: str, unkept: list[str]) -> int:
    """Report a comparison, write what was asked for, and return the exit code."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.report.junit import junit
    from bayescore.report.terminal import plain_console, show, window

    text = json.dumps(result.document, indent=1)
    if output.json == "-":
        print(text)
    elif not output.quiet:
        show(result.document, plain_console(width=window()), full=output.full)
    if output.json not in {None, "-"}:
        unkept += keep(Path(str(output.json)), text + "\n")
    if output.junit is not None:
        unkept += keep(Path(output.junit), junit(result.document))
    if output.plots is not None or output.html is not None:
        from bayescore.cli import looks

        unkept += looks.keep(result.material, problem_file, output.plots, output.html, quiet=output.quiet)
    return exit_code(130 if result.interrupted else result.decision.exit_code, unkept)
