"""The one small language of settings: names and calls, as in ``Normal(0, 10)``.

Priors, families, methods and contenders are written in it. A text is parsed into
a `Call` of constants and further calls; nothing in it is ever evaluated.
"""

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from keyword import iskeyword
from types import ModuleType
from typing import Any, TypeVar

from bayescore.errors import RequestError, suggest
from bayescore.printable import shown

T = TypeVar("T")
_MOST_BITS = 4096
"""Of a whole number; one of a thousand digits is no setting."""

_CONSTANTS = {"true": True, "false": False, "none": None, "inf": math.inf, "infinity": math.inf}
"""Constants as people write them, in any case."""


@dataclass(frozen=True)
class Call:
    """A parsed text: a name and its arguments (numbers, texts, booleans, None, calls)."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


def classes_of(base: type[T], *modules: ModuleType) -> dict[str, type[T]]:
    """The classes that modules define, by the names by which they can be written, in the modules' order."""
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


def parse(text: str) -> Call:
    """Parse ``name`` or ``name(1, key=value)``.

    Raises
    ------
    RequestError
        The text is not a name or a call of constants.
    """
    if not isinstance(text, str):
        raise RequestError(f"can't read {shown(text)}: write a name or a call such as Normal(0, 10), as a text")
    try:
        node = ast.parse(text.strip(), mode="eval").body
        value = node.id if isinstance(node, ast.Name) else _value(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RequestError(f"can't read {shown(text)}: write a name or a call such as Normal(0, 10)") from error
    if isinstance(value, str) and isinstance(node, ast.Name):
        return Call(value)
    if not isinstance(value, Call):
        raise RequestError(f"can't read {shown(text)}: write a name or a call such as Normal(0, 10)")
    return value


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            if isinstance(value, int) and value.bit_length() > _MOST_BITS:
                raise ValueError
            return value
        case ast.Name(id=name):
            return _CONSTANTS.get(name.lower(), name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _value(operand)
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError
            return -number
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            kwargs = tuple((_keyword(k), _value(k.value)) for k in keywords)
            return Call(name, tuple(_value(a) for a in args), kwargs)
    raise ValueError


def _keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError
    return keyword.arg


def meant(name: str, known: Iterable[str], aliases: Mapping[str, str] | None = None) -> str:
    """The known name that is meant, whatever its case and underscores; the name itself where none is.

    Parameters
    ----------
    aliases
        Other words for known names, in lower case and without underscores.
    """
    bare = {_bare(other): other for other in known} | dict(aliases or {})
    return bare.get(_bare(name), name)


def lower(call: Call) -> Call:
    """The same call, its name and the words among its arguments in lower case."""

    def word(value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    return Call(call.name.lower(), tuple(map(word, call.args)), tuple((key, word(v)) for key, v in call.kwargs))


def _bare(name: str) -> str:
    return name.lower().replace("_", "")


def construct(call: Call, known: Mapping[str, type[T]], what: str, *, aliases: Mapping[str, str] | None = None) -> T:
    """Build the dataclass that ``call`` names, among the ``known`` ones.

    Names are those that are `meant`.

    Raises
    ------
    RequestError
        The name, a setting's name or a setting's value is wrong.
    """
    call = Call(meant(call.name, known, aliases), call.args, call.kwargs)
    cls = known.get(call.name)
    if cls is None:
        names = ", ".join(known)
        raise RequestError(f"unknown {what} {call.name!r}{suggest(call.name, list(known))} (known: {names})")
    settings = [f for f in fields(cls) if f.init]  # type: ignore[arg-type]
    names_of = [f.name for f in settings]
    if len(call.args) > len(names_of):
        raise RequestError(f"{call.name} takes at most {len(names_of)} settings ({', '.join(names_of)})")
    values: dict[str, Any] = dict(zip(names_of, call.args, strict=False))
    for written, value in call.kwargs:
        key = meant(written, names_of)
        if key not in names_of:
            hint = suggest(key, names_of)
            raise RequestError(f"{call.name} has no setting {key!r}{hint} (settings: {', '.join(names_of) or 'none'})")
        if key in values:
            raise RequestError(f"{call.name}: the setting {key!r} is given twice")
        values[key] = value
    absent = [f.name for f in settings if f.name not in values and f.default is MISSING]
    if absent:
        raise RequestError(f"{call.name} needs {' and '.join(absent)}: {call.name}({', '.join(names_of)})")
    make: Callable[..., T] = cls
    return make(**values)


def write(name: str, settings: object, *, defaults: bool = False, digits: int | None = None) -> str:
    """Write a dataclass as a call that `parse` and `construct` read again.

    Settings at their defaults are left out unless ``defaults`` asks for them. With ``digits``
    numbers have at most so many, for reading; what is read again is then rounded.
    """
    parts = []
    for f in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, f.name)
        if f.init and (defaults or f.default is MISSING or value != f.default):
            text = f"{value:.{digits}g}" if digits is not None and isinstance(value, float) else _written(value)
            parts.append(text if f.default is MISSING else f"{f.name}={text}")
    return f"{name}({', '.join(parts)})"


def _written(value: object) -> str:
    """A value as `parse` reads it; a number in as few digits as give it back."""
    if isinstance(value, str):
        plain = value.isascii() and value.isidentifier() and not (iskeyword(value) or value.lower() in _CONSTANTS)
        return value if plain else repr(value)
    if isinstance(value, float):
        short = f"{value:.10g}"
        return short if float(short) == value else repr(value)
    if callable(value):  # by its name, which is the same in every run; an address is not
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return repr(value)
