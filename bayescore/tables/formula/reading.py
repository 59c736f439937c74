"""A formula is read: its terms, and which of its group effects vary together.

A term is a set of factors, each a column or a call, so that ``a:b`` is ``b:a``; the intercept
is the term of no factor. The operators are those of R: ``a * b`` is ``a + b + a:b``,
``a / b`` is ``a + a:b``, ``(a + b) ** 2`` has all pairs, ``- a`` takes a term away. What can't
be meant is refused, never passed over.

The grammar is our own (`bayescore.tables.formula.syntax`), and so is the coding of categories
(`bayescore.tables.formula.coding`). The libraries that read formulas were weighed: formulae
codes interactions wrongly and could be corrected only from inside; patsy
and formulaic know no group terms, and hand calls to Python to evaluate, which would have to
be prevented. Patsy is what the tests hold the designs against.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bayescore.errors import RequestError, suggest
from bayescore.tables.formula.evaluation import CATEGORIES, CODINGS, FUNCTIONS, PROPORTIONS, called, names
from bayescore.tables.formula.syntax import (
    Binary,
    Call,
    FormulaSyntaxError,
    Indexed,
    Literal,
    Name,
    Node,
    Signed,
    below,
    parse,
    quoted,
    write,
)

_WRITTEN = "write a group term as (x | g), or as (0 + x | g) without an intercept"
_ALONE = "group terms and offsets stand by themselves, between plus signs"
_MOST_TERMS = 1000
_MOST_FACTORS = 20


@dataclass(frozen=True, eq=False)
class Term:
    """A product of factors, in the order in which they were written; equal to the same in another order."""

    factors: tuple[Node, ...] = ()

    @property
    def key(self) -> frozenset[Node]:
        return frozenset(self.factors)

    @property
    def name(self) -> str:
        return ":".join(write(factor) for factor in self.factors) or "1"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def times(self, other: "Term") -> "Term":
        return Term(tuple(dict.fromkeys((*self.factors, *other.factors))))


INTERCEPT = Term()


@dataclass(frozen=True)
class Bar:
    """Effects that vary together, by the levels of a factor: ``(x | g)``.

    Attributes
    ----------
    terms
        What varies, the intercept's term among it.
    factor
        What it varies with: ``g``, or ``g:h``.
    """

    terms: tuple[Term, ...]
    factor: Term

    @property
    def effects(self) -> tuple[str, ...]:
        """Its terms' names, as ``x|g``."""
        return tuple(f"{term.name}|{self.factor.name}" for term in self.terms)


@dataclass(frozen=True)
class Formula:
    """A formula's terms, not yet computed.

    Attributes
    ----------
    response
        The left side: a column, a call, a level or arithmetic.
    common
        Terms of the design matrix in order of their degree, the intercept's among them.
    offsets
        Calls of ``offset``.
    """

    text: str
    response: Node
    common: tuple[Term, ...]
    offsets: tuple[Node, ...]
    bars: tuple[Bar, ...]

    @property
    def intercept(self) -> bool:
        return INTERCEPT in self.common

    @property
    def predictors(self) -> tuple[Node, ...]:
        """Factors of the terms of the design matrix and of the group effects; not what these vary with."""
        terms = (*self.common, *(term for bar in self.bars for term in bar.terms))
        return tuple(factor for term in terms for factor in term.factors)

    @property
    def factors(self) -> tuple[Node, ...]:
        """What the group effects vary with."""
        return tuple(factor for bar in self.bars for factor in bar.factor.factors)

    @property
    def right(self) -> tuple[str, ...]:
        """Columns that the right side uses."""
        return _columns((*self.predictors, *self.factors, *self.offsets))

    @property
    def left(self) -> tuple[str, ...]:
        """Columns that the response uses."""
        return (self.response.name,) if isinstance(self.response, Indexed) else names(self.response)

    @property
    def boxed(self) -> tuple[str, ...]:
        """Columns of the right side that C, S or T make categories of; not those that they compute with."""
        return _columns(_plain(part for part in self.predictors if called(part) in CATEGORIES))

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of the right side that are categories whatever they hold."""
        return (*self.boxed, *_columns(_plain(self.factors)))


def _plain(parts: Iterable[Node]) -> Iterator[Node]:
    """Parts that are a column, or C, S or T of one."""
    for part in parts:
        inner = part.args[0] if isinstance(part, Call) and part.name in CATEGORIES and part.args else part
        if isinstance(inner, Name):
            yield part


def _columns(parts: Iterable[Node]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in names(part)))


def read(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    RequestError
        It can't be read, calls an unknown function, or says what can't be meant.
    """
    try:
        return _read(text)
    except FormulaSyntaxError as error:
        raise RequestError(f"can't read the formula {text!r}: {error}") from error
    except RecursionError as error:
        raise RequestError("can't read the formula: it is nested too deeply") from error


