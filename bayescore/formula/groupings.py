"""Group effects: which level each row belongs to, and what its offsets are multiplied by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulae.terms import Intercept

from bayescore.data import Membership
from bayescore.errors import DataError
from bayescore.formula.evaluation import ENVIRONMENT, check_finite, components, labels, matrix, raw
from bayescore.formula.levels import level_names, levels, listed, positions
from bayescore.formula.reading import Formula
from bayescore.groups import Grouping


@dataclass(frozen=True)
class Group:
    """A grouping, and how its memberships are computed.

    formulae's own matrix of a group term has a column for every level of ``g:h``, also
    for those that no row has, and none for a level that is new: it is not used.

    Attributes
    ----------
    parts
        Components of the factor: two for ``g:h``.
    effects
        Evaluated terms of what varies.
    """

    grouping: Grouping
    parts: tuple[Any, ...]
    effects: tuple[Any, ...]

    def memberships(self, table: pd.DataFrame, rows: "np.ndarray") -> dict[str, Membership]:
        """Memberships of a table's rows by effect, as ``x|g``."""
        index = positions(self.grouping.levels, _joined(self.parts, table))
        values = matrix(self.effects, table)
        check_finite(values, self.grouping.keys, rows)
        return {
            key: Membership(index, np.ascontiguousarray(column))
            for key, column in zip(self.grouping.keys, values.T, strict=True)
        }

    def new_levels(self, table: pd.DataFrame) -> tuple[str, ...]:
        """Levels of a table's rows that were not there when the formula was applied."""
        names = _joined(self.parts, table)
        return tuple(dict.fromkeys(names[positions(self.grouping.levels, names) < 0]))


def evaluate(formula: Formula, table: pd.DataFrame) -> tuple[Group, ...]:
    """Evaluate the group terms: a grouping for each factor of each one.

    Raises
    ------
    DataError
        Two levels of a factor have one name.
    """
    with_intercept = {term.factor.name for term in formula.effects if isinstance(term.expr, Intercept)}
    found: dict[str, tuple[str, ...]] = {}
    groups = []
    for bar in formula.bars:
        for factor in {term.factor.name: term.factor for term in bar}.values():
            if factor.name not in found:
                found[factor.name] = _levels(factor.name, components(factor), table)
            effects = tuple(term.expr for term in bar if term.factor.name == factor.name)
            for effect in effects:
                effect.set_type(table, ENVIRONMENT)
                # formulae's rule for categories: all levels, or all but one beside an intercept
                effect.set_data(factor.name not in with_intercept)
            names = tuple("1" if name == "Intercept" else name for name in labels(effects))
            groups.append(Group(Grouping(factor.name, names, found[factor.name]), components(factor), effects))
    return tuple(groups)


def _joined(parts: Sequence[Any], table: pd.DataFrame) -> "np.ndarray":
    """Name the level of every row, those of ``g:h`` as ``a:b``."""
    names = [level_names(raw(part, table)) for part in parts]
    if len(names) == 1:
        return names[0]
    return np.array([":".join(row) for row in zip(*names, strict=True)], dtype=object)


def _levels(name: str, parts: Sequence[Any], table: pd.DataFrame) -> tuple[str, ...]:
    """Name the levels that occur, in order of their parts'."""
    orders = [levels(raw(part, table)) for part in parts]
    places = [positions(order, raw(part, table)) for order, part in zip(orders, parts, strict=True)]
    occurring = np.unique(np.column_stack(places), axis=0)
    names = [":".join(order[i] for order, i in zip(orders, row, strict=True)) for row in occurring]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1] if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"two levels of {name} are both named {twice[0]!r}: rename one")
    return tuple(names)


def new_level_notes(groups: Sequence[Group], table: pd.DataFrame) -> tuple[str, ...]:
    """Say which new levels are predicted from the population, a sentence a factor."""
    new: Mapping[str, tuple[str, ...]] = {g.grouping.factor: g.new_levels(table) for g in groups}
    return tuple(
        f"{factor}: new level(s) {listed(names)} predicted from the population"
        for factor, names in new.items()
        if names
    )
