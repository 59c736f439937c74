"""A formula applied to a table, and able to be applied to another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayescore.errors import DataError, RequestError
from bayescore.model.data import Data
from bayescore.model.groups import Grouping
from bayescore.model.inputs import Input
from bayescore.tables.files import to_pandas
from bayescore.tables.formula import columns, inputs, predictors
from bayescore.tables.formula.evaluation import failing_as
from bayescore.tables.formula.groupings import new_level_notes
from bayescore.tables.formula.notes import absences, doubts, notes
from bayescore.tables.formula.predictors import Predictors
from bayescore.tables.formula.reading import Formula, read
from bayescore.tables.formula.response import Response, respond
from bayescore.tables.formula.syntax import Indexed


@dataclass(frozen=True)
class Design:
    """A formula applied to a table, and able to be applied to another one.

    Attributes
    ----------
    data
        The design matrix, the response and what goes with them.
    intercept
        Whether the formula has one.
    groupings
        Its group effects, those that are correlated together.
    frame
        The columns that it uses, as numbers, text or categories, of the rows that are left.
    dropped
        Row numbers, counted from 1, that were left out because of missing values.
    notes
        What each column was taken for, and what is odd about it.
    doubts
        What it may have been taken for wrongly.
    """

    formula: str
    data: Data
    intercept: bool
    groupings: tuple[Grouping, ...]
    frame: pd.DataFrame
    dropped: tuple[int, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    _predictors: Predictors
    _response: Response
    _weights: str | None
    _known: Mapping[str, columns.Known]

    @property
    def weights(self) -> str | None:
        """The column of the rows' weights."""
        return self._weights

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that its right side uses."""
        return inputs.inputs(self._predictors, self.frame)

    def new(self, table: object) -> Data:
        """The design matrix of other rows, by the stored transforms.

        Response, trials and weights are there where their columns are, the response only where no
        row's is missing. A new level of a group's factor has the index `bayescore.model.data.NEW_LEVEL`;
        `new_levels` names it.

        Raises
        ------
        DataError
            A column is missing, a value is, or a category was never seen.
        """
        frame = self._frame(table)
        with failing_as(DataError, f"the new rows don't fit the formula {self.formula!r}"):
            self._predictors.factors.check_seen(frame)
            return _data(self._predictors, self._response, self._weights, frame, np.arange(len(frame)))

    def new_levels(self, table: object) -> tuple[str, ...]:
        """Say which levels of other rows are new, a sentence a factor: they are predicted from the population."""
        frame = self._frame(table)
        with failing_as(DataError, f"the new rows don't fit the formula {self.formula!r}"):
            return new_level_notes(self._predictors.groups, frame)

    def warnings(self, table: object) -> tuple[str, ...]:
        """Say which splines other rows lie outside the knots of, a sentence each."""
        frame = self._frame(table)
        with failing_as(DataError, f"the new rows don't fit the formula {self.formula!r}"):
            return self._predictors.factors.evaluator.outside(frame)

    def _known_in(self, frame: pd.DataFrame, name: str | None) -> bool:
        """Whether new rows have a column of the left side or of weights; with gaps it counts only where needed."""
        if name not in frame.columns:
            return False
        needed = name in self._response.of_trials
        return needed or isinstance(frame[name], pd.DataFrame) or not columns.missing(frame[name]).any()

    def _frame(self, table: object) -> pd.DataFrame:
        """The columns of new rows that are used, checked, and with the values that the old rows have."""
        frame = to_pandas(table)
        read = self._predictors.formula
        for name in read.right:
            if name not in frame.columns:
                present = ", ".join(frame.columns)
                raise DataError(f"the new rows have no column {name!r} (columns: {present})")
        if len(frame) == 0:
            raise DataError("there are no new rows: the table is empty")
        optional = [name for name in (*read.left, self._weights) if self._known_in(frame, name)]
        frame = frame[list(dict.fromkeys((*read.right, *optional)))].reset_index(drop=True)
        columns.find(frame.columns, frame)
        columns.check_missing(frame, "mend them, or remove these rows from the new ones")
        return _changed(frame, {name: self._known[name].align(frame[name]) for name in frame.columns})


def apply(
    formula: str,
    table: object,
    *,
    drop_missing: bool = False,
    weights: str | None = None,
    categorical_response: bool = False,
    ordered_response: bool = False,
) -> Design:
    """Build the design matrix and the response of a formula.

    Parameters
    ----------
    table
        Whatever `bayescore.tables.files.to_pandas` takes.
    drop_missing
        Leave out rows with a missing or infinite value in a column that is used.
    weights
        The column of the rows' weights.
    categorical_response
        Take the response for categories, numbered 0, 1, ... in order.
    ordered_response
        Their order matters.

    Raises
    ------
    RequestError
        The formula can't be read, or asks for something unknown.
    DataError
        A column is missing, or holds what can't be used.
    """
    stated = read(formula)
    frame, rows, dropped = _select(stated, to_pandas(table), drop_missing=drop_missing, weights=weights)
    coded = categorical_response or isinstance(stated.response, Indexed)
    categories = {*stated.categories, *(stated.left if coded else ())}
    # a category of the response keeps levels that no row has
    keeping = set(stated.left).difference(stated.right) if coded else set()
    frame = _changed(
        frame,
        {
            name: columns.plain(frame[name], rows, category=name in categories, empty_levels=name in keeping)
            for name in frame.columns
        },
    )
    right = predictors.evaluate(stated, frame)
    with failing_as(RequestError, f"the formula {formula!r} fails on this table"):
        left = respond(stated.response, frame, categorical=categorical_response, ordered=ordered_response)
        data = _data(right, left, weights, frame, rows)
    if data.weights is not None and not data.weights.any():
        raise DataError(f"all weights in column {weights!r} are 0: there is nothing to fit")
    boxed = set(stated.boxed)
    known = {
        name: columns.know(frame[name], category=name in categories, boxed=name in boxed) for name in frame.columns
    }
    told = (*absences(frame), *notes(right, frame, left, weights))
    grouped = tuple(group.grouping for group in right.groups)
    return Design(
        formula,
        data,
        stated.intercept,
        grouped,
        frame,
        dropped,
        told,
        doubts(right, frame, left),
        right,
        left,
        weights,
        known,
    )


def _data(right: Predictors, left: Response, weights: str | None, frame: pd.DataFrame, rows: "np.ndarray") -> Data:
    """Both sides for the rows of a table; of the response, trials and weights what is there."""
    present = set(frame.columns)
    return Data(
        right.matrix(frame, rows),
        left.values(frame, rows) if present.issuperset(right.formula.left) else None,
        right.columns,
        left.name,
        offset=right.offset(frame, rows),
        weights=columns.as_weights(frame[weights], rows) if weights in present else None,
        trials=left.trials(frame) if present.issuperset(left.of_trials) else None,
        groups=right.memberships(frame, rows),
        categories=left.categories,
    )


def _changed(frame: pd.DataFrame, values: "Mapping[Any, pd.Series[Any]]") -> pd.DataFrame:
    """The same rows with other columns; also where there are no columns."""
    changed = pd.DataFrame(values, index=frame.index)
    changed.attrs = frame.attrs  # what is known of the file it was read from
    return changed


def _select(
    stated: Formula, table: pd.DataFrame, *, drop_missing: bool, weights: str | None
) -> tuple[pd.DataFrame, "np.ndarray", tuple[int, ...]]:
    """The columns that are used; the positions of the rows that are left; the numbers of those that are not."""
    used = list(dict.fromkeys((*stated.right, *stated.left, *(() if weights is None else (weights,)))))
    columns.find(used, table)
    table = table[used]
    bad = np.zeros(len(table), dtype=bool)
    if drop_missing:
        bad = np.any([columns.missing(table[name]) for name in used], axis=0)
    else:
        columns.check_missing(table, "mend them, or leave these rows out with --drop-missing")
    if bad.all():
        raise DataError("no rows are left" if len(table) else "the table has no rows")
    rows = np.flatnonzero(~bad)
    return table.iloc[rows].reset_index(drop=True), rows, tuple(int(i) + 1 for i in np.flatnonzero(bad))
