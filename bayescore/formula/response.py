"""The response: numbers, one level against the rest, successes of trials, or categories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulae.terms.call_resolver import LazyValue, LazyVariable
from pandas.api.types import is_numeric_dtype

from bayescore.data import rows_text
from bayescore.distributions import Array
from bayescore.errors import DataError, RequestError, suggest
from bayescore.formula.evaluation import CATEGORIES, ENVIRONMENT, PROPORTIONS, called, check_finite, names, raw
from bayescore.formula.levels import level_names, levels, listed, positions


@dataclass(frozen=True)
class Response:
    """What a formula's left side makes of a table.

    Attributes
    ----------
    categories
        Names of the categories, in order; empty where the response is a number.
    """

    component: Any
    categories: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.component.name)

    @property
    def counts(self) -> bool:
        """Whether it is ``proportion(y, n)``."""
        return called(self.component) in PROPORTIONS

    @property
    def of_trials(self) -> tuple[str, ...]:
        """Columns that the trials use."""
        return (self.component.call.args[1].name,) if self.counts and _is_column(self.component.call.args[1]) else ()

    def values(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        """The response of a table's rows.

        Raises
        ------
        DataError
            It is no number, not finite, or a category that the data don't have.
        """
        if self.categories:
            return self._coded(table, rows)
        level = getattr(self.component, "reference", None)
        if level is not None:
            return np.asarray(level_names(table[self.name]) == level, dtype=np.float64)
        if self.counts:
            return _column(self.component.call.args[0].eval(table, ENVIRONMENT), self.name, len(table))
        values = raw(self.component, table)
        if called(self.component) in CATEGORIES or not is_numeric_dtype(values):
            raise _no_number(self.component, levels(values))
        values = _column(values, self.name, len(table))
        check_finite(values[:, None], (self.name,), rows)
        return values

    def trials(self, table: pd.DataFrame) -> Array | None:
        """The number of trials of a table's rows; None without trials."""
        if not self.counts:
            return None
        trials = self.component.call.args[1].eval(table, ENVIRONMENT)
        return _column(np.full(len(table), trials) if np.ndim(trials) == 0 else trials, self.name, len(table))

    def _coded(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        values = raw(self.component, table)
        coded = positions(self.categories, values)
        new = np.flatnonzero(coded < 0)
        if new.size:
            raise DataError(
                f"the response {self.name!r} has the category {level_names(values)[new[0]]!r} in "
                f"{rows_text(rows[new])}, which the data don't have (categories: {listed(self.categories)})"
            )
        return coded.astype(np.float64)


def respond(component: Any, table: pd.DataFrame, *, categorical: bool) -> Response:
    """State the response.

    Raises
    ------
    RequestError, DataError
        It can't be what the formula says.
    """
    name = str(component.name)
    level = getattr(component, "reference", None)
    counts = called(component) in PROPORTIONS
    if counts and not _is_proportion(component.call):
        raise RequestError(f"can't read the response {name}: write proportion(y, n), both columns, or n a number")
    if level is not None:
        _check_level(name, level, levels(table[name]))
    if not categorical:
        return Response(component)
    if counts or level is not None:
        raise RequestError(f"the response {name!r} has no categories of its own: write the column's name alone")
    values = raw(component, table)
    if is_numeric_dtype(values) and not np.all(np.mod(values, 1) == 0):
        raise DataError(f"the response {name!r} can't be categories: it holds numbers that are not whole")
    categories = levels(values)
    if len(categories) < 2:
        raise DataError(f"the response {name!r} has one category only ({categories[0]}): there is nothing to fit")
    return Response(component, categories)


def _is_column(argument: Any) -> bool:
    return isinstance(argument, LazyVariable)


def _is_proportion(call: Any) -> bool:
    if call.kwargs or len(call.args) != 2 or not _is_column(call.args[0]):
        return False
    return _is_column(call.args[1]) or isinstance(call.args[1], LazyValue)


def _check_level(name: str, level: str, known: tuple[str, ...]) -> None:
    if level not in known:
        raise DataError(
            f"the response {name!r} has no level {level!r}{suggest(level, list(known))} (levels: {listed(known)})"
        )


def _column(values: Any, name: str, rows: int) -> Array:
    """Take values for one number a row."""
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the response {name!r} must be made of numbers") from error
    if column.shape != (rows,):
        raise DataError(f"the response {name!r} must be one number a row, not of shape {column.shape}")
    return column


def _no_number(component: Any, known: tuple[str, ...]) -> DataError:
    column = next(iter(names(component)), component.name)
    if len(known) == 2:
        return DataError(f"the response {component.name!r} is text: write {column}['{known[1]}'] ~ ...")
    return DataError(
        f"the response {component.name!r} has {len(known)} categories ({listed(known)}); a number is needed, "
        "or a family of categories"
    )
