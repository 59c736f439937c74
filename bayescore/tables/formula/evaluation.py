"""What a formula may call, and how a part of it is computed from a table.

A part is a tree of `bayescore.tables.formula.syntax`. It sees the table's columns and the functions
listed here, never the caller's variables, and nothing is handed to Python to evaluate.
"""

import inspect
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.model.data import rows_text
from bayescore.printable import first_line
from bayescore.tables.formula.stateful import STATEFUL, Spline, Transform
from bayescore.tables.formula.syntax import COMPARISONS, Binary, Call, Listed, Literal, Name, Node, Signed, parts, write

if TYPE_CHECKING:
    import pandas as pd

_NUMPY = {"log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "sqrt": np.sqrt,
          "abs": np.abs, "sin": np.sin, "cos": np.cos, "tanh": np.tanh}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
CODINGS = ("Treatment", "Sum")
"""Codings of categories, which stand as an argument of C, as in ``C(g, Sum)``."""
CATEGORIES = ("C", "S", "T")
"""Functions whose first argument is taken for categories."""
PROPORTIONS = ("proportion", "prop", "p")
FUNCTIONS = sorted([*CATEGORIES, "I", "offset", *PROPORTIONS, *CODINGS, *STATEFUL, *_NUMPY])


@contextmanager
def failing_as(kind: type[RequestError], what: str) -> Iterator[None]:
    """Turn whatever pandas or NumPy raise into one line."""
    try:
        with np.errstate(all="ignore"):
            yield
    except RequestError:
        raise
    except Exception as error:
        raise kind(f"{what}: {type(error).__name__}: {first_line(error)}") from error


def called(part: Node) -> str | None:
    """The function that a part calls; None for a column."""
    return part.name if isinstance(part, Call) else None


def names(part: Node) -> tuple[str, ...]:
    """The columns that a part uses, in order; of ``C(g, Sum)`` those of its first argument."""
    found: dict[str, None] = {}
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            found[node.text] = None
        if isinstance(node, Call) and node.name in CATEGORIES:
            waiting += node.args[:1]
        else:
            waiting += reversed(parts(node))
    return tuple(found)


@dataclass(frozen=True)
class Evaluator:
    """Computes parts of a formula from tables; what a transform took from the first table, it keeps.

    Attributes
    ----------
    kept
        The transforms by the calls that made them.
    """

    kept: dict[Call, tuple[Node, Transform]] = field(default_factory=dict)

    def value(self, part: Node, table: "pd.DataFrame") -> Any:
        """A part's values: a column of any kind, numbers by row (and column), or one number or text.

        Of ``C(g)`` they are those of g, with the order that it has.

        Raises
        ------
        RequestError
            It can't be computed.
        """
        if isinstance(part, Name):
            return table[part.text]
        if isinstance(part, Literal):
            return part.value
        if isinstance(part, Signed):
            right = self.numbers(part.right, table)
            return -right if part.operator == "-" else right
        if isinstance(part, Binary):
            return self._binary(part, table)
        if isinstance(part, Call):
            return self._call(part, table)
        raise RequestError(f"{write(part)} is out of place")

    def numbers(self, part: Node, table: "pd.DataFrame") -> Any:
        """A part's values as floating-point numbers."""
        from pandas.api.types import is_numeric_dtype

        values = self.value(part, table)
        if values is None or isinstance(values, str) or not is_numeric_dtype(np.asarray(values)):
            raise RequestError(f"{write(part)} is not made of numbers")
        return np.asarray(values, dtype=np.float64)

    def _binary(self, part: Binary, table: "pd.DataFrame") -> Any:
        if part.operator in COMPARISONS:
            return np.asarray(_COMPARE[part.operator](self.value(part.left, table), self.value(part.right, table)))
        if part.operator not in _ARITHMETIC:
            raise RequestError(f"{part.operator!r} has no meaning inside {write(part)}")
        return _ARITHMETIC[part.operator](self.numbers(part.left, table), self.numbers(part.right, table))

    def _call(self, part: Call, table: "pd.DataFrame") -> Any:
        if part.name in CATEGORIES and part.args:
            return self.value(part.args[0], table)
        if part.name in STATEFUL:
            return self._stateful(part, table)
        if part.name not in {"I", "offset", *_NUMPY} or part.named or len(part.args) != 1:
            raise RequestError(f"{write(part)}: {part.name}() is out of place or takes other arguments")
        if part.name == "I":
            return self.value(part.args[0], table)
        numbers = self.numbers(part.args[0], table)
        return _NUMPY[part.name](numbers) if part.name in _NUMPY else numbers

    def _stateful(self, part: Call, table: "pd.DataFrame") -> Any:
        if part not in self.kept:
            try:
                given = inspect.signature(STATEFUL[part.name]).bind(*part.args, **dict(part.named)).arguments
                x = given.pop("x")
                settings = {name: self._setting(value, table) for name, value in given.items()}
                self.kept[part] = x, STATEFUL[part.name](self._column(x, table), **settings)
            except (RequestError, TypeError, ValueError, OverflowError) as error:
                raise RequestError(f"{write(part)}: {error}") from error
        x, transform = self.kept[part]
        return transform(self._column(x, table))

    def _column(self, part: Node, table: "pd.DataFrame") -> Array:
        x: Array = self.numbers(part, table)
        if x.shape != (len(table),):
            raise RequestError(f"{write(part)} is not one number a row")
        if not np.all(np.isfinite(x)):
            raise RequestError(f"{write(part)} is NaN or infinite in {np.sum(~np.isfinite(x))} of {len(x)} rows")
        return x

    def _setting(self, part: Node, table: "pd.DataFrame") -> Any:
        """An argument beside the column: a constant, or a list of numbers."""
        if names(part):
            raise RequestError(f"{write(part)} should be a constant")
        if isinstance(part, Listed):
            return [float(self.numbers(item, table)) for item in part.items]
        return part.value if isinstance(part, Literal) else float(self.numbers(part, table))

    def outside(self, table: "pd.DataFrame") -> tuple[str, ...]:
        """Say which splines are asked for values outside their outer knots, a sentence each."""
        told = []
        for call, (part, transform) in self.kept.items():
            if isinstance(transform, Spline):
                x, (low, high) = self._column(part, table), transform.bounds
                out = np.flatnonzero((x < low) | (x > high))
                if out.size:
                    told.append(
                        f"{write(call)} is continued outside its knots, from {low:g} to {high:g}, in "
                        f"{rows_text(out)}: what is predicted there rests on its outermost polynomials alone"
                    )
        return tuple(told)


def check_finite(values: Array, names: Sequence[str], rows: "np.ndarray") -> None:
    """Raise `DataError` where a column is NaN or infinite; ``rows`` are the rows' positions in the user's table."""
    for name, column in zip(names, values.T, strict=True):
        wrong = np.flatnonzero(~np.isfinite(column))
        if wrong.size:
            raise DataError(
                f"column {name!r} is NaN or infinite in {rows_text(rows[wrong])}: mend or remove these rows"
            )
