"""What a formula may call, and how a part of it is evaluated on a table."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
from formulae.categorical import ENCODINGS
from formulae.environment import Environment
from formulae.transforms import TRANSFORMS

from bayescore.data import rows_text
from bayescore.distributions import Array
from bayescore.errors import DataError, RequestError

if TYPE_CHECKING:
    import pandas as pd

_NUMPY = {"log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "sqrt": np.sqrt,
          "abs": np.abs, "sin": np.sin, "cos": np.cos, "tanh": np.tanh}  # fmt: skip
CODINGS = tuple(ENCODINGS)
"""Contrasts, which a formula may name without calling them, as in ``C(g, Sum)``."""
CATEGORIES = ("C", "S", "T")
"""Functions whose first argument is taken for categories."""
PROPORTIONS = ("proportion", "prop", "p")
FUNCTIONS = sorted(
    [*CATEGORIES, "I", "bs", "center", "poly", "scale", "standardize", "offset", *PROPORTIONS, *CODINGS, *_NUMPY]
)
ENVIRONMENT = Environment([{**TRANSFORMS, **ENCODINGS}, _NUMPY])
"""All that a formula sees beside the table's columns."""


@contextmanager
def failing_as(kind: type[RequestError], what: str) -> Iterator[None]:
    """Turn whatever formulae raises into one line, and keep what it prints from the user."""
    try:
        with np.errstate(all="ignore"), redirect_stdout(io.StringIO()):
            yield
    except RequestError:
        raise
    except Exception as error:
        raise kind(f"{what}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """Name an error, and say what it says first."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no message'}"


def components(term: Any) -> tuple[Any, ...]:
    """What a term multiplies: columns and calls, none for an intercept."""
    return tuple(getattr(term, "components", ()))


def names(component: Any) -> tuple[str, ...]:
    """The columns that a component uses."""
    return tuple(sorted(name for name in component.var_names if name and name not in CODINGS))


def called(component: Any) -> str | None:
    """The function that a component calls; None for a column."""
    call = getattr(component, "call", None)
    return None if call is None else str(call.callee)


def raw(component: Any, table: "pd.DataFrame") -> Any:
    """A component's values before they are coded: of ``C(g)`` those of g, with the order they have."""
    function = called(component)
    if function is None:
        return table[component.name]
    if function in CATEGORIES:
        return next(iter((*component.call.args, *component.call.kwargs.values()))).eval(table, ENVIRONMENT)
    return component.call.eval(table, ENVIRONMENT)


def labels(terms: Sequence[Any]) -> tuple[str, ...]:
    """Names of the columns that evaluated terms make."""
    return tuple(str(label) for term in terms for label in term.labels)


def matrix(terms: Sequence[Any], table: "pd.DataFrame") -> Array:
    """The columns of evaluated terms for the rows of a table, by the stored transforms."""
    blocks = [np.asarray(term.eval_new_data(table), dtype=np.float64).reshape(len(table), -1) for term in terms]
    return np.ascontiguousarray(np.column_stack(blocks)) if blocks else np.empty((len(table), 0))


def check_finite(values: Array, names: Sequence[str], rows: "np.ndarray") -> None:
    """Raise `DataError` where a column is NaN or infinite; ``rows`` are the rows' positions in the user's table."""
    for name, column in zip(names, values.T, strict=True):
        wrong = np.flatnonzero(~np.isfinite(column))
        if wrong.size:
            raise DataError(
                f"column {name!r} is NaN or infinite in {rows_text(rows[wrong])}: mend or remove these rows"
            )
