"""Expected responses averaged over rows, draw by draw, in bounded memory."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from bayescore.contract.new_levels import with_new_levels
from bayescore.effects.rows import Rows
from bayescore.effects.table import Table
from bayescore.effects.view import Scale
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.response import Law
from bayescore.system import memory

Variants = Callable[[pd.DataFrame], Sequence[pd.DataFrame]]
Measure = Callable[[Sequence[Array], Sequence[pd.DataFrame]], Sequence[Array]]

_BLOCK_VALUES = 1 << 20
"""Draws times rows, and rows times columns, held at once: 8 MB."""
_SEED = 0
"""Of the offsets of new levels: the same for all that is compared."""


def averages(
    table: Table,
    posterior: Posterior,
    rows: Rows,
    scale: Scale,
    variants: Variants,
    measure: Measure = lambda values, tables: values,
    *,
    figures: int = 1,
    times: int = 1,
) -> Array:
    """Averages over the rows of each cell.

    Parameters
    ----------
    variants
        Of some rows, the tables that are predicted.
    measure
        Of their predictions, each of shape (draw, row, category), and the tables: so many ``figures`` of
        that shape, which are averaged.
    times
        How often as much is kept.

    Returns
    -------
    ndarray, shape (figure, draw, cell, category)

    Raises
    ------
    RequestError
        They don't fit into memory.
    """
    regression = table.problem.regression
    draws = int(np.prod(posterior.shape))
    categories = regression.family.predictors if scale == "linear" else max(len(regression.categories), 1)
    cells = len(rows.cells)
    memory.check(
        f"{draws} draws of {cells * categories} averages",
        times * figures * draws * cells * categories,
        "average over more rows, or give fewer values",
    )
    sums, weights = np.zeros((figures, draws, cells, categories)), np.zeros(cells)
    size = max(_BLOCK_VALUES // max(len(regression.columns), len(table.inputs), 1), 1)
    step = max(_BLOCK_VALUES // (draws * categories), 1)
    with np.errstate(all="ignore"):  # draws far out overflow
        for start in range(0, rows.count, size):
            frame, of_cell, weight = rows.block(start, start + size)
            tables = variants(frame)
            made = [with_new_levels(regression, posterior, table.data(one, rows.own), _SEED) for one in tables]
            values = [of.flat() for of, _ in made]
            np.add.at(weights, of_cell, weight)
            for first in range(0, len(frame), step):
                at = slice(first, first + step)
                laws = [Law.of(regression, data.take(at), of) for (_, data), of in zip(made, values, strict=True)]
                found = [_three(law.eta if scale == "linear" else law.mean) for law in laws]
                for total, figure in zip(sums, measure(found, [one.iloc[at] for one in tables]), strict=True):
                    _add(total, figure * weight[at, None], of_cell[at])
    return sums / weights[:, None]


def _three(values: Array) -> Array:
    """With an axis for categories."""
    return values if values.ndim == 3 else values[..., None]


def _add(total: Array, values: Array, of_cell: "np.ndarray") -> None:
    """Add values of shape (draw, row, category) to their cells' sums."""
    order = np.argsort(of_cell, kind="stable")
    present, starts = np.unique(of_cell[order], return_index=True)
    total[:, present] += np.add.reduceat(values[:, order], starts, axis=1)
