"""What a regression is fitted to: a design matrix and a response, as NumPy arrays."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bayescore.errors import DataError, RequestError, check_is
from bayescore.model.arrays import Array, Indices
from bayescore.printable import count, shortened, shown
from bayescore.system.memory import check as check_memory

LARGEST = 1e100
"""Of a number in a table, and of a column's largest one the inverse: sums of their squares are numbers, and not 0."""
NEW_LEVEL = -1
"""Index of a level of a group that was not there when the regression was stated."""


@dataclass(frozen=True)
class Membership:
    """What a group effect adds to each row: its level's offset times a value.

    Attributes
    ----------
    index
        Position of each row's level among the levels, shape (row,); `NEW_LEVEL` for one
        that was not there when the regression was stated.
    value
        What the offset is multiplied by, shape (row,): 1 for an intercept.
    """

    index: Indices
    value: Array


@dataclass(frozen=True, repr=False)
class Data:
    """A design matrix without the intercept's column, and a response.

    Parameters
    ----------
    x
        Design matrix, shape (row, column), float64.
    y
        Response, shape (row,), float64; categories as 0, 1, ...; None for rows that are
        to be predicted.
    columns
        One name a column.
    response
        The response's name.
    offset
        Added to the linear predictor, shape (row,), or None.
    weights
        Factors of the rows' log likelihoods, shape (row,), or None for 1.
    trials
        Of a binomial response, shape (row,), or None.
    groups
        For each group effect, as ``1|county``, the rows' memberships.
    categories
        Names of the response's categories, in order; empty for a number.
    ones
        The intercept's column where it is not 1, shape (row,): rows that stand for many
        (`bayescore.density.reduction`).
    """

    x: Array
    y: Array | None
    columns: tuple[str, ...]
    response: str = "y"
    offset: Array | None = None
    weights: Array | None = None
    trials: Array | None = None
    groups: Mapping[str, Membership] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    ones: Array | None = None

    def __repr__(self) -> str:
        response = f"{self.response}, " if self.y is not None else ""
        groups = f"; groups {', '.join(self.groups)}" if self.groups else ""
        return shortened(f"Data({count(self.rows, 'row')} of {response}{', '.join(self.columns)}{groups})", 200)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.x.shape[0])

    @property
    def stands_for(self) -> int:
        """Number of rows that these are, or that they stand for."""
        return self.rows if self.ones is None or self.weights is None else round(float(self.weights @ self.ones**2))

    @property
    def observed(self) -> Array:
        """The response, which has to be there.

        Raises
        ------
        DataError
            These rows have no response.
        """
        if self.y is None:
            raise DataError("these rows have no response; a regression is fitted to rows that have one")
        return self.y

    @property
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare to take all that is said here into account."""
        said = {"offset": self.offset, "weights": self.weights, "reduction": self.ones}
        return frozenset(f"feature:{name}" for name, values in said.items() if values is not None)

    def check(self) -> None:
        """Look at all arrays.

        Raises
        ------
        DataError
            One has the wrong shape, NaN or infinity; a weight is negative, or all are 0.
        """
        if self.x.ndim != 2 or self.x.shape[1] != len(self.columns):
            raise DataError(f"the design matrix has shape {self.x.shape}, and {len(self.columns)} columns are named")
        check_finite(self.x, self.columns)
        parts = [(self.response, self.y), ("offset", self.offset), ("weights", self.weights), ("trials", self.trials)]
        parts += [("ones", self.ones), *((name, member.value) for name, member in self.groups.items())]
        for name, values in parts:
            if values is not None:
                if values.shape != (self.rows,):
                    raise DataError(f"{name!r} has shape {values.shape}, and there are {self.rows} rows")
                check_finite(values[:, None], (name,))
        if self.weights is not None:
            negative = np.flatnonzero(self.weights < 0)
            if negative.size:
                raise DataError(f"the weights are negative in {rows_text(negative)}")
            if not self.weights.any():
                raise DataError("all weights are 0: there is nothing to fit")

    def take(self, rows: slice | Sequence[int] | Indices) -> "Data":
        """A part of the rows."""

        def part(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        return replace(
            self,
            x=self.x[rows],
            y=part(self.y),
            offset=part(self.offset),
            weights=part(self.weights),
            trials=part(self.trials),
            groups={name: Membership(m.index[rows], m.value[rows]) for name, m in self.groups.items()},
            ones=part(self.ones),
        )


def from_arrays(
    x: object, y: object | None = None, *, columns: Sequence[str] | None = None, response: str = "y"
) -> Data:
    """Take a design matrix as it stands.

    Parameters
    ----------
    x
        Anything NumPy makes a (row,) or (row, column) array of.
    y
        Anything NumPy makes a (row,) array of, or None.
    columns
        Names; by default ``x`` for one column, ``x1``, ``x2``, ... for several.

    Raises
    ------
    DataError
        Wrong shapes, text, NaN or infinity.
    """
    check_is(response, str, "the response's name is a text")
    design = _numbers(x, "the design matrix")
    design = design[:, None] if design.ndim == 1 else design
    if design.ndim != 2:
        raise DataError(f"the design matrix must have shape (row, column), not {design.shape}")
    p = design.shape[1]
    names = ("x",) if p == 1 else tuple(f"x{j + 1}" for j in range(p))
    if columns is not None:
        check_is(columns, Sequence | np.ndarray, "the columns' names are a list of texts")
        names = tuple(columns)
    if len(names) != p or not all(isinstance(name, str) for name in names) or len(set(names)) != p:
        raise DataError(f"{p} columns need as many different names, not {shown(columns)}")
    if design.shape[0] == 0:
        raise DataError("there are no rows; a regression needs at least one")
    check_finite(design, names)
    values = None
    if y is not None:
        values = _numbers(y, f"the response {response!r}")
        if values.shape != design.shape[:1]:
            raise DataError(f"the response has shape {values.shape}, the design matrix {design.shape[0]} rows")
        check_finite(values[:, None], (response,))
    return Data(np.ascontiguousarray(design), values, names, response)


def _numbers(values: object, what: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{what} must be made of numbers: {shortened(str(error))}") from error


def check_finite(values: Array, names: Sequence[str], *, first_row: int = 0) -> None:
    """Raise `DataError`, naming column and rows, where a value is NaN, infinite, or of a size that can't be squared."""
    largest = np.max(np.abs(values), axis=0, initial=0.0)  # NaN where one is
    if np.all((largest <= LARGEST) & ((largest >= 1.0 / LARGEST) | (largest == 0.0))):
        return
    for name, column, size in zip(names, values.T, largest, strict=True):
        if 0.0 < size < 1.0 / LARGEST:
            raise DataError(
                f"column {name!r} is within {1.0 / LARGEST:g} of 0 in all rows: measure it in a smaller unit"
            )
        huge = np.flatnonzero(np.isfinite(column) & (np.abs(column) > LARGEST)) + first_row
        if huge.size:
            raise DataError(f"column {name!r} is beyond {LARGEST:g} in {rows_text(huge)}: measure it in a larger unit")
        wrong = np.flatnonzero(~np.isfinite(column)) + first_row
        if wrong.size:
            raise DataError(
                f"column {name!r} is NaN or infinite in {rows_text(wrong)}: "
                "mend these rows, or leave out missing ones with --drop-missing"
            )


