"""An option is declared once, as a field of a dataclass with all that is said of it.

>>> @dataclass(frozen=True)
... class Settings(Options):
...     margin: Annotated[float, Meta(gt=0, description="a positive number"), Option("what doesn't matter")] = 0.1

From it follow the flag, the key of a problem file, and the table in the documentation
(`bayescore.cli.flags`), the check of its value wherever that comes from, the class's
docstring, and whether stored fits depend on it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypedDict, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from bayescore.errors import RequestError
from bayescore.printable import shown


@dataclass(frozen=True)
class Option:
    """What is said of an option beside its name, its type with bounds (`msgspec.Meta`) and its default.

    Attributes
    ----------
    help
        What it does, in a line.
    metavar
        What its value is called in the command line's help.
    default
        In words, what stands for a default that is None or empty.
    read
        Makes the value of what is given, where its type does not say how.
    repeatable
        Its flag adds one value each time that it is given; otherwise all stand after one.
    path
        It names a file: in a problem file, from that file's folder.
    in_file
        Whether it can stand in a problem file, and so belongs to what is run again.
    fits_stay
        Fits that were made under another value of it are the same.
    """

    help: str
    metavar: str | None = None
    default: str | None = None
    read: Callable[[Any], Any] | None = None
    repeatable: bool = False
    path: bool = False
    in_file: bool = True
    fits_stay: bool = False


@dataclass(frozen=True)
class Declared:
    """An option as its class declares it.

    Attributes
    ----------
    kind
        Its type, with bounds.
    """

    name: str
    kind: Any
    default: Any
    said: Option

    @property
    def spelled(self) -> str:
        """Its name as a user gives it: ``no_reduce`` for what is so unless it is said otherwise."""
        return f"no_{self.name}" if self.default is True else self.name

    @property
    def plain(self) -> Any:
        """Its type without bounds, or None among them."""
        return _plain(self.kind)

    @property
    def wanted(self) -> str:
        """Its values in words."""
        return _words(self.kind)

    def check(self, value: object) -> Any:
        """The value as the option's type.

        Raises
        ------
        RequestError
            It is of another kind, or out of bounds.
        """
        value = of_python(value)
        if self.said.read is not None:
            return None if value is None and self.default is None else self.said.read(value)
        try:
            return msgspec.convert(value, self.kind)
        except msgspec.ValidationError as error:
            raise RequestError(f"{self.name} must be {self.wanted}, not {shown(value)}") from error


class Options:
    """The base of a frozen dataclass whose fields declare options, each with a default.

    What an `Option` says is added to the docstring.

    Raises
    ------
    RequestError
        A value is of another kind than the option's, or out of its bounds.
    """

    declared: ClassVar[dict[str, Declared]] = {}
    """The options, by name and in their order."""

    def __init_subclass__(cls) -> None:
        own = {
            name: Declared(name, kind, vars(cls)[name], said)
            for name, kind in cls.__annotations__.items()
            if (said := _said(kind)) is not None
        }
        cls.declared = {**cls.declared, **own}
        told = [f"{name}\n        {option.said.help}." for name, option in own.items()]
        cls.__doc__ = "\n    ".join([f"{(cls.__doc__ or '').rstrip()}\n", "Attributes", "----------", *told])

    def __post_init__(self) -> None:
        for name, option in self.declared.items():
            object.__setattr__(self, name, option.check(getattr(self, name)))


def in_json(name: str, cls: type[Options]) -> Any:
    """The type of a class's options in JSON; what is read from a text is that text."""
    kinds = {option.name: str | None if option.said.read else option.kind for option in cls.declared.values()}
    found: Any = TypedDict(name, kinds)  # type: ignore[misc]
    found.__doc__ = (cls.__doc__ or "").partition("\n")[0]
    return found


def of_python(value: object) -> object:
    """A number of NumPy's as Python's own; where NumPy is not imported there is none."""
    numpy = sys.modules.get("numpy")  # a listing of backends does without it
    return value.item() if numpy is not None and isinstance(value, numpy.generic) else value


def _said(kind: Any) -> Option | None:
    return next((part for part in getattr(kind, "__metadata__", ()) if isinstance(part, Option)), None)


def _arms(kind: Any) -> list[Any]:
    """What a type is made of, from the outside in: the first is the type that is not None."""
    if get_origin(kind) is Annotated:
        return [get_args(kind)[0]]
    if get_origin(kind) in {Union, UnionType}:
        return [arm for arm in get_args(kind) if arm is not NoneType]
    return []


def _plain(kind: Any) -> Any:
    arms = _arms(kind)
    return _plain(arms[0]) if arms else kind


def _words(kind: Any) -> str:
    described = [part.description for part in getattr(kind, "__metadata__", ()) if isinstance(part, Meta)]
    if described and described[0]:
        return described[0]
    arms = _arms(kind)
    if arms:
        return _words(arms[0])
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "a list of " + {str: "texts", int: "whole numbers"}[get_args(kind)[0]]
    words = {str: "a text", bool: "True or False", int: "a whole number", float: "a number", Path: "a path"}
    return words[kind]
