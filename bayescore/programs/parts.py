"""Two log densities held together part by part: each row by its own size where rows are known, else the whole term.

Judged by the size of the whole, a wrong prior beside a million rows would pass, and so would a single wrong row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayescore.backend import LogDensity, Precision
from bayescore.model.arrays import Array, Indices, Mask

TOLERANCE: dict[Precision, float] = {"float64": 1e-8, "float32": 1e-5}
"""Share of a part that rounding explains; in float32 terms are looked at as a whole."""
_FLOAT32_NATS = 0.05
_IMPOSSIBLE = -30.0
"""Log probability, in nats, about where libraries begin to bound probabilities away from 0, each in its own way."""
_ALL_OF_IT = 1e-6
_SUMMED = 16.0
"""Roundings, in units of the last place, that a sum of terms may have lost."""


@dataclass(frozen=True)
class Parts:
    """A term of two densities at n points in m parts.

    Attributes
    ----------
    a, b
        Shape (n, m), in nats.
    limit
        What rounding explains of each part's difference, shape (n, m), in nats.
    rows
        Batch shape that the parts are rows of; None for a term as a whole.
    lost
        Where a part is all but impossible and its density can't be told, shape (n, m).
    """

    a: Array
    b: Array
    limit: Array
    rows: tuple[int, ...] | None = None
    lost: Mask | None = None

    @classmethod
    def of(
        cls, name: str, a: Sequence[LogDensity], b: Sequence[LogDensity], precision: Precision, *, counts: bool = False
    ) -> "Parts":
        """A term, by rows where both have them alike.

        Parameters
        ----------
        counts
            Whether it is of whole numbers: of what is all but impossible libraries bound the probability otherwise.
        """
        rows = [_rows(side, name) for side in (a, b)]
        alike = all(side is not None for side in rows) and len({row.shape for side in rows for row in side or ()}) == 1
        if precision == "float64" and alike:
            return cls._by_rows(*(np.stack(side or ()) for side in rows), counts=counts)
        of_a, of_b = (np.array([[float((d.by_site or {})[name])] for d in side]) for side in (a, b))
        inside = [np.array([[float(np.sum(np.abs(row)))] for row in side]) for side in rows if side is not None]
        return cls(of_a, of_b, limit_of(np.maximum.reduce([np.abs(of_a), np.abs(of_b), *inside]), precision))

    @classmethod
    def _by_rows(cls, of_a: Array, of_b: Array, *, counts: bool) -> "Parts":
        """Of rows, shape (n, *batch shape)."""
        a, b = (rows.reshape(len(rows), -1) for rows in (of_a, of_b))
        lost = np.minimum(a, b) < _IMPOSSIBLE if counts else None
        return cls(a, b, limit_of(np.maximum(np.abs(a), np.abs(b)), "float64"), of_a.shape[1:], lost)

    @classmethod
    def rest(
        cls, a: Sequence[LogDensity], b: Sequence[LogDensity], names: Sequence[str], precision: Precision
    ) -> "Parts":
        """What is in the totals beside the terms of these names."""
        of_a, of_b = (np.array([[d.total - sum((d.by_site or {})[n] for n in names)] for d in side]) for side in (a, b))
        inside = [[sum(abs((d.by_site or {})[n]) for d in pair for n in names)] for pair in zip(a, b, strict=True)]
        lost = _SUMMED * np.finfo(np.float64).eps * np.array(inside)
        return cls(of_a, of_b, limit_of(np.maximum(np.abs(of_a), np.abs(of_b)), precision) + lost)

    @cached_property
    def difference(self) -> Array:
        """Of b less a, shape (n, m); what is lost differs as the part does elsewhere."""
        if self.lost is None:
            return self.b - self.a
        usual: Any = np.ma.median(np.ma.array(self.b - self.a, mask=self.lost), axis=0)  # type: ignore[no-untyped-call]
        return np.where(self.lost, np.ma.filled(usual, 0.0), self.b - self.a)

    @cached_property
    def factor(self) -> float | None:
        """By how much each part of b is a multiple of a's, up to a constant of its own; None where it is none.

        Infinite or 0 where one of them does not vary at all.
        """
        lost = False if self.lost is None else self.lost
        a, b = (np.ma.array(side, mask=lost) for side in (self.a, self.b))
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        if not np.any(a.filled(0.0)) or not np.any(b.filled(0.0)):
            return 0.0 if np.any(a.filled(0.0)) else np.inf
        factor = float((a * b).sum() / (a * a).sum())
        return factor if np.max(np.abs((b - factor * a).filled(0.0))) <= _ALL_OF_IT * np.ptp(a.filled(0.0)) else None

    @property
    def whole(self) -> Array:
        """Difference of the whole term, shape (n,)."""
        return np.asarray(self.difference.sum(axis=1))

    @cached_property
    def wrong(self) -> Indices:
        """Parts that differ by more than a constant."""
        return np.flatnonzero(np.any(~(np.abs(deviation(self.difference)) <= self.limit), axis=0))

    def of_wrong(self) -> tuple[Array, Array]:
        """Their difference together, and what rounding explains of it, shape (n,) each."""
        return self.difference[:, self.wrong].sum(axis=1), self.limit[:, self.wrong].sum(axis=1)


def cancel(terms: Sequence[Parts]) -> bool:
    """Whether what differs makes good for one another: shared out differently, but the same density."""
    together = [term.of_wrong() for term in terms]
    if not together:
        return True
    difference = np.sum([found for found, _ in together], axis=0)
    limit = np.sum([of for _, of in together], axis=0)
    return bool(np.all(np.abs(deviation(difference)) <= limit))


def deviation(difference: Array) -> Array:
    """From the median over the points, shape (n, ...)."""
    return np.asarray(difference - np.median(difference, axis=0))


def limit_of(size: Array, precision: Precision) -> Array:
    """What rounding explains of terms of a size, in nats."""
    limit = TOLERANCE[precision] * (1.0 + size)
    return np.minimum(limit, _FLOAT32_NATS) if precision == "float32" else limit


def _rows(densities: Sequence[LogDensity], name: str) -> list[Array] | None:
    """Rows of a term at each point; None where they aren't known, or are not all of the term."""
    found = []
    for density in densities:
        rows, whole = (density.by_row or {}).get(name), (density.by_site or {})[name]
        if rows is None or not rows.ndim or not np.isclose(np.sum(rows), whole, rtol=_ALL_OF_IT, atol=_ALL_OF_IT):
            return None
        found.append(rows)
    return found
