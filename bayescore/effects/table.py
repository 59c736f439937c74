"""The table that predictions are asked of: its columns, and what is typical of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from bayescore.errors import DataError, RequestError, suggest
from bayescore.model.arrays import Array
from bayescore.model.data import Data, Membership
from bayescore.model.inputs import Input
from bayescore.printable import shown
from bayescore.regressions.problem import Problem
from bayescore.tables.formula.levels import level_name, level_names, listed, positions

_OFFSET = "offset"
MOST_GIVEN = 1_000_000
"""Values of one column."""
MOST_VALUES, _FEW = 50, 5
"""Values of the column to look along, and of a further one."""


@dataclass(frozen=True)
class Table:
    """The rows that a problem was stated with, and how others are made of them.

    Attributes
    ----------
    inputs
        The columns that its predictors are made of, by name.
    frame
        Their values.
    weights
        How many observations each row stands for: its weight, times its trials; shape (row,).
    """

    problem: Problem
    inputs: Mapping[str, Input]
    frame: pd.DataFrame
    weights: Array

    @classmethod
    def of(cls, problem: Problem) -> "Table":
        """The table of a problem; of one that was stated by arrays, the design matrix's columns.

        Raises
        ------
        RequestError
            It was stated by arrays with group effects.
        """
        data, design = problem.data, problem.design
        weights = np.ones(data.rows)
        for factor in (data.weights, data.trials):
            weights = weights if factor is None else weights * factor
        if design is not None:
            inputs = {one.name: one for one in design.inputs}
            return cls(problem, inputs, design.frame[list(inputs)], weights)
        if data.groups:
            raise RequestError("this problem was stated by arrays with group effects: state it by from_table")
        frame = pd.DataFrame(data.x, columns=list(data.columns))
        if data.offset is not None:
            frame[_OFFSET] = data.offset
        return cls(problem, {name: Input(name) for name in frame.columns}, frame, weights)

    def data(self, rows: pd.DataFrame, own: frozenset[str]) -> Data:
        """The design matrix of rows, nothing of their response.

        Parameters
        ----------
        own
            The factors whose group effects count; those of the others are 0, the population's.
        """
        problem = self.problem
        if problem.design is None:
            columns = problem.data.columns
            offset = rows[_OFFSET].to_numpy() if _OFFSET in rows and _OFFSET not in columns else None
            return Data(rows[list(columns)].to_numpy(dtype=np.float64), None, columns, offset=offset)
        made = problem.design.new(rows)
        groups = dict(made.groups)
        for term in problem.regression.groups:
            for key in term.grouping.keys if term.grouping.factor not in own else ():
                groups[key] = Membership(np.zeros_like(groups[key].index), np.zeros(made.rows))
        return replace(made, y=None, trials=None, weights=None, groups=groups)

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors of the group effects."""
        return tuple(dict.fromkeys(term.grouping.factor for term in self.problem.regression.groups))

    def of_factor(self, factor: str) -> set[str]:
        """The columns that a factor is made of: two for ``g:h``."""
        return {name for name, one in self.inputs.items() if factor in one.factors}

    def column(self, name: object, what: str) -> Input:
        """The column of a name.

        Raises
        ------
        RequestError
            There is none; ``what`` is what was asked of it.
        """
        if isinstance(name, str) and name in self.inputs:
            return self.inputs[name]
        raise RequestError(f"{what} of {shown(name)}: {self._other(name)} (columns: {listed(tuple(self.inputs))})")

    def _other(self, name: object) -> str:
        """What a name is that is no column of the right side."""
        if not isinstance(name, str):
            return "a column is named by a text"
        data, sites = self.problem.data, self.problem.regression.sites
        if name == data.response:
            return "it is the response, and not what it depends on"
        parameter = any(name == site.name or name in site.parameters for site in sites)
        inside = [one for one in self.inputs if f"[{one}]" in name or name.partition("[")[0].endswith(one)]
        if parameter or name in data.columns:
            kind = "a parameter" if parameter else "a column of the design matrix"
            meant = [one for one in inside if one in name] or [one for one in self.inputs if one in name]
            return f"it is {kind}, and no column of the table" + (f"; did you mean {meant[0]!r}?" if meant else "")
        return f"the formula uses no such column{suggest(name, list(self.inputs))}"

    def number(self, name: str) -> Array:
        """A numeric column's values."""
        return self.frame[name].to_numpy(dtype=np.float64)

    def values(self, column: Input, given: object) -> list[Any]:
        """Values of a column as a person gives them: one, or several in a row.

        Raises
        ------
        RequestError, DataError
            There are none; a number is none or not finite; a level was never seen.
        """
        several = not isinstance(given, str | bytes) and hasattr(given, "__iter__")
        found: list[Any] = list(islice(given, MOST_GIVEN + 1)) if several else [given]  # type: ignore[call-overload]
        if not found:
            raise RequestError(f"there are no values of {column.name!r}: give at least one")
        if len(found) > MOST_GIVEN:
            raise RequestError(f"there are more than {MOST_GIVEN} values of {column.name!r}: give fewer")
        return [self._level(column, one) if column.levels is not None else _number(column, one) for one in found]

    def _level(self, column: Input, value: object) -> Any:
        levels = column.levels or {}
        at = int(positions(list(levels), [value])[0])
        if at >= 0:
            return list(levels.values())[at]
        if column.only_groups and value is not None:  # the population predicts a level that is new
            return value
        name = level_name(value)
        hint = suggest(name, list(levels))
        raise DataError(f"column {column.name!r} has no level {name!r}{hint} (levels: {listed(tuple(levels))})")

    def across(self, column: Input, *, first: bool) -> list[Any]:
        """Values to look at where none are given: all levels; numbers evenly spread, fewer of a further column."""
        if column.levels is not None:
            return list(column.levels.values())
        numbers = self.number(column.name)
        different = np.unique(numbers)
        if len(different) <= (MOST_VALUES if first and np.all(different == np.round(different)) else _FEW):
            return list(different)
        if first:
            return list(np.linspace(different[0], different[-1], MOST_VALUES))
        return list(np.unique(np.quantile(numbers, np.linspace(0.0, 1.0, _FEW))))

    def typical(self) -> tuple[pd.DataFrame, dict[str, str]]:
        """One row of means and most common levels, and what each is in words."""
        row, said = {}, {}
        for name, column in self.inputs.items():
            if column.levels is None:
                row[name] = float(np.average(self.number(name), weights=self.weights))
                said[name] = f"{name} {row[name]:.4g} (mean)"
            else:
                codes = positions(list(column.levels), self.frame[name])
                counts = np.bincount(codes, weights=self.weights, minlength=len(column.levels))
                level = list(column.levels)[int(np.argmax(counts))]
                row[name] = column.levels[level]
                said[name] = f"{name} {level} (most common)"
        return pd.DataFrame({name: [value] for name, value in row.items()}, index=range(1)), said

    def codes(self, rows: pd.DataFrame, by: Sequence[str]) -> tuple["np.ndarray", pd.DataFrame]:
        """Which combination of the columns' values each row has, and the combinations in order."""
        names = {name: level_names(rows[name]) if self.inputs[name].levels is not None else rows[name] for name in by}
        ranks = {}
        for name, values in names.items():
            levels = self.inputs[name].levels
            known = list(levels or {})
            rank, _ = pd.factorize(np.asarray(values), sort=levels is None)
            ranks[name] = rank if levels is None else _in_order(np.asarray(values, dtype=object), known)
        if not by:
            return np.zeros(len(rows), dtype=np.intp), pd.DataFrame(index=range(1))
        stacked = np.column_stack(list(ranks.values()))
        _, first, codes = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
        return codes.ravel(), rows[list(by)].iloc[first].reset_index(drop=True)


def _in_order(values: "np.ndarray", known: list[str]) -> "np.ndarray":
    """Positions of levels among the known ones, new levels after them in the order of their names."""
    new = sorted(set(values.tolist()) - set(known), key=str)
    return positions([*known, *new], values)


def _number(column: Input, value: object) -> float:
    if isinstance(value, int | float | np.number | np.bool_) and not isinstance(value, np.complexfloating):
        number = float(value)
        if np.isfinite(number):
            return number
    raise RequestError(f"column {column.name!r} holds numbers, and {shown(value)} is no finite one")
