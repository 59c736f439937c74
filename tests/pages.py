"""Pages of the documentation whose blocks are run from top to bottom, and whose outputs are compared."""

import ast
import re
from pathlib import Path
from typing import Any

_RUN = re.compile(r"<!-- run -->\n```python\n(.*?)```(?:\n\n<!-- output -->\n```\n(.*?)```)?", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")


def blocks(page: Path) -> list[tuple[str, str | None]]:
    """What is run, and what it shows; None where nothing is shown."""
    return [(found[1], found[2]) for found in _RUN.finditer(page.read_text())]


def run(code: str, space: dict[str, Any]) -> str | None:
    """What a notebook would show below a cell."""
    tree = ast.parse(code)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "page", "exec"), space)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "page", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "page", "eval"), space)
    return None if value is None else f"{value!r}\n"


def same(found: str, shown: str) -> bool:
    """Whether texts are the same but for the figures' last digits, which another machine rounds otherwise."""
    if [_NUMBER.sub("#", line).split() for line in found.splitlines()] != [
        _NUMBER.sub("#", line).split() for line in shown.splitlines()
    ]:
        return False
    pairs = zip(_NUMBER.findall(found), _NUMBER.findall(shown), strict=True)
    return all(abs(float(a) - float(b)) <= 0.02 * abs(float(b)) + 1e-3 for a, b in pairs)


def write(page: Path) -> None:
    """Put what is shown today on the page."""
    space: dict[str, Any] = {}

    def again(found: re.Match[str]) -> str:
        shown = run(found[1], space)
        whole = f"<!-- run -->\n```python\n{found[1]}```"
        return whole if found[2] is None else f"{whole}\n\n<!-- output -->\n```\n{shown}```"

    page.write_text(_RUN.sub(again, page.read_text()))