def _read(text: str) -> Formula:
    left, right = parse(text)
    for side in (left, right):
        _check_calls(side)
    _check_response(left)
    _check_predictors(right)
    common, offsets, bars = [], [], []
    for sign, part in _summands(right):
        inside = [node for node in below(part) if _is_bar(node) or called(node) == "offset"]
        alone = sign == "+" and bool(inside) and inside[0] is part
        if len(inside) > alone:
            raise FormulaSyntaxError(_ALONE)
        if not alone:
            common.append((sign, part))
        elif isinstance(part, Binary):
            bars += _bars(part)
        else:
            offsets.append(part)
    terms = _in_order(_added(common, [INTERCEPT]))
    for name, times in Counter(effect for bar in bars for effect in bar.effects).items():
        if times > 1:
            raise FormulaSyntaxError(f"{name} is in {times} group terms, and can be in one only")
    if not terms and not bars:
        raise FormulaSyntaxError("it has neither intercept nor columns: there is nothing to fit")
    formula = Formula(text, left, terms, tuple(offsets), tuple(bars))
    for part in (*formula.predictors, *formula.factors):
        if not names(part):
            raise FormulaSyntaxError(f"{write(part)} uses no column")
    return formula


def _is_bar(node: Node) -> bool:
    return isinstance(node, Binary) and node.operator in {"|", "||"}


def _is_number(node: Node, *values: int) -> bool:
    return isinstance(node, Literal) and type(node.value) is int and node.value in values


def _check_calls(side: Node) -> None:
    """Refuse unknown functions, and what a function can't be given."""
    for node in below(side):
        if not isinstance(node, Call):
            continue
        if node.name in {"binary", "B"}:  # it would take its success from whatever rows it sees
            raise FormulaSyntaxError(f"{node.name}() is not offered: write I(x == 'level')")
        if node.name not in FUNCTIONS:
            known = f"(functions: {', '.join(FUNCTIONS)})"
            raise FormulaSyntaxError(f"unknown function {node.name!r}{suggest(node.name, FUNCTIONS)} {known}")


def _check_response(left: Node) -> None:
    for node in below(left):
        if node is not left and (isinstance(node, Indexed) or called(node) in PROPORTIONS):
            raise FormulaSyntaxError("in the response y['level'] and proportion(y, n) stand by themselves")
        if called(node) == "offset":
            raise FormulaSyntaxError("an offset belongs on the right side")
        if isinstance(node, Binary) and node.operator == ":":
            raise FormulaSyntaxError("':' has no meaning in a response")
    if not isinstance(left, Indexed) and not names(left):
        raise FormulaSyntaxError(f"the response {write(left)} uses no column")


def _check_predictors(right: Node) -> None:
    for node in below(right):
        if isinstance(node, Indexed):
            written = f"I({quoted(node.name)} == {node.level!r})"
            raise FormulaSyntaxError(f"a level in brackets is for a response; write {written}")
        if called(node) in PROPORTIONS:
            raise FormulaSyntaxError(f"{called(node)}() is for a response")


def _summands(node: Node) -> Iterator[tuple[str, Node]]:
    """What a sum adds and takes away, also in parentheses after a plus sign."""
    waiting = [("+", node)]
    while waiting:
        sign, part = waiting.pop()
        if sign == "+" and isinstance(part, Binary) and part.operator in {"+", "-"}:
            waiting += [(part.operator, part.right), ("+", part.left)]
        elif isinstance(part, Signed):
            waiting.append((_sign(sign, part.operator), part.right))
        else:
            yield sign, part


def _sign(a: str, b: str) -> str:
    return "+" if a == b else "-"


