"""Declared options (`bayescore.options`) as flags, and as the documentation's tables."""

import argparse
from pathlib import Path
from typing import Any, get_args, get_origin

from bayescore.options import Declared, Options
from bayescore.printable import cell


def add(parser: argparse._ActionsContainer, cls: type[Options], *names: str) -> None:
    """Declare the flags of a class's options, or of those that are named."""
    for name, option in cls.declared.items():
        if not names or name in names:
            parser.add_argument(
                flag(option),
                dest=name,
                default=argparse.SUPPRESS,  # so that what is given can be told from what is not
                help=described(option).replace("%", "%%"),
                **_taken(option),
            )


def add_problem_file(parser: argparse.ArgumentParser) -> None:
    """Declare the problem file that a command can begin from."""
    parser.add_argument(
        "problem", nargs="?", type=Path, metavar="PROBLEM.toml", help="a problem file; flags win over it"
    )


def given(arguments: argparse.Namespace, *classes: type[Options]) -> dict[str, Any]:
    """The values of the flags that were given, by the options' names."""
    known = {name for cls in classes for name in cls.declared}
    return {name: value for name, value in vars(arguments).items() if name in known}


def flag(option: Declared) -> str:
    """As in ``--new-data``."""
    return "--" + option.spelled.replace("_", "-")


def described(option: Declared) -> str:
    """What it does, and its default."""
    default = _default(option)
    return (
        option.said.help + ("; repeatable" if option.said.repeatable else "") + (default and f" (default: {default})")
    )


def _default(option: Declared) -> str:
    if option.said.default is not None:
        return option.said.default
    return "" if option.default in (None, ()) or isinstance(option.default, bool) else str(option.default)


def _taken(option: Declared) -> dict[str, Any]:
    """What argparse is to take after the flag."""
    if option.plain is bool:
        return {"action": "store_const", "const": not option.default}
    if get_origin(option.plain) is not tuple:
        return {"metavar": option.said.metavar, "type": option.plain if option.plain in {int, float} else str}
    action = {"action": "append"} if option.said.repeatable else {"nargs": "+"}
    return {"metavar": option.said.metavar, "type": get_args(option.plain)[0], **action}


def markdown(cls: type[Options]) -> str:
    """The options of a class, as a table of the documentation."""
    lines = ["| flag | key of a problem file | value | default | |", "|---|---|---|---|---|"]
    for option in cls.declared.values():
        key = f"`{option.spelled}`" if option.said.in_file else ""
        value = "" if option.plain is bool else option.wanted
        lines.append(f"| `{flag(option)}` | {key} | {cell(value)} | {_default(option)} | {cell(option.said.help)} |")
    return "\n".join(lines)


def keys(*classes: type[Options]) -> str:
    """The keys of a problem file that some classes make, as a table of the documentation."""
    lines = ["| key | value | default | |", "|---|---|---|---|"]
    for option in (one for cls in classes for one in cls.declared.values() if one.said.in_file):
        value, default = ("true or false", "false") if option.plain is bool else (cell(option.wanted), _default(option))
        lines.append(f"| `{option.spelled}` | {value} | {default} | {cell(option.said.help)} |")
    return "\n".join(lines)
