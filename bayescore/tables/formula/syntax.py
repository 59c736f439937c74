"""The language of formulas: text to a tree, and a tree back to text.

One grammar serves the left side, the right side and what calls are given. The operators,
loosest first: ``|`` and ``||``; comparisons; ``+ -``; ``* / // %``; ``:``; signs; ``**``.
What they mean is said elsewhere: of terms in `bayescore.tables.formula.reading`, of numbers in
`bayescore.tables.formula.evaluation`.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from bayescore.errors import RequestError

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_LEVELS = {"|": 1, "||": 1, **dict.fromkeys(COMPARISONS, 2), "+": 3, "-": 3, "*": 4, "/": 4, "//": 4, "%": 4, ":": 5,
           "**": 7}  # fmt: skip
_COMPARISON, _SUM, _SIGN = 2, 3, 6
_MOST_DIGITS = 100
_CONSTANTS = {"True": True, "False": False, "None": None}
_NAME = r"[^\W\d][\w.]*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>{_NAME})
    | `(?P<quoted>[^`]+)`
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<sign>\*\*|\|\||//|==|!=|<=|>=|[-+*/%:|~<>=(),\[\]{{}}])""",
    re.VERBOSE,
)


class FormulaSyntaxError(RequestError):
    """What keeps a text from being a formula; its reader says which formula."""


@dataclass(frozen=True)
class Name:
    """A column."""

    text: str


@dataclass(frozen=True)
class Literal:
    """A number, a text in quotes, True, False or None."""

    value: float | int | str | bool | None


@dataclass(frozen=True)
class Listed:
    """``[a, b]``."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True)
class Indexed:
    """``y['level']``."""

    name: str
    level: str


@dataclass(frozen=True)
class Signed:
    """``-x`` or ``+x``."""

    operator: str
    right: "Node"


@dataclass(frozen=True)
class Binary:
    """``x + y`` and all other operators between two parts."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Call:
    """``f(x, 2, raw=True)``; ``{x}`` is ``I(x)``."""

    name: str
    args: "tuple[Node, ...]"
    named: "tuple[tuple[str, Node], ...]" = ()

    @property
    def given(self) -> "tuple[Node, ...]":
        """All arguments."""
        return (*self.args, *(value for _, value in self.named))


Node = Name | Literal | Listed | Indexed | Signed | Binary | Call


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


_END = _Token("end", "")


def parse(text: str) -> tuple[Node, Node]:
    """Read a formula's left and right side.

    Raises
    ------
    FormulaSyntaxError
        It is none.
    """
    tokens = list(_scan(text))
    tildes = [i for i, token in enumerate(tokens) if token == _Token("sign", "~")]
    if not tildes:
        raise FormulaSyntaxError("it has no response: write 'y ~ ...'")
    if len(tildes) > 1:
        raise FormulaSyntaxError("it has more than one '~'")
    if tokens[0].text == "(" and _depth(tokens[: tildes[0]]):
        raise FormulaSyntaxError("write 'y ~ ...', without parentheses around it")
    sides = (_Parser(tokens[: tildes[0]], _COMPARISON), _Parser(tokens[tildes[0] + 1 :], _SUM))
    left, right = (side.whole() for side in sides)
    return left, right


def _depth(tokens: list[_Token]) -> int:
    signs = [token.text for token in tokens if token.kind == "sign"]
    return signs.count("(") - signs.count(")")


