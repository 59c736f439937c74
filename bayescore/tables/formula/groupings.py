"""Group effects: which level each row belongs to, and what its offsets are multiplied by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.model.data import Membership
from bayescore.model.groups import Grouping
from bayescore.tables.formula.evaluation import Evaluator, check_finite
from bayescore.tables.formula.levels import level_names, levels, listed, positions
from bayescore.tables.formula.products import Factors, Products, code
from bayescore.tables.formula.reading import INTERCEPT, Formula
from bayescore.tables.formula.syntax import Node


@dataclass(frozen=True)
class Group:
    """A grouping, and how its memberships are computed.

    Attributes
    ----------
    parts
        What it varies with: two for ``g:h``.
    effects
        What varies.
    """

    grouping: Grouping
    parts: tuple[Node, ...]
    effects: Products

    def memberships(self, table: pd.DataFrame, rows: "np.ndarray") -> dict[str, Membership]:
        """Memberships of a table's rows by effect, as ``x|g``."""
        index = positions(self.grouping.levels, _joined(self.parts, self.effects.factors.evaluator, table))
        values: Array = self.effects.matrix(table)
        check_finite(values, self.grouping.keys, rows)
        return {
            key: Membership(index, np.ascontiguousarray(column))
            for key, column in zip(self.grouping.keys, values.T, strict=True)
        }

    def new_levels(self, table: pd.DataFrame) -> tuple[str, ...]:
        """Levels of a table's rows that were not there when the formula was applied."""
        found = _joined(self.parts, self.effects.factors.evaluator, table)
        return tuple(dict.fromkeys(found[positions(self.grouping.levels, found) < 0]))


def evaluate(formula: Formula, factors: Factors, table: pd.DataFrame) -> tuple[Group, ...]:
    """Compute the group terms, each coded by itself, as a design matrix of its own would be.

    Raises
    ------
    RequestError, DataError
        Two effects, or two levels of a factor, have one name.
    """
    found: dict[tuple[Node, ...], tuple[str, ...]] = {}
    groups: list[Group] = []
    for bar in formula.bars:
        name, parts = bar.factor.name, bar.factor.factors
        if parts not in found:
            found[parts] = _levels(name, parts, factors.evaluator, table)
        effects = code(bar.terms, factors, table)
        if "1" in effects.names and INTERCEPT not in bar.terms:
            raise RequestError("a column named '1' can't vary by group, where 1 is the intercept: rename it")
        groups.append(Group(Grouping(name, effects.names, found[parts]), parts, effects))
    keys = [key for group in groups for key in group.grouping.keys]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise RequestError(f"{twice} is in its group terms twice, and can be there once only")
    return tuple(groups)


def _joined(parts: Sequence[Node], evaluator: Evaluator, table: pd.DataFrame) -> "np.ndarray":
    """Name the level of every row, those of ``g:h`` as ``a:b``."""
    names = [level_names(evaluator.value(part, table)) for part in parts]
    if len(names) == 1:
        return names[0]
    return np.array([":".join(row) for row in zip(*names, strict=True)], dtype=object)


def _levels(name: str, parts: Sequence[Node], evaluator: Evaluator, table: pd.DataFrame) -> tuple[str, ...]:
    """Name the levels that occur, in order of their parts'."""
    values = [evaluator.value(part, table) for part in parts]
    if any(np.shape(of) != (len(table),) for of in values):
        raise RequestError(f"{name} is not one value a row, and has no levels")
    orders = [levels(of) for of in values]
    places = [positions(order, of) for order, of in zip(orders, values, strict=True)]
    occurring = np.unique(np.column_stack(places), axis=0)
    named = [":".join(order[i] for order, i in zip(orders, row, strict=True)) for row in occurring]
    twice = [one for one in dict.fromkeys(named) if named.count(one) > 1] if len(set(named)) < len(named) else []
    if twice:
        raise DataError(f"two levels of {name} are both named {twice[0]!r}: rename one")
    return tuple(named)


def new_level_notes(groups: Sequence[Group], table: pd.DataFrame) -> tuple[str, ...]:
    """Say which new levels are predicted from the population, a sentence a factor."""
    new: Mapping[str, tuple[str, ...]] = {g.grouping.factor: g.new_levels(table) for g in groups}
    return tuple(
        f"{factor}: new level(s) {listed(names)} predicted from the population"
        for factor, names in new.items()
        if names
    )
