"""What draws predict for rows, computed by the core block by block, without the engine that drew them."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from bayescore.contract.new_levels import with_new_levels
from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.response import Law
from bayescore.printable import shown
from bayescore.regressions.problem import Problem
from bayescore.tables.files import to_pandas

Predicted = Literal["mean", "response"]
"""The expected response, or responses as they would be observed."""

_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once: 8 MB."""


def rows_of(problem: Problem, table: object | None) -> Data:
    """The rows of a table as the problem's formula has them; without a table the problem's own.

    Raises
    ------
    DataError
        They don't fit.
    """
    if table is None:
        return problem.data
    if isinstance(table, Data):
        if table.columns != problem.data.columns:
            raise DataError(
                f"the rows have the columns {list(table.columns)}, and the regression {list(problem.data.columns)}"
            )
        table.check()
        return table
    if problem.design is not None:
        return problem.design.new(table)
    return _plain(problem.data, table)


def _plain(data: Data, table: object) -> Data:
    """Rows of a table that has a column for each of a design matrix that was given as it is."""
    if data.groups:
        raise DataError("this problem was stated by arrays with groups: give the new rows as a Data")
    frame = to_pandas(table)
    absent = [name for name in data.columns if name not in frame.columns]
    if absent:
        raise DataError(f"the new rows have no column {absent[0]!r} (columns: {', '.join(frame.columns)})")
    try:
        x = frame[list(data.columns)].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the new rows are no numbers: {error}") from error
    rows = Data(x, None, data.columns, data.response, categories=data.categories)
    rows.check()
    return rows


def blocks(
    problem: Problem, posterior: Posterior, rows: Data, kind: Predicted, seed: int
) -> Iterator[tuple[slice, Array]]:
    """Predictions of some rows at a time, with which rows they are.

    Each is of shape (draw, row), or (draw, row, category) for the probabilities of categories.
    """
    if kind not in {"mean", "response"}:
        raise RequestError(f"kind must be 'mean' or 'response', not {shown(kind)}")
    posterior, rows = with_new_levels(problem.regression, posterior, rows, seed)
    values = posterior.flat()
    count = int(np.prod(posterior.shape))
    rng = np.random.default_rng([seed, 2])
    step = max(_BLOCK_VALUES // (count * max(len(problem.categories), 1)), 1)
    for start in range(0, rows.rows, step):
        at = slice(start, min(start + step, rows.rows))
        with np.errstate(all="ignore"):  # draws far out overflow
            law = Law.of(problem.regression, rows.take(at), values)
            drawn = law.mean if kind == "mean" else law.sample(rng)
        yield at, drawn
