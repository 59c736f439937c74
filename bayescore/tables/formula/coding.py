"""How categories are coded: which contrasts a term takes, so that nothing is lost and nothing is there twice.

A category with all its indicators spans its own effects and what they average to; with one
column less it spans the effects alone. A product of categories so is a sum of effects, one
for each subset of them, and terms before it may have some already. What a term adds is
coded in as few blocks as are found, each category in it by all or by all but one of its
levels (Chambers and Hastie, Statistical Models in S, 1992, section 2.4.1; patsy does the same).
Terms with different numbers in them don't share effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.tables.formula.reading import Term
from bayescore.tables.formula.syntax import Node, write


@dataclass(frozen=True)
class Block:
    """Columns that are products of a term's factors.

    Attributes
    ----------
    factors
        Numbers, and the categories that take part.
    full
        The categories that are coded by all of their levels.
    """

    factors: tuple[Node, ...]
    full: frozenset[Node]


@dataclass(frozen=True)
class Category:
    """The coding of a category.

    Attributes
    ----------
    levels
        Their names, in order.
    apart
        The position of the level without a column, where an average of the levels is there already.
    centred
        Whether that level is -1 in the other columns, so that each sums to 0 over the levels; 0 otherwise.
    """

    levels: tuple[str, ...]
    apart: int
    centred: bool

    @property
    def reference(self) -> str | None:
        """The level that the others are held against, if there is one."""
        return None if self.centred else self.levels[self.apart]

    def columns(self, positions: "np.ndarray", *, full: bool) -> Array:
        """Columns for rows of these levels, shape (row, column)."""
        own = np.arange(len(self.levels))
        found = np.asarray(positions[:, None] == (own if full else own[own != self.apart]), dtype=np.float64)
        if self.centred and not full:
            found[positions == self.apart] = -1.0
        return found

    def labels(self, *, full: bool) -> tuple[str, ...]:
        """Names of the columns' levels."""
        return self.levels if full else (*self.levels[: self.apart], *self.levels[self.apart + 1 :])


def treatment(levels: tuple[str, ...], reference: str | None = None) -> Category:
    """Each level against a reference, the first one if none is stated."""
    return Category(levels, _position(levels, reference, "reference", 0), False)


def sum_to_zero(levels: tuple[str, ...], omit: str | None = None) -> Category:
    """Each level but one, the last if none is stated, against the mean of all."""
    return Category(levels, _position(levels, omit, "level to omit", len(levels) - 1), True)


def _position(levels: tuple[str, ...], stated: str | None, what: str, default: int) -> int:
    if stated is None:
        return default
    if stated not in levels:
        raise RequestError(f"{what} not in levels: {stated!r} (levels: {', '.join(levels[:10])})")
    return levels.index(stated)


def blocks(terms: Sequence[Term], categories: "frozenset[Node] | set[Node]") -> tuple[tuple[Block, ...], ...]:
    """Code terms that stand in the order of their degree.

    Returns
    -------
    Each term's blocks; none where other terms have all of its effects.
    """
    spanned: dict[frozenset[Node], list[frozenset[Node]]] = {}
    found = []
    for term in terms:
        numbers = frozenset(factor for factor in term.factors if factor not in categories)
        own = tuple(factor for factor in term.factors if factor in categories)
        before = spanned.setdefault(numbers, [])
        parts = _split(frozenset(), own, _largest({effects.intersection(own) for effects in before}))
        before.append(frozenset(own))
        found.append(
            tuple(
                Block(tuple(f for f in term.factors if f in numbers or f in effects or f in full), full)
                for effects, full in parts
            )
        )
    return tuple(found)


def _largest(sets: set[frozenset[Node]]) -> list[frozenset[Node]]:
    """The sets that are part of no other one."""
    found: list[frozenset[Node]] = []
    for one in sorted(sets, key=len, reverse=True):
        if not any(one <= larger for larger in found):
            found.append(one)
    return found


def _split(
    fixed: frozenset[Node], free: tuple[Node, ...], before: Sequence[frozenset[Node]]
) -> list[tuple[frozenset[Node], frozenset[Node]]]:
    """Cut the effects that are not there before into boxes.

    Effects are the sets between ``fixed`` and ``fixed`` with all of ``free``. Before are all
    subsets of some sets, so that a box is new if its smallest effect is, and old if its
    largest one is.
    """

    def old(effect: frozenset[Node]) -> bool:
        return any(effect <= largest for largest in before)

    if old(fixed.union(free)):
        return []
    if not old(fixed):
        return [(fixed, frozenset(free))]
    # the cut that leaves the fewest boxes: best one without which all is old, else one that few
    # have; then by name, since the order in which factors are written means nothing
    lost = [one for one in free if old(fixed.union(free) - {one})]
    cut = min(lost or free, key=lambda one: (sum(one in largest for largest in before), write(one)))
    rest = tuple(one for one in free if one != cut)
    return [*_split(fixed, rest, before), *_split(fixed | {cut}, rest, before)]
