"""Transforms that keep what they took from the data: ``center``, ``scale``, ``poly`` and ``bs``.

Each is a function of a column, shape (row,), and its settings; what it returns computes the
same for other rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bayescore.errors import RequestError
from bayescore.model.arrays import Array


@dataclass(frozen=True)
class Line:
    """(x - center) / scale."""

    center: float
    scale: float = 1.0

    def __call__(self, x: Array) -> Array:
        return (x - self.center) / self.scale


@dataclass(frozen=True)
class Powers:
    """x, x^2, ..., x^degree."""

    degree: int

    def __call__(self, x: Array) -> Array:
        return np.asarray(x[:, None] ** np.arange(1, self.degree + 1))


@dataclass(frozen=True)
class Orthonormal:
    """Polynomials that are orthonormal over the data's rows, by their three-term recurrence.

    Attributes
    ----------
    centers
        sum(x P_k^2) / sum(P_k^2) of each degree k but the last.
    squares
        sum(P_k^2) of each degree k.
    """

    centers: tuple[float, ...]
    squares: tuple[float, ...]

    def __call__(self, x: Array) -> Array:
        columns = [np.ones_like(x)]
        for k, center in enumerate(self.centers):
            following = (x - center) * columns[k]
            if k:
                following = following - self.squares[k] / self.squares[k - 1] * columns[k - 1]
            columns.append(following)
        return np.column_stack([column / np.sqrt(s) for column, s in zip(columns, self.squares, strict=True)])[:, 1:]


@dataclass(frozen=True)
class Spline:
    """B-splines; outside their outer knots the polynomials of the ends go on.

    Attributes
    ----------
    knots
        All of them, the outer ones ``degree + 1`` times.
    """

    knots: tuple[float, ...]
    degree: int
    intercept: bool

    @property
    def bounds(self) -> tuple[float, float]:
        """The outer knots."""
        return self.knots[0], self.knots[-1]

    def __call__(self, x: Array) -> Array:
        from scipy.interpolate import BSpline

        bases = len(self.knots) - self.degree - 1
        found = BSpline(np.array(self.knots), np.eye(bases), self.degree, extrapolate=True)(x)
        return np.asarray(found if self.intercept else found[:, 1:])


Transform = Line | Powers | Orthonormal | Spline


def center(x: Array) -> Line:
    """Subtract the mean."""
    return Line(float(np.mean(x)))


def scale(x: Array) -> Line:
    """Subtract the mean and divide by the sd, of divisor n."""
    sd = float(np.std(x))
    if not sd > 0:
        raise RequestError("it is the same in every row and has no scale")
    return Line(float(np.mean(x)), sd)


def poly(x: Array, degree: float = 1, raw: bool = False) -> Powers | Orthonormal:
    """Polynomials, orthonormal ones unless ``raw``."""
    degree = _whole("degree", degree, least=1)
    different = len(np.unique(x))
    if degree >= different:
        raise RequestError(
            f"a polynomial of degree {degree} needs {degree + 1} different values; there are {different}"
        )
    if raw:
        return Powers(degree)
    centers: list[float] = []
    before, current = np.zeros_like(x), np.ones_like(x)
    squares = [float(len(x))]
    for k in range(degree):
        centers.append(float(np.sum(x * current**2) / squares[k]))
        following = (x - centers[k]) * current - (squares[k] / squares[k - 1] * before if k else 0.0)
        before, current = current, following
        squares.append(float(np.sum(current**2)))
    return Orthonormal(tuple(centers), tuple(squares))


def bs(
    x: Array,
    df: float | None = None,
    knots: "Sequence[float] | float | None" = None,
    degree: float = 3,
    intercept: bool = False,
    lower_bound: float | None = None,
    upper_bound: float | None = None,
) -> Spline:
    """B-splines with inner knots as given, or at quantiles so that there are ``df`` columns."""
    degree = _whole("degree", degree, least=0)
    if df is None and knots is None:
        raise RequestError("give df, the number of columns, or knots=[...]")
    low = float(np.min(x) if lower_bound is None else lower_bound)
    high = float(np.max(x) if upper_bound is None else upper_bound)
    if not low < high:
        raise RequestError(f"its lower bound {low:g} is not below its upper bound {high:g}")
    most = len(np.unique(x))
    inner = _quantiles(x, df, degree, intercept, most) if knots is None else np.sort(np.atleast_1d(knots))
    columns = len(inner) + degree + bool(intercept)
    if knots is not None and df is not None and df != columns:
        raise RequestError(f"{len(inner)} knots make {columns} columns, not df={df:g}")
    if not np.all((inner > low) & (inner < high)):
        wrong = inner[(inner <= low) | (inner >= high)][0]
        raise RequestError(f"the inner knot {wrong:g} does not lie between the outer ones, {low:g} and {high:g}")
    if columns > most:
        raise RequestError(f"{columns} columns of splines need as many different values; there are {most}")
    ends = degree + 1
    return Spline((*[low] * ends, *map(float, inner), *[high] * ends), degree, bool(intercept))


def _quantiles(x: Array, df: float | None, degree: int, intercept: bool, most: int) -> Array:
    """Inner knots at equally spaced quantiles."""
    least = degree + bool(intercept)
    df = _whole("df", df, least=max(least, 1))
    if df > most:
        raise RequestError(f"{df} columns of splines need as many different values; there are {most}")
    return np.asarray(np.quantile(x, np.linspace(0, 1, df - least + 2)[1:-1]))


def _whole(name: str, value: object, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0 or value < least:
        raise RequestError(f"{name} is a whole number from {least} on, not {value!r}")
    return int(value)


STATEFUL: dict[str, Callable[..., Transform]] = {
    "center": center,
    "scale": scale,
    "standardize": scale,
    "poly": poly,
    "bs": bs,
}
