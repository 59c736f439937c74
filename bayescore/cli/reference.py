"""``bayescore reference``: hold contenders against posteriors that are known."""

import argparse
from pathlib import Path

from bayescore.cli import flags
from bayescore.settings import Settings

_EPILOG = """\
What lies outside is fitted again by another seed with four times the draws, and the second fit decides: chance is
gone, a fault is twice as far out.

exit codes: 0 all within Monte Carlo error of the references, 1 one is outside, 2 the request is wrong,
3 a fit did not converge, 4 a contender could not be run, 73 the table could not be written to FILE (unless it is 1).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("folder", type=Path, metavar="PATH", help="a folder with references.json and its tables")
    add("--names", nargs="+", default=[], metavar="NAME", help="references to use (default: all)")
    add("--backends", nargs="+", metavar="CONTENDER", help="by default exact where it applies, and nuts in all others")
    flags.add(parser, Settings, "seed", "jobs", "cores", "timeout")
    add("--out", type=Path, metavar="FILE", help="write the table there, too")
    add("--quiet", action="store_true", help="no progress")


def run(options: argparse.Namespace) -> int:
    """Fit every reference, print the table, and tell by the exit code."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.report.progress import Bars
    from bayescore.report.terminal import plain_console
    from bayescore.study import reference
    from bayescore.system import writing

    if options.out is not None:
        writing.check(options.out)
    known = reference.load(options.folder, options.names)
    settings = Settings(reference="none", **flags.given(options, Settings))
    rows: list[reference.Distance] = []
    for one in known:
        contenders = options.backends or _contenders(one.problem)
        if not contenders:
            rows.append(
                reference.Distance(one.name, len(one.mean), "", None, None, None, None, "no backend can fit it")
            )
            continue
        with Bars(plain_console(stderr=True), quiet=options.quiet) as bars:
            rows += reference.hold(one, contenders, settings, bars)
    table = reference.markdown(rows)
    print(table)
    unkept = [] if options.out is None else keep(options.out, table + "\n")
    verdicts = {row.verdict.partition(":")[0] for row in rows}
    codes = {"within": 0, "outside": 1, "unconverged": 3}
    found = {codes.get(verdict, 4) for verdict in verdicts}
    return exit_code(next((code for code in (1, 4, 3) if code in found), 0), unkept)


def _contenders(problem: object) -> list[str]:
    """Exact where it can, and NUTS in every backend that has it."""
    from bayescore.contract.checked import refusal
    from bayescore.methods import NUTS, Exact
    from bayescore.plugins import loading
    from bayescore.regressions.problem import Problem

    assert isinstance(problem, Problem)
    found = []
    for name, registered in loading.load().backends.items():
        for method in (Exact(), NUTS()):
            if f"method:{method.name}" not in registered.info.declared("method") or registered.missing:
                continue
            if refusal(registered.info, problem.regression, method, problem.data) is None:
                found.append(f"{name}:{method.name}")
    return found
