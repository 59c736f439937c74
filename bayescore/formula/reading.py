"""A formula is read: its terms, and which of its group effects vary together.

formulae's scanner and parser do the reading. Their tree is looked at before it is resolved,
for two reasons. ``(x | g)`` and ``(1 | g) + (0 + x | g)`` resolve to the same terms. And some
of what can't be meant is passed over in silence: ``x z``, ``x ** 2``, ``x | g``, ``z:(x | g)``.
"""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from formulae import expr
from formulae.parser import Parser
from formulae.scanner import Scanner
from formulae.terms import Intercept, Response
from formulae.terms.terms import Model

from bayescore.errors import RequestError, suggest
from bayescore.formula.evaluation import (
    CATEGORIES,
    FUNCTIONS,
    PROPORTIONS,
    called,
    components,
    first_line,
    names,
)
from bayescore.formula.resolving import resolve

_WRITTEN = "write a group term as (x | g), or as (0 + x | g) without an intercept"


@dataclass(frozen=True)
class Formula:
    """A formula's terms, as formulae represents them, not yet evaluated.

    Attributes
    ----------
    response
        A column or a call.
    common
        Terms of the design matrix, the intercept's among them.
    offsets
        Calls of ``offset``.
    bars
        The terms of each group term, ``(... | ...)``, together.
    """

    text: str
    response: Any
    common: tuple[Any, ...]
    offsets: tuple[Any, ...]
    bars: tuple[tuple[Any, ...], ...]

    @property
    def intercept(self) -> bool:
        return any(isinstance(term, Intercept) for term in self.common)

    @property
    def effects(self) -> tuple[Any, ...]:
        """All terms of all group terms."""
        return tuple(term for bar in self.bars for term in bar)

    @property
    def predictors(self) -> tuple[Any, ...]:
        """Components of the design matrix and of the group effects; not of the factors."""
        terms = (*self.common, *(term.expr for term in self.effects))
        return tuple(component for term in terms for component in components(term))

    @property
    def factors(self) -> tuple[Any, ...]:
        """Components of the factors of the group terms."""
        return tuple(component for term in self.effects for component in components(term.factor))

    @property
    def right(self) -> tuple[str, ...]:
        """Columns that the right side uses."""
        return _columns((*self.predictors, *self.factors, *self.offsets))

    @property
    def left(self) -> tuple[str, ...]:
        """Columns that the response uses."""
        return _columns((self.response,))

    @property
    def boxed(self) -> tuple[str, ...]:
        """Columns of the right side that C, S or T make categories of."""
        return _columns(tuple(part for part in self.predictors if called(part) in CATEGORIES))

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of the right side that are categories whatever they hold."""
        return (*self.boxed, *_columns(self.factors))


def _columns(parts: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in names(part)))


def read(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    RequestError
        It can't be read, calls an unknown function, or says what can't be meant.
    """
    tree = _parse(text)
    _check_functions(tree, text)
    _check_response(tree.left, text)
    summands = list(_summands(tree.right, text))
    _check_summands(tree.right, summands, text)
    bars = tuple(_bar(summand, text) for summand in summands if _is_bar(summand))
    try:
        response = Response(resolve(tree.left)).term.components[0]
        right = resolve(tree.right)
    except Exception as error:
        raise _unreadable(text, first_line(error)) from error
    # terms may share a component, whose coding then is that of the last term evaluated
    terms = [deepcopy(term) for term in (right if isinstance(right, Model) else Model(right)).common_terms]
    offsets = tuple(components(term)[0] for term in terms if _is_offset(term))
    formula = Formula(text, response, tuple(term for term in terms if not _is_offset(term)), offsets, bars)
    _check_terms(formula)
    return formula


def _unreadable(text: str, why: str) -> RequestError:
    return RequestError(f"can't read the formula {text!r}: {why}")


def _parse(text: str) -> Any:
    try:
        tokens = Scanner(text).scan()
    except Exception as error:
        raise _unreadable(text, first_line(error)) from error
    if not any(token.kind == "TILDE" for token in tokens):
        raise RequestError(f"the formula {text!r} has no response: write 'y ~ ...'")
    if any(token.kind == after.kind == "PIPE" for token, after in pairwise(tokens)):
        raise _unreadable(text, "write (x || g) as (1 | g) + (0 + x | g)")
    parser = Parser(tokens)
    try:
        tree = parser.parse()
    except Exception as error:
        raise _unreadable(text, first_line(error)) from error
    if not parser.at_end():
        raise _unreadable(text, f"{parser.peek().lexeme!r} is out of place; group terms are written in parentheses")
    if not isinstance(tree, expr.Binary) or tree.operator.kind != "TILDE":
        raise _unreadable(text, "write 'y ~ ...', without parentheses around it")
    return tree


def _walk(node: Any, *, into_calls: bool = True) -> Iterator[Any]:
    """A node of the tree and all below it."""
    yield node
    below: list[Any] = []
    if isinstance(node, expr.Grouping):
        below = [node.expression]
    elif isinstance(node, expr.Binary):
        below = [node.left, node.right]
    elif isinstance(node, expr.Unary):
        below = [node.right]
    elif isinstance(node, expr.Assign):
        below = [node.value]
    elif isinstance(node, expr.Call) and into_calls:
        below = node.args
    for part in below:
        yield from _walk(part, into_calls=into_calls)


