"""What was asked for: estimates with their intervals as a table, and the draws that they are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bayescore.model.arrays import Array
from bayescore.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["predictions", "comparisons", "slopes"]

LAST = ("category", "estimate", "lower", "upper")
OWN = ("term", "contrast", *LAST)
"""Columns that are not the data's; one of the data's of this name is written with an underscore."""
_SHOWN = 30


@dataclass(frozen=True, eq=False, repr=False)
class Effects:
    """Predictions, comparisons or slopes.

    Attributes
    ----------
    kind
        Which of them.
    title
        What the figures are, in words.
    frame
        A row an estimate: what was compared, the columns that tell rows apart, the category of the
        response where it has some, the posterior mean as ``estimate``, and the equal-tailed interval
        from ``lower`` to ``upper``, NaN for a point estimate.
    draws
        Shape (chain, draw, row of the frame).
    interval
        How much of the draws lies in the interval.
    notes
        What was held at which value, what was averaged over, in sentences.
    neutral
        The value that says that nothing changes: 0, or 1 for a ratio; None for predictions.
    quantity
        What the estimates are measured in, in words.
    """

    kind: Kind
    title: str
    frame: pd.DataFrame
    draws: Array
    interval: float
    notes: tuple[str, ...] = ()
    neutral: float | None = None
    quantity: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        with pd.option_context("display.width", None, "display.max_columns", None):
            text = self._shown().to_string(index=False, float_format=lambda x: f"{x:.4g}")
        body = "\n".join(printable(line) for line in text.split("\n"))
        return "\n".join([self.title, body, *self._left_out(), *(printable(note) for note in self._said())])

    def _repr_html_(self) -> str:
        table = self._shown().to_html(index=False, float_format=lambda x: f"{x:.4g}", border=0)
        said = "".join(f"<br>{escape(printable(note))}" for note in (*self._left_out(), *self._said()))
        return f"<p><b>{escape(self.title)}</b></p>{table}<p><small>{said.removeprefix('<br>')}</small></p>"

    def _shown(self) -> pd.DataFrame:
        return self.frame.head(_SHOWN)

    def _left_out(self) -> list[str]:
        return [f"... {len(self) - _SHOWN} more rows in .frame"] if len(self) > _SHOWN else []

    def _said(self) -> list[str]:
        told = f"posterior means with equal-tailed {100 * self.interval:g} % intervals"
        if self.draws.shape[:2] == (1, 1):
            told = "of a point estimate, which has no interval"
        return [told, *self.notes]

    def plot(self) -> "Figure":
        """Draw them: predictions and what varies along a number as a line with a band, otherwise points with bars.

        Raises
        ------
        MissingLibraryError
            matplotlib is not installed.
        RequestError
            They are too many for a picture.
        """
        from bayescore.pictures.effects import draw

        return draw(self)


@dataclass(frozen=True)
class Part:
    """Estimates that belong together.

    Attributes
    ----------
    named
        What they are of, by the table's column.
    cells
        What tells them apart, a row each.
    draws
        Shape (draw, cell, category).
    """

    named: Mapping[str, str]
    cells: pd.DataFrame
    draws: Array

    def frame(self, categories: Sequence[str], interval: float) -> pd.DataFrame:
        """Their table; ``categories`` is empty where there is one figure a cell."""
        cells = self.cells.rename(columns={name: f"{name}_" for name in self.cells.columns if name in OWN})
        frame = cells.loc[np.repeat(cells.index, self.draws.shape[2])].reset_index(drop=True)
        for at, (name, value) in enumerate(self.named.items()):
            frame.insert(at, name, value)
        if categories:
            frame["category"] = np.tile(np.asarray(categories, dtype=object), len(cells))
        flat, tail = self.flat, 0.5 * (1.0 - interval)
        frame["estimate"] = flat.mean(axis=0)
        none = np.full((2, flat.shape[1]), np.nan)
        frame["lower"], frame["upper"] = none if len(flat) == 1 else np.quantile(flat, [tail, 1.0 - tail], axis=0)
        return frame

    @property
    def flat(self) -> Array:
        """Draws of shape (draw, row of the table)."""
        return self.draws.reshape(len(self.draws), -1)
