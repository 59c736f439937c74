"""What plugins may import from the core: what ours and the tests' stranger do, its signatures read from the sources.

``python tests/surface.py`` writes it down in ``tests/surface.txt``, and its names in ``docs/backends.md``.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = (
    "backends/pyro/bayescore_pyro",
    "backends/numpyro/bayescore_numpyro",
    "bayescore/exact",
    "tests/plugins/tiny",
)
KEPT, PAGE = ROOT / "tests" / "surface.txt", ROOT / "docs" / "backends.md"
BEGIN, END = "<!-- surface -->\n", "<!-- end of surface -->\n"
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def imported(folders: Iterable[str] = PLUGINS) -> dict[str, set[str]]:
    """Names by the core's module that plugins in these folders take them from."""
    found: dict[str, set[str]] = {}
    for path in (path for folder in folders for path in (ROOT / folder).glob("*.py")):
        tree = _parsed(path)
        for statement in ast.walk(tree):
            module = str(statement.module) if isinstance(statement, ast.ImportFrom) else ""
            if not f"{module}.".startswith("bayescore.") or module.startswith("bayescore.exact"):
                continue
            for name in statement.names:  # type: ignore[attr-defined]
                whole = f"{module}.{name.name}"
                if _path(whole) is None:
                    found.setdefault(module, set()).add(name.name)
                else:  # a module: what is taken from it
                    found.setdefault(whole, set()).update(_taken(tree, name.asname or name.name))
    return dict(sorted(found.items()))


def _taken(tree: ast.Module, alias: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == alias:
            yield node.attr


def surface() -> list[str]:
    """One line a name: what it is, with its signature.

    A class is written with the fields that it can't be made without, and has a line more for each public member.
    """
    return sorted(line for module, names in imported().items() for name in names for line in described(module, name))


def described(module: str, name: str) -> Iterator[str]:
    """The lines of a name."""
    whole, (home, definition) = f"{module}.{name}", _found(module, name)
    if isinstance(definition, ast.FunctionDef):
        yield f"{whole}{_signature(definition)}"
    elif isinstance(definition, ast.ClassDef):
        members = _members(home, definition)
        needed = [name for name, line in members.items() if re.fullmatch(rf"{name}: (?!ClassVar)[^=]*", line)]
        yield f"{whole}({', '.join(needed)})"
        yield from (f"{whole}.{line}" for line in members.values())
    else:
        yield f"{whole} = {ast.unparse(definition.value)}" if definition.value else whole


def _members(home: str, definition: ast.ClassDef) -> dict[str, str]:
    """Public members by name, those that it inherits from classes of the core among them."""
    found: dict[str, str] = {}
    for base in (ast.unparse(base) for base in reversed(definition.bases)):
        with suppress(LookupError):  # one that is not the core's
            place, inherited = _found(home, base)
            found |= _members(place, inherited) if isinstance(inherited, ast.ClassDef) else {}
    for member in definition.body:
        match member:
            case ast.FunctionDef(name=name) if not name.startswith("_") or name in {"__init__", "__call__"}:
                marks = {ast.unparse(mark).split("(")[0] for mark in member.decorator_list}
                read = bool(marks & {"property", "cached_property"}) and member.returns is not None
                found[name] = f"{name} -> {ast.unparse(member.returns)}" if read else f"{name}{_signature(member)}"
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                found[name] = f"{name}: {ast.unparse(member.annotation)}{' = ...' if member.value else ''}"
    return found


def _signature(function: ast.FunctionDef) -> str:
    returns = "" if function.returns is None else f" -> {ast.unparse(function.returns)}"
    return f"({ast.unparse(function.args)}){returns}"


def _found(module: str, name: str) -> tuple[str, Definition]:
    """Where a name is defined, wherever it is imported from."""
    for statement in _statements(module):
        match statement:
            case ast.FunctionDef(name=own) | ast.ClassDef(name=own) if own == name:
                return module, statement
            case ast.Assign(targets=[ast.Name(id=own)]) | ast.AnnAssign(target=ast.Name(id=own)) if own == name:
                return module, statement
            case ast.ImportFrom(module=str(other)) if name in [alias.asname or alias.name for alias in statement.names]:
                return _found(other, next(a.name for a in statement.names if (a.asname or a.name) == name))
    raise LookupError(f"{module} has no {name}")


def _statements(module: str) -> list[ast.stmt]:
    path = _path(module)
    if path is None:
        raise LookupError(f"{module} is no module of the core's")
    return _parsed(path).body


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _path(module: str) -> Path | None:
    stem = ROOT.joinpath(*module.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


def table() -> str:
    """The names by module, as the page has them."""
    rows = (f"| `{module}` | {', '.join(f'`{n}`' for n in sorted(names))} |" for module, names in imported().items())
    return "\n".join(["| from | names |", "|---|---|", *rows]) + "\n"


def main() -> None:
    """Write down what there is now."""
    KEPT.write_text("\n".join(surface()) + "\n")
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
