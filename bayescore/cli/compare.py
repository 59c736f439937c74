"""``bayescore compare``: fit, decide, report."""

import argparse
import json
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

_EPILOG = """\
exit codes: 0 agree, 1 disagree, 2 the request is wrong (nothing is written), 3 inconclusive,
4 a contender could not be run, 70 a fault of bayescore's own, 73 the result could not be written to DIR or FILE
(unless it is 1), 130 stopped by Ctrl-C.

examples:
  bayescore compare --backends pyro numpyro
  bayescore compare --backends pyro:nuts "numpyro:svi(guide=full_rank)" --data kidiq.csv --formula "kid_score ~ mom_iq"
"""


_FAMILIES = (
    'gaussian (default), "Gaussian(sigma=0.1)", studentt, bernoulli, "Bernoulli(link=probit)", binomial, poisson, '
    "negativebinomial, gamma, exponential, beta, ordinal, categorical"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("problem", nargs="?", type=Path, metavar="PROBLEM.toml", help="a problem file; flags win over it")
    add(
        "--backends",
        nargs="+",
        metavar="CONTENDER",
        help='as pyro, numpyro:nuts, "pyro:svi(guide=full_rank)", exact; by default all installed',
    )
    add("--method", help='for contenders that name none: svi, nuts, "nuts(chains=4, draws=2500)", map, mle, exact')
    add("--data", metavar="DATA", help='toy, "toy(n=100, p=1, noise_sd=0.1)", FILE.csv or FILE.parquet (default: toy)')
    add("--formula", help='as "y ~ x1 + x2"; needed for a file')
    add("--family", metavar="FAMILY", help=_FAMILIES)
    add("--weights", metavar="COLUMN", help="the column that multiplies each row's log likelihood")
    add(
        "--levels",
        action="append",
        metavar='"COLUMN: A < B"',
        help='the order of levels, as "y: low < medium < high"; of a predictor the reference first; repeatable',
    )
    add("--network", nargs="+", type=int, metavar="UNITS", help="a network with these hidden layers, as 16 or 16 8")
    add(
        "--prior",
        action="append",
        metavar='"SITE ~ PRIOR"',
        help='as "beta ~ Normal(0, 10)" or "beta[x] ~ Flat()"; repeatable',
    )
    add("--reference", metavar="CONTENDER", help="auto (the exact posterior where there is one), none, or a contender")
    add("--margin", type=float, help="differences below it don't matter, in posterior sds (default: 0.1)")
    add("--alpha", type=float, help="rate at which identical posteriors may be found to disagree (default: 0.01)")
    add("--new-data", metavar="FILE", help="rows to predict (default: at most 200 of the data's own)")
    add("--seed", type=int, help="seeds the toy and, each by its name, the contenders (default: 0)")
    add("--precision", metavar="float64|float32", help="of the backends' arithmetic (default: float64)")
    add("--timeout", type=float, metavar="SECONDS", help="for each contender")
    add("--drop-missing", action="store_const", const=True, help="leave out rows with missing values, and say which")
    add(
        "--no-reduce",
        action="store_const",
        const=True,
        help="keep every row; otherwise rows are taken together where that leaves the likelihood as it is",
    )
    add("--jobs", type=int, metavar="N", help="processes at a time (default: one a core)")
    add("--model-only", action="store_true", help="compare the log densities, and fit nothing")
    add("--smoke", action="store_true", help="two iterations each: try out the plumbing, conclude nothing")
    add("--json", metavar="FILE|-", help="write the result as JSON; - for standard output, without the report")
    add("--out", type=Path, metavar="DIR", help="keep everything: report, posteriors as ArviZ netCDF, problem, log")
    add("--force", action="store_true", help="replace a comparison that is in DIR")
    add("--resume", action="store_true", help="take up the fits of the same problem that are in DIR")
    add("--quiet", action="store_true", help="no report and no progress; the exit code tells")


_FLAGS = (
    "backends", "method", "data", "formula", "family", "prior", "reference", "margin", "alpha",
    "new_data", "seed", "precision", "timeout", "drop_missing", "weights", "levels", "network",
    "no_reduce",
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run the comparison, report it, and keep it."""
    from bayescore.cli import request, say
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.comparison.archive import Archive
    from bayescore.comparison.run import choose, compare
    from bayescore.errors import RequestError
    from bayescore.plugins import loading
    from bayescore.report.progress import Bars
    from bayescore.report.terminal import plain_console, show

    if (options.force or options.resume) and options.out is None:
        raise RequestError("--force and --resume go with --out DIR")
    base = request.Request() if options.problem is None else request.read(options.problem)
    flags = {name: getattr(options, name) for name in _FLAGS}
    flags |= {
        name: tuple(flags[name]) for name in ("backends", "prior", "levels", "network") if flags[name] is not None
    }
    asked = request.overlay(base, flags)
    if options.json not in {None, "-"}:
        _check_json(Path(options.json), [options.problem, asked.data, asked.new_data])
    settings = asked.settings(jobs=options.jobs, smoke=options.smoke, model_only=options.model_only)
    contenders = list(asked.backends) or _installed()
    swallowed = [name for name in contenders if name.endswith(".toml")]
    if swallowed:
        raise RequestError(f"{swallowed[0]!r} is read as a backend: put the problem file first")
    problem = asked.problem()
    unkept: list[str] = []
    with ExitStack() as stack:
        archive = None
        if options.out is not None:
            chosen = choose(problem, contenders, settings, loading.load())  # wrong ones before a folder is made
            archive = Archive(options.out, problem, settings, chosen, force=options.force, resume=options.resume)
            stack.enter_context(archive).begin(request.overlay(asked, {"backends": tuple(contenders)}).write())
        with Bars(plain_console(stderr=True), quiet=options.quiet) as bars:
            result = compare(problem, contenders, settings, watch=bars, archive=archive)
        if archive is not None:
            archive.finish(result.document)
            for remark in () if options.quiet else archive.remarks:
                say(remark)
            unkept += archive.unkept
    text = json.dumps(result.document, indent=1)
    if options.json == "-":
        print(text)
    elif not options.quiet:
        show(result.document, plain_console(width=None if sys.stdout.isatty() else 130))
    if options.json not in {None, "-"}:
        unkept += keep(Path(options.json), text + "\n")
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