def rows_text(positions: Sequence[int] | np.ndarray) -> str:
    """Name rows by number, counted from 1, at most five of them."""
    numbers = ", ".join(str(int(i) + 1) for i in positions[:5])
    more = f" and {len(positions) - 5} more" if len(positions) > 5 else ""
    return f"row{'s' if len(positions) > 1 else ''} {numbers}{more}"


def spread(count: int, most: int) -> Indices:
    """At most so many positions of ``count``, evenly spread, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def toy_data(n: int = 100, p: int = 1, noise_sd: float = 0.1, seed: int = 0) -> Array:
    """The tutorial's data: x ~ U(0, 1), y = 3 (x1 + ... + xp) + 1 + Normal(0, noise_sd).

    Returns
    -------
    ndarray, shape (n, p + 1)
        The features, and the response as the last column.

    Raises
    ------
    RequestError
        A size is not positive, or the noise is negative.
    """
    for name, value, least in (("n", n, 1), ("p", p, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            wanted = f"a whole number of at least {least}, under 2**63"
            raise RequestError(f"toy: {name} must be {wanted}, not {shown(value)}")
    check_memory(f"a toy of {n} rows and {p} columns", n * (p + 1), "ask for fewer rows or columns")
    number = isinstance(noise_sd, int | float | np.floating) and not isinstance(noise_sd, bool)
    if not (number and 0 <= noise_sd <= sys.float_info.max):
        raise RequestError(f"toy: noise_sd must be a number of at least 0, not {shown(noise_sd)}")
    rng = np.random.default_rng(seed)
    x = rng.random((n, p))
    y = 1.0 + 3.0 * x.sum(axis=1) + noise_sd * rng.standard_normal(n)
    return np.column_stack([x, y])