def _name(node: Any) -> str | None:
    """The function that a node calls."""
    named = isinstance(node, expr.Call) and isinstance(node.callee, expr.Variable)
    return str(node.callee.name.lexeme) if named else None


def _is_bar(node: Any) -> bool:
    return isinstance(node, expr.Grouping) and (_is_bar(node.expression) or _is_pipe(node.expression))


def _is_pipe(node: Any) -> bool:
    return isinstance(node, expr.Binary) and node.operator.kind == "PIPE"


def _is_offset(term: Any) -> bool:
    return any(called(component) == "offset" for component in components(term))


def _check_functions(tree: Any, text: str) -> None:
    for node in _walk(tree):
        name = _name(node)
        if isinstance(node, expr.Call) and name is None:
            raise _unreadable(text, "only a function's name can be called")
        if name in {"binary", "B"}:  # it would take its success from whatever rows it sees
            raise RequestError(f"{name}() in {text!r} is not offered: write I(x == 'level')")
        if name is not None and name not in FUNCTIONS:
            raise RequestError(
                f"unknown function {name!r} in the formula {text!r}"
                f"{suggest(name, FUNCTIONS)} (functions: {', '.join(FUNCTIONS)})"
            )


def _check_response(left: Any, text: str) -> None:
    for node in _walk(left):
        if node is not left and (getattr(node, "level", None) is not None or _name(node) in PROPORTIONS):
            raise _unreadable(text, "in the response y['level'] and proportion(y, n) stand by themselves")
        if _name(node) == "offset":
            raise _unreadable(text, "an offset belongs on the right side")


def _summands(node: Any, text: str) -> Iterator[Any]:
    """What the right side adds up."""
    if isinstance(node, expr.Grouping) and not _is_bar(node):
        yield from _summands(node.expression, text)
    elif isinstance(node, expr.Binary) and node.operator.kind == "PLUS":
        yield from _summands(node.left, text)
        yield from _summands(node.right, text)
    elif isinstance(node, expr.Binary) and node.operator.kind == "MINUS":
        yield from _summands(node.left, text)
        yield expr.Unary(node.operator, node.right)
    else:
        yield node


def _check_summands(right: Any, summands: list[Any], text: str) -> None:
    for node in _walk(right):
        if getattr(node, "level", None) is not None:
            raise _unreadable(text, f"a level in brackets is for a response; write I({node.name.lexeme} == 'level')")
        if _name(node) in PROPORTIONS:
            raise _unreadable(text, f"{_name(node)}() is for a response")
    for node in _walk(right, into_calls=False):
        power = isinstance(node, expr.Binary) and node.operator.kind == "STAR_STAR"
        base = _unwrapped(node.left) if power else None
        if power and not (isinstance(base, expr.Binary) and base.operator.kind != "COLON"):
            raise _unreadable(text, "a power is written I(x ** 2)")
    for summand in summands:
        alone = _is_bar(summand) or _name(summand) == "offset"
        inside = [node for node in _walk(summand) if _is_pipe(node) or _name(node) == "offset"]
        if len(inside) > alone:
            raise _unreadable(text, "group terms and offsets stand by themselves, between plus signs")


def _unwrapped(node: Any) -> Any:
    while isinstance(node, expr.Grouping):
        node = node.expression
    return node


def _bar(node: Any, text: str) -> tuple[Any, ...]:
    """The terms of one group term."""
    bar = _unwrapped(node)
    inside = list(_walk(bar.left, into_calls=False))
    # formulae puts an intercept back where one is taken away after it was given
    takes = any(isinstance(part, expr.Binary) and part.operator.kind == "MINUS" for part in inside)
    if takes or sum(isinstance(part, expr.Literal) for part in inside) > 1:
        raise _unreadable(text, _WRITTEN)
    try:
        resolved = resolve(bar)
        terms = resolved.group_terms if isinstance(resolved, Model) else [resolved]
        return tuple({term.name: deepcopy(term) for term in terms}.values())
    except Exception as error:
        raise _unreadable(text, f"{first_line(error)}; {_WRITTEN}") from error


def _check_terms(formula: Formula) -> None:
    text = formula.text
    for term in formula.effects:
        if not components(term.factor):
            raise _unreadable(text, _WRITTEN)
    for component in (formula.response, *formula.predictors, *formula.factors):
        if not isinstance(component.name, str):
            raise _unreadable(text, f"the number {component.name} is no term; 0, 1, I(2 * x) and offset(2) are")
    if any(term.name == "Intercept" and not isinstance(term, Intercept) for term in formula.common):
        raise RequestError(f"a column named 'Intercept' can't be used in {text!r}: rename it")
    for name, times in Counter(term.name for term in formula.effects).items():
        if times > 1:
            raise _unreadable(text, f"{name} is in {times} group terms, and can be in one only")
    if not formula.common and not formula.bars:
        raise RequestError(f"the formula {text!r} has neither intercept nor columns: there is nothing to fit")
