"""``bayescore show``: the report of a stored comparison, once more."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder written by compare --out")


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit code is that of the comparison."""
    from bayescore.agreement.verdict import EXIT_CODES
    from bayescore.comparison.archive import read_document
    from bayescore.errors import RequestError
    from bayescore.report.terminal import plain_console, render, show

    document = read_document(options.folder)
    try:
        render(document)  # as a whole, before a line of it is printed
        code = EXIT_CODES[document["verdict"]]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RequestError(f"the comparison in {str(options.folder)!r} is damaged: {error!r}") from error
    show(document, plain_console())
    return code
