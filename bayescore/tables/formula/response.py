"""The response: numbers, one level against the rest, successes of trials, or categories."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bayescore.errors import DataError, RequestError, suggest
from bayescore.model.arrays import Array
from bayescore.model.data import rows_text
from bayescore.tables.formula import orders
from bayescore.tables.formula.evaluation import CATEGORIES, PROPORTIONS, Evaluator, called, check_finite, names
from bayescore.tables.formula.levels import level_names, levels, listed, order_is_known, positions
from bayescore.tables.formula.syntax import Call, Indexed, Literal, Name, Node, quoted, write


@dataclass(frozen=True)
class Response:
    """What a formula's left side makes of a table.

    Attributes
    ----------
    categories
        Names of the categories, in order; empty where the response is a number.
    """

    part: Node
    categories: tuple[str, ...] = ()
    evaluator: Evaluator = field(default_factory=Evaluator)

    @property
    def name(self) -> str:
        return self.part.name if isinstance(self.part, Indexed) else write(self.part)

    @property
    def trials_part(self) -> Node | None:
        """The trials of ``proportion(y, n)``; None for another response."""
        return self.part.args[1] if isinstance(self.part, Call) and self.part.name in PROPORTIONS else None

    @property
    def of_trials(self) -> tuple[str, ...]:
        """Columns that the trials use."""
        return () if self.trials_part is None else names(self.trials_part)

    def values(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        """The response of a table's rows.

        Raises
        ------
        DataError
            It is no number, not finite, or a category that the data don't have.
        """
        if self.categories:
            return self._coded(table, rows)
        if isinstance(self.part, Indexed):
            return np.asarray(level_names(table[self.part.name]) == self.part.level, dtype=np.float64)
        if isinstance(self.part, Call) and self.trials_part is not None:
            return _column(self.evaluator.value(self.part.args[0], table), self.name, len(table))
        values = self.evaluator.value(self.part, table)
        if called(self.part) in CATEGORIES or not is_numeric_dtype(values):
            raise _no_number(self.part, levels(values))
        values = _column(values, self.name, len(table))
        check_finite(values[:, None], (self.name,), rows)
        return values

    def trials(self, table: pd.DataFrame) -> Array | None:
        """The number of trials of a table's rows; None without trials."""
        if self.trials_part is None:
            return None
        trials = self.evaluator.numbers(self.trials_part, table)
        return _column(np.broadcast_to(trials, len(table)), self.name, len(table))

    def _coded(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        values = self.evaluator.value(self.part, table)
        coded = positions(self.categories, values)
        new = np.flatnonzero(coded < 0)
        if new.size:
            raise DataError(
                f"the response {self.name!r} has the category {level_names(values)[new[0]]!r} in "
                f"{rows_text(rows[new])}, which the data don't have (categories: {listed(self.categories)})"
            )
        return coded.astype(np.float64)


def respond(part: Node, table: pd.DataFrame, *, categorical: bool, ordered: bool = False) -> Response:
    """State the response.

    Parameters
    ----------
    ordered
        The order of its categories matters.

    Raises
    ------
    RequestError, DataError
        It can't be what the formula says.
    """
    stated = Response(part)
    name = stated.name
    counts = isinstance(part, Call) and part.name in PROPORTIONS
    if isinstance(part, Call) and counts and not _is_proportion(part):
        raise RequestError(f"can't read the response {name}: write proportion(y, n), both columns, or n a number")
    if isinstance(part, Indexed):
        _check_level(name, part.level, levels(table[name]))
    if not categorical:
        return stated
    if counts or isinstance(part, Indexed):
        raise RequestError(f"the response {name!r} has no categories of its own: write the column's name alone")
    values = stated.evaluator.value(part, table)
    if is_numeric_dtype(values) and not np.all(np.mod(values, 1) == 0):
        raise DataError(f"the response {name!r} can't be categories: it holds numbers that are not whole")
    categories = levels(values)
    if len(categories) < 2:
        raise DataError(f"the response {name!r} has one category only ({categories[0]}): there is nothing to fit")
    if ordered and not order_is_known(values):
        raise DataError(
            f"nobody stated the order of the categories of {name!r} ({listed(categories)}): state it, lowest first, "
            f"as by --levels {orders.write(name, categories)!r} or levels={{{name!r}: {list(categories)!r}}}"
        )
    return Response(part, categories)


def _is_proportion(call: Call) -> bool:
    if call.named or len(call.args) != 2 or not isinstance(call.args[0], Name):
        return False
    trials = call.args[1]
    return isinstance(trials, Name) or (isinstance(trials, Literal) and type(trials.value) in {int, float})


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


def _no_number(part: Node, known: tuple[str, ...]) -> DataError:
    name = write(part)
    if len(known) == 2:
        column = quoted(next(iter(names(part)), name))
        return DataError(f"the response {name!r} is text: write {column}[{known[1]!r}] ~ ...")
    return DataError(
        f"the response {name!r} has {len(known)} categories ({listed(known)}); a number is needed, "
        "or a family of categories"
    )
