"""Pages of the documentation whose blocks are run from top to bottom, and whose outputs are compared.

A block to be run stands after ``<!-- run -->``, or ``<!-- run: name -->`` in one of several runs; what a notebook would
show below it after ``<!-- output -->``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_RUN = re.compile(
    r"<!-- run(?:: (\w+))? -->\n```python\n(.*?)```(?:\n\n<!-- output -->\n```\n(.*?)```)?", flags=re.DOTALL
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")


class Block(NamedTuple):
    """What is run, and what it shows; None where nothing is shown."""

    code: str
    shown: str | None


def blocks(page: Path, name: str | None = None) -> Iterator[Block]:
    """The blocks of a run."""
    return (Block(found[2], found[3]) for found in _RUN.finditer(page.read_text()) if found[1] == name)


def run(code: str, space: dict[str, Any]) -> Any:
    """The value of the last line, if it is one."""
    tree = ast.parse(code)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "page", "exec"), space)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "page", "exec"), space)
    return eval(compile(ast.Expression(last.value), "page", "eval"), space)


def text(value: Any) -> str:
    """What a notebook shows as text."""
    return "\n".join(line.rstrip() for line in repr(value).split("\n")) + "\n"


def like(found: str, shown: str) -> bool:
    """Whether texts are the same but for their figures, which are drawn."""
    return _NUMBER.sub("#", found).split() == _NUMBER.sub("#", shown).split()


def same(found: str, shown: str) -> bool:
    """Whether texts are the same but for the figures' last digits, which another machine rounds otherwise."""
    pairs = zip(_NUMBER.findall(found), _NUMBER.findall(shown), strict=False)
    return like(found, shown) and all(abs(float(a) - float(b)) <= 0.02 * abs(float(b)) + 1e-3 for a, b in pairs)


def write(page: Path, before: str = "") -> None:
    """Put what is shown today on the page; ``before`` is run first in every run."""
    spaces: dict[str | None, dict[str, Any]] = {}

    def again(found: re.Match[str]) -> str:
        if found[1] not in spaces:
            spaces[found[1]] = {}
            exec(before, spaces[found[1]])
        value = run(found[2], spaces[found[1]])
        return found[0] if found[3] is None else found[0].removesuffix(f"{found[3]}```") + f"{text(value)}```"

    page.write_text(_RUN.sub(again, page.read_text()))
