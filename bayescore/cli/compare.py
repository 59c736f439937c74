"""``bayescore compare``: fit, decide, report."""

import argparse
import json
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from bayescore.cli import flags, request
from bayescore.options import Option, Options

_EPILOG = """\
exit codes: 0 agree, 1 disagree, 2 the request is wrong (nothing is written), 3 inconclusive,
4 a contender could not be run, 70 a fault of bayescore's own, 73 the result could not be written to DIR or FILE
(unless it is 1), 130 stopped by Ctrl-C.

examples:
  bayescore compare --backends pyro numpyro
  bayescore compare --backends pyro:nuts "numpyro:svi(guide=full_rank)" --data kidiq.csv --formula "kid_score ~ mom_iq"
"""


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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "problem", nargs="?", type=Path, metavar="PROBLEM.toml", help="a problem file; flags win over it"
    )
    for title, cls in {**request.PARTS, "result": Output}.items():
        flags.add(parser.add_argument_group(title), cls)


def run(options: argparse.Namespace) -> int:
    """Run the comparison, report it, and keep it."""
    from bayescore.cli import say
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.comparison.archive import Archive
    from bayescore.comparison.run import choose, compare
    from bayescore.errors import RequestError
    from bayescore.plugins import loading
    from bayescore.report.progress import Bars
    from bayescore.report.terminal import plain_console, show

    output = Output(**flags.given(options, Output))
    if (output.force or output.resume) and output.out is None:
        raise RequestError("--force and --resume go with --out DIR")
    base = request.Request() if options.problem is None else request.read(options.problem)
    asked = base.over(flags.given(options, *request.PARTS.values()))
    if output.json not in {None, "-"}:
        _check_json(Path(output.json), [options.problem, *asked.files])
    settings = asked.settings
    contenders = list(asked.backends) or _installed()
    swallowed = [name for name in contenders if name.endswith(".toml")]
    if swallowed:
        raise RequestError(f"{swallowed[0]!r} is read as a backend: put the problem file first")
    problem = asked.problem()
    unkept: list[str] = []
    with ExitStack() as stack:
        archive = None
        if output.out is not None:
            chosen = choose(problem, contenders, settings, loading.load())  # wrong ones before a folder is made
            archive = Archive(Path(output.out), problem, settings, chosen, force=output.force, resume=output.resume)
            stack.enter_context(archive).begin(asked.over({"backends": contenders}).write())
        with Bars(plain_console(stderr=True), quiet=output.quiet) as bars:
            result = compare(problem, contenders, settings, watch=bars, archive=archive)
        if archive is not None:
            archive.finish(result.document)
            for remark in () if output.quiet else archive.remarks:
                say(remark)
            unkept += archive.unkept
    text = json.dumps(result.document, indent=1)
    if output.json == "-":
        print(text)
    elif not output.quiet:
        show(result.document, plain_console(width=None if sys.stdout.isatty() else 130))
    if output.json not in {None, "-"}:
        unkept += keep(Path(output.json), text + "\n")
    return exit_code(130 if result.interrupted else result.decision.exit_code, unkept)


def _check_json(path: Path, inputs: "list[str | Path | None]") -> None:
    """Refuse a file that can't be written, or that the comparison reads."""
    from bayescore.errors import RequestError
    from bayescore.system import writing

    writing.check(path)
    for used in inputs:
        with suppress(OSError, ValueError):  # it is no file's name
            if used is not None and path.is_file() and path.samefile(used):
                raise RequestError(f"{str(path)!r} is read by this comparison: name another file with --json")


def _installed() -> list[str]:
    from bayescore.plugins import loading

    names = [name for name, registered in loading.load().backends.items() if not registered.missing]
    return [name for name in names if name != "exact"] or names
