"""Predictions, comparisons and slopes, as they are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Unpack

import numpy as np
import pandas as pd

from bayescore.effects import contrasts
from bayescore.effects.contrasts import Change, Contrast
from bayescore.effects.expected import averages
from bayescore.effects.result import LAST, Effects, Kind, Part
from bayescore.effects.rows import Rows, rows
from bayescore.effects.table import Table
from bayescore.effects.view import Conditional, Options, View, one_of, view
from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.regressions.problem import Problem

Comparison = Literal["difference", "ratio", "lift"]
Slope = Literal["dydx", "eyex", "eydx", "dyex"]

_COMPARED: dict[str, tuple[Callable[[Array, Array], Array], str, float]] = {
    "difference": (lambda low, high: high - low, " - ", 0.0),
    "ratio": (lambda low, high: high / low, " / ", 1.0),
    "lift": (lambda low, high: high / low - 1.0, " / ", 0.0),
}
"""How two averages are compared, the sign between their names, and the value that says that nothing changes."""
_SLOPES = {
    "dydx": "slopes",
    "eyex": "elasticities (dy/dx) x/y",
    "eydx": "semi-elasticities (dy/dx) 1/y",
    "dyex": "semi-elasticities (dy/dx) x",
}


@dataclass(frozen=True)
class _Question:
    """What all three ask of: a table and draws, seen in some way."""

    table: Table
    posterior: Posterior
    view: View

    def effects(
        self, kind: Kind, words: str, asked: Sequence[Rows], parts: Sequence[Part], neutral: float | None = None
    ) -> Effects:
        """The result, in a table."""
        regression, linear = self.table.problem.regression, self.view.scale == "linear"
        categories = regression.categories
        if linear:
            categories = categories[1:] if regression.family.by_level else ()
        frame = pd.concat([part.frame(categories, self.view.interval) for part in parts], ignore_index=True)
        last = [name for name in LAST if name in frame]
        frame = frame[[name for name in frame if name not in last] + last]
        draws = np.concatenate([part.flat for part in parts], axis=1).reshape(*self.posterior.shape, -1)
        notes = dict.fromkeys(note for one in asked for note in (*one.notes, *_outside(self.table, one)))
        quantity = self.quantity
        return Effects(
            kind, f"{words} of the {quantity}", frame, draws, self.view.interval, (*notes,), neutral, quantity
        )

    @property
    def quantity(self) -> str:
        """What is predicted, in words."""
        problem = self.table.problem
        response = problem.data.response
        if self.view.scale == "linear":
            return f"linear predictor of {response}"
        if problem.categories:
            return f"probability of each category of {response}"
        success = problem.data.trials is not None or problem.regression.family.name == "Bernoulli"
        return f"probability of {response}" if success else f"expected {response}"


def predictions(
    problem: Problem, posterior: Posterior, conditional: Conditional = None, **options: Unpack[Options]
) -> Effects:
    """Expected responses at given values, or averaged over the rows of the data.

    Parameters
    ----------
    conditional
        Values of columns, as ``{"x": [1, 2]}``: all their combinations. A name, or a list of names, stands
        for values all over what the data have. Without it the rows of the data.
    options
        Those of `bayescore.effects.view.View`: ``others``, ``average_by``, ``scale``, ``groups``, ``weighted``,
        ``interval``.

    Raises
    ------
    RequestError, DataError
        A column, a value or a setting is unknown, or there is not enough memory.
    """
    question = _Question(Table.of(problem), posterior, view(options))
    asked = rows(question.table, conditional, question.view)
    (found,) = averages(question.table, posterior, asked, question.view.scale, lambda frame: [frame])
    return question.effects("predictions", "predictions", [asked], [Part({}, asked.cells, found)])


def comparisons(
    problem: Problem,
    posterior: Posterior,
    contrast: Contrast = None,
    conditional: Conditional = None,
    *,
    comparison: Comparison = "difference",
    **options: Unpack[Options],
) -> Effects:
    """How predictions change with a column, all else being as it is.

    Parameters
    ----------
    contrast
        A column, or several; by default all. The levels of a category are each held against the reference,
        a number is increased by 1, and compared at 1 and 0 where it has no other values. ``{"g": ["a", "c"]}``
        holds the levels that follow against the first, ``{"g": "pairwise"}`` each against each; ``{"x": 5}``
        is an increase by 5, ``{"x": [2, 8]}`` from 2 to 8, ``{"x": "sd"}`` by one sd around the mean.
    comparison
        The ``difference`` of the two predictions, their ``ratio``, or ``lift``, the ratio less 1. Of
        averages it is that of the averages.
    conditional, options
        As those of `predictions`.

    Raises
    ------
    RequestError, DataError
        A column, a value or a setting is unknown, or there is not enough memory.
    """
    question = _Question(Table.of(problem), posterior, view(options))
    one_of("comparison", comparison, list(_COMPARED))
    compare, sign, neutral = _COMPARED[comparison]
    changes = contrasts.changes(question.table, contrast, sign)
    parts, asked = [], []
    for change in changes:
        here = _held(question, conditional, change)
        low, high = averages(
            question.table, posterior, here, question.view.scale, change.ends, figures=2, times=len(changes)
        )
        with np.errstate(all="ignore"):
            parts.append(Part({"term": change.column, "contrast": change.label}, here.cells, compare(low, high)))
        asked.append(here)
    words = "comparisons" if comparison == "difference" else f"comparisons ({comparison})"
    return question.effects("comparisons", words, asked, parts, neutral)


def slopes(
    problem: Problem,
    posterior: Posterior,
    wrt: str | Sequence[str] | None = None,
    conditional: Conditional = None,
    *,
    slope: Slope = "dydx",
    **options: Unpack[Options],
) -> Effects:
    """Derivatives of predictions by a numeric column, through all terms that it is in.

    They are central differences of predictions, of 1e-5 of the column's range.

    Parameters
    ----------
    wrt
        A numeric column, or several; by default all.
    slope
        ``dydx``; or an elasticity, the relative change of the prediction (``ey``) or of the column (``ex``):
        ``eyex``, ``eydx``, ``dyex``. Of rows that are averaged it is the average.
    conditional, options
        As those of `predictions`.

    Raises
    ------
    RequestError, DataError
        A column is none, or not numeric; a value or a setting is unknown; there is not enough memory.
    """
    question = _Question(Table.of(problem), posterior, view(options))
    one_of("slope", slope, list(_SLOPES))
    changes = contrasts.slopes(question.table, wrt)
    asked = rows(question.table, conditional, question.view)
    parts = []
    for change in changes:
        measure = _slope_of(change.column, slope)
        try:
            (found,) = averages(
                question.table, posterior, asked, question.view.scale, change.ends, measure, times=len(changes)
            )
        except DataError as error:
            raise DataError(
                f"no slope by {change.column!r} where a little more or less is no value: {error}"
            ) from error
        parts.append(Part({"term": change.column}, asked.cells, found))
    return question.effects("slopes", _SLOPES[slope], [asked], parts, neutral=0.0)


def _held(question: _Question, conditional: Conditional, change: Change) -> Rows:
    """The rows of one comparison."""
    found = rows(question.table, conditional, question.view, changing=change.column if change.absolute else None)
    if change.absolute and change.column in found.grid:
        raise RequestError(f"{change.column!r} is compared, and can't be held at a value: leave it out of conditional")
    return found


def _slope_of(column: str, slope: Slope) -> Callable[[Sequence[Array], Sequence[pd.DataFrame]], list[Array]]:
    """From predictions a little to the left and to the right to slopes."""

    def of(values: Sequence[Array], tables: Sequence[pd.DataFrame]) -> list[Array]:
        low, high = (one[column].to_numpy(dtype=np.float64) for one in tables)
        found = (values[1] - values[0]) / (high - low)[:, None]
        if slope in {"eyex", "dyex"}:
            found = found * (0.5 * (low + high))[:, None]
        if slope in {"eyex", "eydx"}:
            found = found / (0.5 * (values[0] + values[1]))
        return [found]

    return of


def _outside(table: Table, asked: Rows) -> list[str]:
    """Where given values are beyond the data: numbers that no row reaches, and levels of groups that are new."""
    said = []
    for name in asked.grid.columns:
        column = table.inputs[name]
        if column.levels is not None:
            new = [str(value) for value in asked.grid[name].unique() if value not in column.levels.values()]
            if new and not asked.own.isdisjoint(column.factors):
                said.append(f"{name} {', '.join(new)}: not in the data, predicted from the population")
            continue
        numbers, own = asked.grid[name].to_numpy(dtype=np.float64), table.number(name)
        if np.any((numbers < own.min()) | (numbers > own.max())):
            said.append(f"beyond the data, where {name} goes from {own.min():g} to {own.max():g}")
    return said
