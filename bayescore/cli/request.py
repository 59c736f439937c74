"""A comparison as it is asked for: by flags, by a problem file, or by both.

A problem file is TOML with the flags' names as keys, ``backends = ["pyro"]`` and so on;
a flag wins over it. File names in it are relative to its folder.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from bayescore.cli.statement import Contenders, Statement
from bayescore.errors import RequestError, suggest
from bayescore.options import Declared, Options
from bayescore.printable import shown
from bayescore.settings import Settings
from bayescore.system import paths

if TYPE_CHECKING:
    from bayescore.regressions.problem import Problem

_LARGEST = 1 << 20
"""Bytes of a problem file, at most."""
_KEYS = re.compile(r"""[\w \t"'.-]+""")
_MOST_DOTS = 200
"""Of a dotted key: the time that it takes to read one grows with their square."""


PARTS: dict[str, type[Options]] = {"contenders": Contenders, "problem": Statement, "settings": Settings}
"""What a request is made of, by its title."""


@dataclass(frozen=True)
class Request:
    """What is asked for, by the options' names and as it was given; defaults serve for the rest.

    Attributes
    ----------
    parts
        What it is made of, by title.
    command
        The one that runs it.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, type[Options]] = field(default_factory=lambda: PARTS)
    command: str = "compare"

    @property
    def backends(self) -> tuple[str, ...]:
        """The contenders; none stands for all that are installed."""
        return Contenders(**self.of(Contenders)).backends

    @property
    def settings(self) -> Settings:
        """How the comparison is run; wrong values raise a RequestError."""
        return Settings(**self.of(Settings))

    def problem(self) -> "Problem":
        """What is to be fitted, its data read.

        Raises
        ------
        RequestError, DataError
            It can't be used.
        """
        from bayescore.cli.stating import problem_of

        return problem_of(Statement(**self.of(Statement)), self.settings.seed)

    @property
    def files(self) -> list[str]:
        """The files that it reads."""
        return [
            self.given[name] for name, option in _of_files(self.parts).items() if _is_path(option, self.given.get(name))
        ]

    def over(self, given: Mapping[str, Any]) -> "Request":
        """The same with what else is given put over it."""
        return replace(self, given={**self.given, **given})

    def write(self) -> str:
        """As a problem file; its paths are absolute."""
        content = {}
        for name, option in _of_files(self.parts).items():
            value = self.given.get(name, option.default)
            if option.plain is bool:
                value = value != option.default  # as its key says it, which may be no_reduce
            elif _is_path(option, value):
                value = str(Path(value).resolve())
            if value is not None and value is not False and value not in ((), []):
                content[option.spelled] = value
        return f"# bayescore {self.command} THIS_FILE runs it again\n" + tomli_w.dumps(content)

    def of(self, cls: type[Options]) -> dict[str, Any]:
        """What is given of a class's options."""
        return {name: value for name, value in self.given.items() if name in cls.declared}


def _of_files(parts: Mapping[str, type[Options]]) -> dict[str, Declared]:
    """The options that can stand in a problem file."""
    known = {name: option for cls in parts.values() for name, option in cls.declared.items()}
    return {name: option for name, option in known.items() if option.said.in_file}


def _is_path(option: Declared, value: Any) -> bool:
    from bayescore.tables.problem import toy_settings

    return option.said.path and value is not None and not (option.name == "data" and toy_settings(value))


def read(path: Path, empty: Request | None = None) -> Request:
    """Read a problem file, as a request like an empty one.

    Raises
    ------
    RequestError
        It is missing, can't be read, or has an unknown key or a value of the wrong kind.
    """
    empty = Request() if empty is None else empty
    if not paths.is_file(path):
        raise RequestError(f"no problem file {str(path)!r}; data are given by --data, backends by --backends")
    if path.stat().st_size > _LARGEST:
        raise RequestError(f"{str(path)!r} is no problem file: it has more than {_LARGEST} bytes")
    try:
        text = path.read_text(encoding="utf-8")
        if any(run.count(".") > _MOST_DOTS for run in _KEYS.findall(text)):
            raise RequestError(f"{str(path)!r} is no problem file: its keys are plain words, without dots")
        content = tomllib.loads(text)
    except (ValueError, RecursionError, OSError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RequestError(f"{str(path)!r} is no problem file: {why}") from error
    known = {option.spelled: option for option in _of_files(empty.parts).values()}
    given: dict[str, Any] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in known:
            raise RequestError(
                f"{str(path)!r}: unknown key {key!r}{suggest(name, list(known))} (keys: {', '.join(known)})"
            )
        option = known[name]
        try:
            given[option.name] = _typed(option, value)
        except RequestError as error:
            raise RequestError(f"{str(path)!r}: {error}") from error
        if _is_path(option, value):
            given[option.name] = str(path.parent / value)
    return empty.over(given)


def _typed(option: Declared, value: Any) -> Any:
    """The value of a key, which may stand for the opposite of its option."""
    if option.plain is bool:
        if not isinstance(value, bool):
            raise RequestError(f"{option.spelled} must be true or false, not {shown(value)}")
        return value != option.default
    option.check(value)
    return value
