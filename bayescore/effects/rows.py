"""The rows that are predicted: those of the data, or a typical one, with columns set to given values."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from bayescore.effects.table import Table
from bayescore.effects.view import By, Conditional, Groups, View
from bayescore.errors import RequestError
from bayescore.model.arrays import Array, Indices
from bayescore.printable import shown
from bayescore.system import memory


@dataclass(frozen=True)
class Rows:
    """Every row of ``base`` with every combination of ``grid``'s values, in cells that are averaged over.

    Attributes
    ----------
    base
        The rows of the data, or a typical one.
    grid
        The values that columns are set to, a row a combination.
    weights
        How much each row of ``base`` counts in an average.
    of_base, of_grid
        The part of the cell that each row of ``base`` and of ``grid`` belongs to.
    cells
        What the cells are: a row each, those of one part of ``of_grid`` beside each other.
    own
        The factors whose group effects count.
    notes
        What was held at which value, averaged over what, in sentences.
    """

    base: pd.DataFrame
    grid: pd.DataFrame
    weights: Array
    of_base: Indices
    of_grid: Indices
    cells: pd.DataFrame
    own: frozenset[str]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.base) * len(self.grid)

    def block(self, start: int, stop: int) -> tuple[pd.DataFrame, Indices, Array]:
        """Some rows, with their cells and their weights."""
        at = np.arange(start, min(stop, self.count))
        of_grid, of_base = np.divmod(at, len(self.base))
        frame = self.base.iloc[of_base].reset_index(drop=True)
        for name in self.grid.columns:
            frame[name] = self.grid[name].to_numpy()[of_grid]
        parts = int(self.of_base.max()) + 1
        return frame, self.of_grid[of_grid] * parts + self.of_base[of_base], self.weights[of_base]


def rows(table: Table, conditional: Conditional, view: View, *, changing: str | None = None) -> Rows:
    """State the rows of a request; ``changing`` is the column that is the same in all, set by who asks.

    Raises
    ------
    RequestError, DataError
        A column or a value is unknown, or there are too many rows.
    """
    grid = _grid(table, conditional)
    observed = view.others == "observed" or (view.others is None and conditional is None)
    base, said = (table.frame, {}) if observed else table.typical()
    every = view.average_by is False or (view.average_by is None and not observed)
    by = () if every else _by(table, view.average_by, grid, observed=observed)
    weights = table.weights if view.weighted and observed and not every else np.ones(len(base))
    if np.any(weights == 0):
        base, weights = base[weights > 0], weights[weights > 0]
    if every:
        told = [name for name in base.columns if name not in grid.columns and name != changing] if observed else []
        of_grid, grid_cells = np.arange(len(grid)), grid
        of_base, base_cells = np.arange(len(base)), base[told].reset_index(drop=True)
    else:
        of_grid, grid_cells = table.codes(grid, [name for name in by if name in grid])
        of_base, base_cells = table.codes(base, [name for name in by if name not in grid])
    cells = _pairs(grid_cells, base_cells)
    own, of_groups = _own(table, set(grid.columns) | set(by), view.groups, observed=observed)
    notes = _held(table, said, set(grid.columns) | {changing}, own)
    if observed:
        notes.append(f"{'for each of' if every else 'averaged over'} the data's {len(base)} rows")
    if np.any(weights != weights[0]):
        notes.append("a row counts as often as its weight and its trials say (weighted=False: once)")
    return Rows(base, grid, weights, of_base, of_grid, cells if every else cells[list(by)], own, (*notes, *of_groups))


def _pairs(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Every row of one beside every row of the other."""
    repeated = first.loc[np.repeat(first.index, len(second))].reset_index(drop=True)
    tiled = second.loc[np.tile(second.index, len(first))].reset_index(drop=True)
    return pd.concat([repeated, tiled], axis=1)


def _grid(table: Table, conditional: Conditional) -> pd.DataFrame:
    """All combinations of the given values."""
    if conditional is None:
        return pd.DataFrame(index=range(1))
    if isinstance(conditional, str):
        conditional = [conditional]
    if not isinstance(conditional, Mapping | list | tuple):
        raise RequestError(
            f"conditional is a column's name, a list of names, or values as {{'x': [1, 2]}}, not {shown(conditional)}"
        )
    given = conditional if isinstance(conditional, Mapping) else dict.fromkeys(conditional)
    values: dict[str, list[Any]] = {}
    for name, of in given.items():
        column = table.column(name, "there are no values")
        values[name] = table.across(column, first=not values) if of is None else table.values(column, of)
    count = prod(map(len, values.values()))
    memory.check("the rows of all combinations of these values", len(values) * count, "give fewer of them")
    frame, inner = pd.DataFrame(index=range(count)), count
    for name, of in values.items():
        inner //= len(of)
        each = pd.Series(of, dtype=np.float64 if table.inputs[name].levels is None else object)
        frame[name] = each.iloc[np.arange(count) // inner % len(of)].to_numpy()
    return frame


def _by(table: Table, average_by: By, grid: pd.DataFrame, *, observed: bool) -> tuple[str, ...]:
    """The columns whose combinations are averaged over; by default those that are set."""
    if average_by is None:
        return tuple(grid.columns)
    if average_by is True:
        return ()
    names = [average_by] if isinstance(average_by, str) else average_by
    if not isinstance(names, list | tuple) or not names:
        raise RequestError(f"average_by is True, False, a column or several, not {shown(average_by)}")
    for name in names:
        table.column(name, "there is no average by the values")
        if not observed and name not in grid:
            raise RequestError(
                f"there is no average by the values of {name!r}: all rows have a typical one; name it in conditional, "
                "or others='observed'"
            )
    return tuple(dict.fromkeys(names))


def _own(table: Table, named: set[str], groups: Groups | None, *, observed: bool) -> tuple[frozenset[str], list[str]]:
    """The factors whose group effects count, and a sentence that says so."""
    every = table.factors
    if not every:
        return frozenset(), []
    known = frozenset(factor for factor in every if observed or table.of_factor(factor) <= named)
    if groups == "own" and len(known) < len(every):
        wanting = next(factor for factor in every if factor not in known)
        raise RequestError(
            f"groups='own' needs a level of {wanting!r}: name it in conditional, or take the rows of the data by "
            "others='observed'"
        )
    own = frozenset() if groups == "population" else known
    parts = [f"of each row's own {factor}" for factor in every if factor in own]
    rest = [factor for factor in every if factor not in own]
    parts += [f"of {', '.join(rest)} at 0, the population's"] if rest else []
    return own, [f"group effects {', '.join(parts)}"]


def _held(table: Table, said: Mapping[str, str], named: set[Any], own: frozenset[str]) -> list[str]:
    held = [
        words
        for name, words in said.items()
        if name not in named and not (table.inputs[name].only_groups and own.isdisjoint(table.inputs[name].factors))
    ]
    return [f"held at {', '.join(held)}"] if held else []