def _scan(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise FormulaSyntaxError(f"{text[at]!r} is out of place")
        at = found.end()
        kind = str(found.lastgroup)
        if kind != "space":
            yield _Token(kind, found[kind])


class _Parser:
    """A parser of one side, by the strengths of its operators."""

    def __init__(self, tokens: list[_Token], loosest: int) -> None:
        self.tokens = [*tokens, _END]
        self.at = 0
        self.loosest = loosest

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def sees(self, sign: str) -> bool:
        return self.next == _Token("sign", sign)

    def take(self) -> _Token:
        token = self.next
        if token is not _END:
            self.at += 1
        return token

    def expect(self, sign: str) -> None:
        if not self.sees(sign):
            raise self.misplaced(f"; {sign!r} is missing")
        self.take()

    def misplaced(self, hint: str = "") -> FormulaSyntaxError:
        if self.next is _END:
            return FormulaSyntaxError(f"it ends too early{hint}")
        return FormulaSyntaxError(f"{self.next.text!r} is out of place{hint}")

    def whole(self) -> Node:
        found = self.expression(self.loosest)
        if self.next is not _END:
            raise self.misplaced("; group terms are written in parentheses" if self.next.text in {"|", "||"} else "")
        return found

    def expression(self, least: int) -> Node:
        left = self.signed()
        compared = False
        while self.next.kind == "sign" and _LEVELS.get(self.next.text, 0) >= least:
            operator = self.next.text
            level = _LEVELS[operator]
            if level == _COMPARISON and compared:
                raise self.misplaced()
            compared = level == _COMPARISON
            self.take()
            left = Binary(operator, left, self.expression(level + (operator != "**")))
        return left

    def signed(self) -> Node:
        if self.sees("+") or self.sees("-"):
            return Signed(self.take().text, self.expression(_SIGN))
        found = self.primary()
        if self.sees("("):
            raise FormulaSyntaxError("only a function's name can be called")
        return found

    def primary(self) -> Node:
        token = self.next
        if token.kind == "number":
            self.take()
            if len(token.text) > _MOST_DIGITS:
                raise FormulaSyntaxError(f"a number has at most {_MOST_DIGITS} digits")
            return Literal(int(token.text) if token.text.isdecimal() else float(token.text))
        if token.kind == "text":
            self.take()
            return Literal(_unquoted(token.text))
        if token.kind in {"name", "quoted"}:
            return self.named(self.take())
        for opening, closing in (("(", ")"), ("{", "}"), ("[", "]")):
            if self.sees(opening):
                self.take()
                return self.enclosed(opening, closing)
        raise self.misplaced()

    def named(self, token: _Token) -> Node:
        if token.kind == "name" and self.sees("("):
            self.take()
            return self.call(token.text)
        if self.sees("["):
            self.take()
            level = self.take()
            if level.kind not in {"text", "name", "quoted"}:
                raise FormulaSyntaxError(f"a level is written in quotes, as in {token.text}['level']")
            self.expect("]")
            return Indexed(token.text, _unquoted(level.text) if level.kind == "text" else level.text)
        if token.kind == "name" and token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        return Name(token.text)

    def enclosed(self, opening: str, closing: str) -> Node:
        if opening == "[":
            return Listed(self.several("]"))
        found = self.expression(1)
        self.expect(closing)
        return Call("I", (found,)) if opening == "{" else found

    def several(self, closing: str) -> tuple[Node, ...]:
        items = []
        while not self.sees(closing):
            items.append(self.expression(_COMPARISON))
            if not self.sees(closing):
                self.expect(",")
        self.take()
        return tuple(items)

    def call(self, name: str) -> Call:
        args: list[Node] = []
        named: dict[str, Node] = {}
        while not self.sees(")"):
            if self.next.kind == "name" and self.tokens[self.at + 1] == _Token("sign", "="):
                key = self.take().text
                self.take()
                if key in named:
                    raise FormulaSyntaxError(f"{name}() is given {key} twice")
                named[key] = self.expression(_COMPARISON)
            elif named:
                raise FormulaSyntaxError(f"in {name}() arguments with a name come last")
            else:
                args.append(self.expression(_COMPARISON))
            if not self.sees(")"):
                self.expect(",")
        self.take()
        return Call(name, tuple(args), tuple(named.items()))


def _unquoted(text: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a backslash that escapes nothing
        try:
            return str(ast.literal_eval(text))
        except (SyntaxError, ValueError) as error:
            raise FormulaSyntaxError(f"{text!r} can't be read as a text") from error


def write(node: Node, outer: int = 0) -> str:
    """Write a tree as text, which names a term; a column's name stands as it is.

    Parameters
    ----------
    outer
        The strength of the operator around it.
    """
    if isinstance(node, Name):
        return node.text
    if isinstance(node, Literal):
        return repr(node.value)
    if isinstance(node, Listed):
        return f"[{', '.join(write(item) for item in node.items)}]"
    if isinstance(node, Indexed):
        return f"{node.name}[{node.level!r}]"
    if isinstance(node, Call):
        given = [*(write(arg) for arg in node.args), *(f"{key}={write(value)}" for key, value in node.named)]
        return f"{node.name}({', '.join(given)})"
    if isinstance(node, Signed):
        text, level = node.operator + write(node.right, _SIGN), _SIGN
    else:
        level = _LEVELS[node.operator]
        tight = node.operator == "**"
        sign = ":" if node.operator == ":" else f" {node.operator} "
        text = write(node.left, level + tight) + sign + write(node.right, level + (not tight))
    return f"({text})" if level < outer else text


def below(node: Node) -> Iterator[Node]:
    """A node and all nodes below it, also of a very long sum."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(parts(node))


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes that stand right below one, in the order in which they are written."""
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Signed):
        return (node.right,)
    if isinstance(node, Call):
        return node.given
    return node.items if isinstance(node, Listed) else ()


def quoted(name: str) -> str:
    """A column's name as a formula takes it."""
    return name if re.fullmatch(_NAME, name) and name not in _CONSTANTS else f"`{name}`"
