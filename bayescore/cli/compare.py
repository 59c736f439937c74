"""``bayescore compare``: fit, decide, report."""

import argparse

from bayescore.cli import flags, request
from bayescore.cli import output as output_of
from bayescore.cli.output import Output

_EPILOG = """\
exit codes: 0 agree, 1 disagree, 2 the request is wrong (nothing is written), 3 inconclusive,
4 a contender could not be run, 70 a fault of bayescore's own, 73 the result could not be written to DIR or FILE
(unless it is 1), 130 stopped by Ctrl-C.

examples:
  bayescore compare --backends pyro numpyro
  bayescore compare --backends pyro:nuts "numpyro:svi(guide=full_rank)" --data kidiq.csv --formula "kid_score ~ mom_iq"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_problem_file(parser)
    for title, cls in {**request.PARTS, "result": Output}.items():
        flags.add(parser.add_argument_group(title), cls)


def run(options: argparse.Namespace) -> int:
    """Run the comparison, report it, and keep it."""
    from bayescore.comparison.run import choose, compare
    from bayescore.errors import RequestError
    from bayescore.plugins import loading

    output = Output(**flags.given(options, Output))
    base = request.Request() if options.problem is None else request.read(options.problem)
    asked = base.over(flags.given(options, *request.PARTS.values()))
    output.check([options.problem, *asked.files])
    settings = asked.settings
    contenders = list(asked.backends) or _installed()
    swallowed = [name for name in contenders if name.endswith(".toml")]
    if swallowed:
        raise RequestError(f"{swallowed[0]!r} is read as a backend: put the problem file first")
    problem = asked.problem()
    again = asked.over({"backends": contenders}).write()
    # wrong contenders before a folder is made
    chosen = [] if output.out is None else choose(problem, contenders, settings, loading.load())
    return output_of.run(
        output,
        problem,
        settings,
        chosen,
        again,
        lambda watch, archive: compare(problem, contenders, settings, watch=watch, archive=archive),
    )


def _installed() -> list[str]:
    from bayescore.plugins import loading

    names = [name for name, registered in loading.load().backends.items() if not registered.missing]
    return [name for name in names if name != "exact"] or names
