"""formulae's resolver, which turns a formula's tree into terms, with calls that can be compared.

Terms are compared wherever they are added up. formulae's calls fail at it where an argument is
a call in one and a column in the other, as in ``scale(log(x)) + scale(z)``, and its numbers
have no hash, which ``(x + I(z / 2)) * (g + h)`` takes.
"""

from typing import Any

from formulae.resolver import Resolver
from formulae.terms import Call, Term
from formulae.terms.call_resolver import CallResolver, LazyCall, LazyValue


class _LazyCall(LazyCall):  # type: ignore[misc]
    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyCall) and bool(super().__eq__(other))

    def __hash__(self) -> int:
        return hash((self.callee, *self.args, *self.kwargs))


class _LazyValue(LazyValue):  # type: ignore[misc]
    def __hash__(self) -> int:
        return hash((self.value, self.lexeme))


class _Calls(CallResolver):  # type: ignore[misc]
    def visitCallExpr(self, expr: Any) -> LazyCall:  # noqa: N802
        call = super().visitCallExpr(expr)
        return _LazyCall(call.callee, call.args, call.kwargs)

    def visitLiteralExpr(self, expr: Any) -> LazyValue:  # noqa: N802
        return _LazyValue(expr.value, expr.lexeme)


class _Terms(Resolver):  # type: ignore[misc]
    def visitCallExpr(self, expr: Any) -> Term:  # noqa: N802
        return Term(Call(_Calls(expr).resolve()))


def resolve(tree: Any) -> Any:
    """Give the terms of a tree: one, or a model of several."""
    return _Terms(tree).resolve()
