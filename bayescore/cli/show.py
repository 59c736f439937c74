"""``bayescore show``: the report of a stored comparison, or of a stored fit, once more."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bayescore.cli import flags
from bayescore.cli.output import Output

if TYPE_CHECKING:
    from bayescore.comparison.subject import Subject
    from bayescore.pictures.material import Material
    from bayescore.report.document import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="a folder written by compare --out, or a file by fit --out"
    )
    flags.add(parser, Output, "full", "junit", "html", "plots", "quiet")


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit code is that of the comparison, or of the fit."""
    from bayescore.agreement.verdict import EXIT_CODES
    from bayescore.cli import keeping, looks
    from bayescore.comparison.archive import read_document
    from bayescore.errors import RequestError
    from bayescore.report.junit import junit
    from bayescore.report.terminal import plain_console, render, show, window

    output = Output(**flags.given(options, Output))
    output.check(_own(options.folder))
    if options.folder.suffix == ".nc":
        return _fit(options.folder, output)
    document = read_document(options.folder)
    try:
        for full in (True, False):  # as a whole, before a line of it is printed
            render(document, full=full)
        junit(document)
        code = EXIT_CODES[document["verdict"]]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RequestError(f"the comparison in {str(options.folder)!r} is damaged: {error!r}") from error
    if not output.quiet:
        show(document, plain_console(width=window()), full=output.full)
    unkept = [] if output.junit is None else keeping.keep(Path(output.junit), junit(document))
    if output.plots is None and output.html is None:
        return keeping.exit_code(code, unkept)
    material, again = _kept(document, options.folder, quiet=output.quiet)
    return keeping.exit_code(
        code, [*unkept, *looks.keep(material, again, output.plots, output.html, quiet=output.quiet)]
    )


def _fit(path: Path, output: Output) -> int:
    """Print the report of a fit."""
    from bayescore.errors import DataError, RequestError
    from bayescore.fitting.fit import load_fit
    from bayescore.report.one_fit import show
    from bayescore.report.terminal import plain_console, window

    asked = [flag for flag in ("full", "junit", "html", "plots") if getattr(output, flag)]
    if asked:
        raise RequestError(f"--{asked[0]} is of comparisons: {str(path)!r} is a fit")
    try:
        found = load_fit(path)
    except DataError as error:
        raise RequestError(str(error)) from error
    if not output.quiet:
        show(found.document, plain_console(width=window()))
    return 0 if found.healthy else 3


def _own(folder: Path) -> list[Path]:
    """The files of a comparison that are not to be written over."""
    from bayescore.system import paths

    if not paths.is_folder(folder):
        return [folder]
    return [*folder.glob("*.json"), *folder.glob("*.toml"), *folder.glob("*.nc")]


def _kept(document: "Document", folder: Path, *, quiet: bool) -> "tuple[Material, str | None]":
    """What there is to draw in a folder, and the text of its problem file."""
    from bayescore.cli import say
    from bayescore.comparison.archive import PROBLEM
    from bayescore.comparison.pictured import of_folder
    from bayescore.system import paths

    inside = folder if paths.is_folder(folder) else folder.parent
    path, again = inside / PROBLEM, None
    if paths.is_file(path):
        again = path.read_text(encoding="utf-8", errors="replace")
    subject, remarks = (None, []) if again is None else _problem(path, document)
    material, more = of_folder(document, inside, subject)
    for remark in () if quiet else [*remarks, *more]:
        say(remark)
    return material, again


def _problem(path: Path, document: "Document") -> "tuple[Subject | None, list[str]]":
    """The regression and its data, where they are still at hand and still the same."""
    from bayescore.cli import request
    from bayescore.errors import BayescoreError, in_one_line

    if document["problem"]["family"] == "program":
        return None, []
    try:
        problem = request.read(path).problem()
    except (BayescoreError, OSError) as error:
        return None, [f"the data are in no picture: {in_one_line(error)}"]
    if problem.described({})["model"] != document["problem"]["model"] or (
        problem.data.stands_for != document["problem"]["rows"]
    ):
        return None, ["the data are in no picture: they are others than those that were compared"]
    return problem, []
