"""``bayescore fit``: one fit, its summary, and whether it is healthy."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bayescore.cli import flags, request
from bayescore.cli.output import Quiet, ToJson
from bayescore.cli.statement import Contenders, Statement
from bayescore.options import Option, Options
from bayescore.settings import Settings

if TYPE_CHECKING:
    from bayescore.fitting.fit import Fit

_EPILOG = """\
exit codes: 0 healthy, 2 the request is wrong (nothing is written), 3 not healthy, 4 it could not be run,
70 a fault of bayescore's own, 73 the result could not be written to FILE, 130 stopped by Ctrl-C.

examples:
  bayescore fit --backend numpyro:nuts --data sleep.csv --formula "Reaction ~ Days + (Days | Subject)" --out sleep.nc
  bayescore fit --backend exact
"""
_SETTINGS = ("method", "seed", "precision", "timeout", "smoke", "reduce", "cores")
"""Those that mean something for a fit by itself."""


@dataclass(frozen=True)
class FitOutput(Options):
    """What becomes of the fit."""

    json: ToJson = None
    out: Annotated[
        str | None,
        Option("keep the fit, as ArviZ netCDF that bayescore.load_fit reads, too", "FILE.nc", in_file=False),
    ] = None
    force: Annotated[bool, Option("replace FILE.nc if it is there", in_file=False)] = False
    quiet: Quiet = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_problem_file(parser)
    backend = parser.add_argument_group("backend")
    backend.add_argument(
        "--backend",
        "--backends",
        dest="backends",
        nargs=1,
        metavar="CONTENDER",
        default=argparse.SUPPRESS,
        help="who fits it, as numpyro:nuts, pyro:svi, exact; NUTS where no method is named (default: the first "
        "installed of numpyro, pyro and exact)",
    )
    flags.add(parser.add_argument_group("problem"), Statement)
    flags.add(parser.add_argument_group("settings"), Settings, *_SETTINGS)
    flags.add(parser.add_argument_group("result"), FitOutput)


def run(options: argparse.Namespace) -> int:
    """Fit, report, and keep."""
    from bayescore.cli import say
    from bayescore.errors import FitError, MissingLibraryError, UnsupportedError
    from bayescore.fitting.run import fit
    from bayescore.report.progress import Bars
    from bayescore.report.terminal import plain_console

    output = FitOutput(**flags.given(options, FitOutput))
    base = request.Request(command="fit") if options.problem is None else request.read(options.problem)
    asked = base.over(flags.given(options, Contenders, Statement, Settings))
    backend = _one(asked.backends)
    _check(output, [options.problem, *asked.files])
    problem = asked.problem()
    try:
        with Bars(plain_console(stderr=True), quiet=output.quiet) as bars:
            found = fit(problem, backend=backend, settings=asked.settings, watch=bars)
    except (UnsupportedError, MissingLibraryError, FitError) as error:
        say(str(error))
        return 4
    return _deliver(found, output)


def _one(backends: tuple[str, ...]) -> str | None:
    from bayescore.errors import RequestError

    if len(backends) > 1:
        raise RequestError(f"a fit has one backend, not {', '.join(backends)}: choose it with --backend")
    return backends[0] if backends else None


def _check(output: FitOutput, inputs: "list[str | Path | None]") -> None:
    """Refuse files that can't be written, that are there, or that the fit reads."""
    from bayescore.cli.keeping import check_files
    from bayescore.errors import RequestError

    if output.force and output.out is None:
        raise RequestError("--force goes with --out FILE.nc")
    check_files({"--json": output.json, "--out": output.out}, inputs)
    if output.out is not None and Path(output.out).is_file() and not output.force:
        raise RequestError(f"the file {output.out!r} is there: --force replaces it")


def _deliver(found: "Fit", output: FitOutput) -> int:
    """Report a fit, write what was asked for, and return the exit code."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.errors import KeepingError
    from bayescore.report.one_fit import show
    from bayescore.report.terminal import plain_console, window

    text, unkept = json.dumps(found.document, indent=1), []
    if output.json == "-":
        print(text)
    elif not output.quiet:
        show(found.document, plain_console(width=window()))
    if output.json not in {None, "-"}:
        unkept += keep(Path(str(output.json)), text + "\n")
    if output.out is not None:
        try:
            found.save(output.out)
        except KeepingError as error:
            unkept.append(str(error))
    return exit_code(0 if found.healthy else 3, unkept)