def _added(summands: Iterable[tuple[str, Node]], start: Iterable[Term]) -> list[Term]:
    """The terms of a sum that begins with some; 0 takes the intercept away."""
    found = dict.fromkeys(start)
    for sign, part in summands:
        if _is_number(part, 0):
            terms, add = [INTERCEPT], sign == "-"
        else:
            terms, add = _expanded(part), sign == "+"
        for term in terms:
            if add:
                found.setdefault(term)
            elif term.key.issubset(factor for one in found for factor in one.factors):
                found.pop(term, None)
            else:
                raise FormulaSyntaxError(f"{term.name!r} can't be taken away: it is not there")
    return list(found)


def _expanded(node: Node) -> list[Term]:
    """The terms that a part of a formula stands for."""
    if isinstance(node, Name) or (isinstance(node, Call) and node.name not in CODINGS):
        return [Term((node,))]
    if isinstance(node, Call):
        raise FormulaSyntaxError(f"{node.name}() is a coding: write C(g, {write(node)})")
    if isinstance(node, Literal):
        return _number(node)
    if isinstance(node, Signed) or (isinstance(node, Binary) and node.operator in {"+", "-"}):
        summands = list(_summands(node))
        if any(_is_number(part, 0) for _, part in summands):
            raise FormulaSyntaxError("0 and -1 stand by themselves, between plus signs")
        return _added(summands, [])
    if isinstance(node, Binary) and node.operator in {":", "*", "/"}:
        left, right = _expanded(node.left), _expanded(node.right)
        if node.operator == "/":
            whole = Term(tuple(dict.fromkeys(factor for term in left for factor in term.factors)))
            return _unique([*left, *_products([whole], right)])
        products = _products(left, right)
        return products if node.operator == ":" else _unique([*left, *right, *products])
    if isinstance(node, Binary) and node.operator == "**":
        return _power(node)
    raise FormulaSyntaxError(f"{write(node)} is no term; write I({write(node)}) to compute with it")


def _number(node: Literal) -> list[Term]:
    if _is_number(node, 1):
        return [INTERCEPT]
    if isinstance(node.value, bool) or node.value is None:
        raise FormulaSyntaxError(f"{node.value} is no term; a column of this name is written `{node.value}`")
    if isinstance(node.value, str):
        raise FormulaSyntaxError(f"the text {node.value!r} is no term; a column's name has no quotes but backticks")
    if _is_number(node, 0):
        raise FormulaSyntaxError("0 and -1 stand by themselves, between plus signs")
    raise FormulaSyntaxError(f"the number {node.value} is no term; 0, 1, I(2 * x) and offset(2) are")


def _power(node: Binary) -> list[Term]:
    """All products of so many of a sum's terms."""
    base = node.left
    if not isinstance(base, Binary) or base.operator == ":":
        raise FormulaSyntaxError("a power is written I(x ** 2)")
    power = node.right.value if isinstance(node.right, Literal) else None
    if type(power) is not int or power < 1:
        raise FormulaSyntaxError(f"{write(node.right)} is no power of terms: write a whole number from 1 on")
    terms = _expanded(base)
    found = terms
    for _ in range(min(power, len(terms)) - 1):
        found = _unique([*found, *_products(found, terms)])
    return found


def _products(left: list[Term], right: list[Term]) -> list[Term]:
    found = _unique(a.times(b) for a in left for b in right) if len(left) * len(right) < _MOST_TERMS**2 else []
    if not 0 < len(found) <= _MOST_TERMS:
        raise FormulaSyntaxError(f"its products make more than {_MOST_TERMS} terms")
    if any(len(term.factors) > _MOST_FACTORS for term in found):
        raise FormulaSyntaxError(f"it has a term of more than {_MOST_FACTORS} factors")
    return found


def _unique(terms: Iterable[Term]) -> list[Term]:
    return list(dict.fromkeys(terms))


def _in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms in the order of their degree, as R has them."""
    return tuple(sorted(terms, key=lambda term: len(term.factors)))


def _bars(bar: Binary) -> list[Bar]:
    """The groupings of one group term: one for each of its factors, and for ``||`` one for each of its terms."""
    summands = list(_summands(bar.left))
    if sum(_is_number(part, 0, 1) for _, part in summands) > 1:
        raise FormulaSyntaxError(_WRITTEN)
    terms = _in_order(_added(summands, [INTERCEPT]))
    factors = _added(_summands(bar.right), [])
    if not terms or not factors or INTERCEPT in factors:
        raise FormulaSyntaxError(_WRITTEN)
    apart = [(term,) for term in terms] if bar.operator == "||" else [terms]
    return [Bar(together, factor) for factor in factors for together in apart]
