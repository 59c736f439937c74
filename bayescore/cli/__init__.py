"""The command line: ``bayescore COMMAND``.

A command is a module here with `add_arguments` and `run`; it is imported when it is
called for, so that ``--help`` costs nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from bayescore import __version__
from bayescore.cli.streams import sturdy_streams
from bayescore.errors import BayescoreError, in_one_line
from bayescore.printable import shortened

INTERNAL = 70
"""Exit code of a fault of our own (EX_SOFTWARE of sysexits.h)."""

_COMMANDS = {
    "compare": "fit one regression with several backends, and tell whether they agree",
    "fit": "fit one regression with one backend: its summary, and whether it is healthy",
    "prior": "hold what the priors alone expect against the data, before anything is fitted",
    "programs": "tell whether programs of your own, in one library or several, are the same model",
    "backends": "list the backends that are installed, and what each can do",
    "show": "print the report of a comparison kept with --out",
    "reference": "hold backends against posteriors that are known",
    "study": "measure the decision rule itself: false alarms, and detection of planted faults",
    "explain": "say what a reason code means, how it is found, and what to do",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as the rest of the program does."""

    def error(self, message: str) -> NoReturn:
        say(f"{message} ({self.prog} --help tells more)")
        raise SystemExit(2)


def say(text: str) -> None:
    """Tell on standard error what went wrong, in one line."""
    print(f"bayescore: {shortened(text)}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    2 stands for a wrong request, 70 for a fault of our own and 73 for a result that could not
    be written to where it was asked for, which have then been said in one line; for the
    others see ``bayescore compare --help``. What becomes of standard output changes no code.
    """
    with sturdy_streams():
        return _main(list(sys.argv[1:] if argv is None else argv))


def _main(arguments: list[str]) -> int:
    options = _parser(arguments).parse_args(arguments)
    try:
        code: int = options.run(options)
    except BayescoreError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except SystemExit:
        raise
    except BaseException as error:  # a panic of an extension module is no Exception
        return _fault(error)
    return code


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser; of the commands only the one that is called has its arguments."""
    parser = _Parser(
        prog="bayescore",
        description="One Bayesian regression, every inference backend, one verdict.",
        epilog="bayescore COMMAND --help tells more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"bayescore {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        if name == chosen:
            module = import_module(f"bayescore.cli.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _fault(error: BaseException) -> int:
    """Say that this program failed, and keep the traceback; the code is nobody's verdict."""
    import traceback
    from tempfile import NamedTemporaryFile

    try:
        with NamedTemporaryFile("w", prefix="bayescore-fault-", suffix=".txt", delete=False) as file:
            file.write(f"bayescore {__version__}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}")
        where = f"the traceback is in {file.name}"
    except OSError as full:
        where = f"the traceback can't be kept ({full})"
    say(f"a fault of bayescore's own, no verdict: {in_one_line(error)}; {where}: please report it")
    return INTERNAL
