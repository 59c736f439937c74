"""From a formula and a table to a design matrix, by formulae, with its doors shut.

A formula sees the table's columns and a closed list of functions, never the caller's
variables.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.data import Data, check_finite, rows_text
from bayescore.distributions import Array
from bayescore.errors import DataError, RequestError, suggest

if TYPE_CHECKING:
    import pandas as pd

_EXTRA = {"log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "sqrt": np.sqrt,
          "abs": np.abs, "sin": np.sin, "cos": np.cos, "tanh": np.tanh}  # fmt: skip
_OFFERED = ("C", "I", "S", "T", "bs", "center", "poly", "scale", "standardize", "binary")
_LATER = {"offset": "offsets", "proportion": "binomial responses", "prop": "binomial responses"}


@dataclass(frozen=True)
class Design:
    """A formula applied to a table, and able to be applied to another one.

    Attributes
    ----------
    data
        The design matrix and the response.
    intercept
        Whether the formula has one.
    dropped
        Row numbers, counted from 1, that were left out because of missing values.
    """

    formula: str
    data: Data
    intercept: bool
    dropped: tuple[int, ...]
    _matrices: Any

    def new(self, table: "pd.DataFrame") -> Data:
        """The design matrix of other rows, by the stored transforms; with the response where it is there.

        Raises
        ------
        DataError
            A column is missing, a value is, or a category was never seen.
        """
        right, response = self._variables()
        absent = sorted(right - set(table.columns))
        if absent:
            raise DataError(
                f"the new rows have no column {absent[0]!r} (columns: {', '.join(map(str, table.columns))})"
            )
        has_response = response <= set(table.columns)
        _check_columns(table, sorted(right | (response if has_response else set())))
        try:
            columns = np.asarray(self._matrices.common.evaluate_new_data(table)) if self.data.columns else None
        except Exception as error:
            raise DataError(f"the new rows don't fit the formula {self.formula!r}: {_first_line(error)}") from error
        names, x = _common(self._matrices.common, columns, len(table))
        check_finite(x, names)
        y = _response(_matrices(self.formula, table).response)[0] if has_response else None
        return Data(x, y, self.data.columns, self.data.response)

    def _variables(self) -> tuple[set[str], set[str]]:
        right = {name for term in self._matrices.model.common_terms for name in getattr(term, "var_names", ()) if name}
        response = self._matrices.model.response
        names = set(response.term.var_names) if response is not None else set()
        return right, {name for name in names if name}


def apply(formula: str, table: "pd.DataFrame", *, drop_missing: bool = False) -> Design:
    """Build the design matrix and the response of a formula.

    Parameters
    ----------
    drop_missing
        Leave out rows with a missing or infinite value in a column that is used.

    Raises
    ------
    RequestError
        The formula can't be read, or asks for something unknown.
    DataError
        A column is missing, or holds what can't be used.
    """
    present = [str(c) for c in table.columns]
    used = _read(formula, present)
    for name in used:
        if present.count(name) > 1:
            raise DataError(f"{present.count(name)} columns of the table are named {name!r}: rename all but one")
    dropped: tuple[int, ...] = ()
    if drop_missing:
        bad = np.flatnonzero(_missing(table, used))
        dropped = tuple(int(i) + 1 for i in bad)
        table = table.drop(index=table.index[bad])
    if len(table) == 0:
        raise DataError("no rows are left" if dropped else "the table has no rows")
    _check_columns(table, used)
    matrices = _matrices(formula, table)
    if matrices.response is None:
        raise RequestError(f"the formula {formula!r} has no response: write 'y ~ ...'")
    if matrices.group is not None:
        raise RequestError(f"group terms such as (1 | g) are not yet offered: {formula!r}")
    columns = None if matrices.common is None else np.asarray(matrices.common.design_matrix)
    names, x = _common(matrices.common, columns, len(table))
    check_finite(x, names)
    y, response = _response(matrices.response)
    check_finite(y[:, None], (response,))
    intercept = matrices.common is not None and "Intercept" in matrices.common.terms
    if not intercept and not names:
        raise RequestError(f"the formula {formula!r} has neither intercept nor columns: there is nothing to fit")
    return Design(formula, Data(x, y, names, response), intercept, dropped, matrices)


def _read(formula: str, columns: list[str]) -> list[str]:
    """Check a formula's names before anything is evaluated; return the columns it uses."""
    from formulae.model_description import model_description
    from formulae.scanner import Scanner

    try:
        tokens = Scanner(formula).scan()
        names = model_description(formula).var_names
    except Exception as error:
        raise RequestError(f"can't read the formula {formula!r}: {_first_line(error)}") from error
    known = sorted([*_OFFERED, *_EXTRA])
    for token, after in pairwise(tokens):
        if token.kind == "IDENTIFIER" and after.kind == "LEFT_PAREN" and token.lexeme not in known:
            if token.lexeme in _LATER:
                raise RequestError(f"{token.lexeme}() in {formula!r}: {_LATER[token.lexeme]} are not yet offered")
            raise RequestError(
                f"unknown function {token.lexeme!r} in the formula {formula!r}"
                f"{suggest(token.lexeme, known)} (functions: {', '.join(known)})"
            )
    for name in sorted(name for name in names if name):
        if name not in columns:
            raise DataError(f"no column {name!r} in the table{suggest(name, columns)} (columns: {', '.join(columns)})")
    return sorted(name for name in names if name)


def _matrices(formula: str, table: "pd.DataFrame") -> Any:
    from formulae import design_matrices
    from formulae.environment import Environment

    try:
        with np.errstate(all="ignore"):
            return design_matrices(
                formula, table, na_action="error", env=Environment([{}]), extra_namespace=dict(_EXTRA)
            )
    except Exception as error:
        raise RequestError(f"the formula {formula!r} fails on this table: {_first_line(error)}") from error


def _common(common: Any, columns: Any, rows: int) -> tuple[tuple[str, ...], Array]:
    """Names and values of the design matrix, its intercept left out."""
    if common is None or columns is None:
        return (), np.empty((rows, 0))
    names = [label for term in common.terms.values() for label in term.labels]
    kept = [j for j, name in enumerate(names) if name != "Intercept"]
    values = np.asarray(columns, dtype=np.float64).reshape(rows, -1)
    return tuple(str(names[j]) for j in kept), np.ascontiguousarray(values[:, kept])


def _response(response: Any) -> tuple[Array, str]:
    values = np.asarray(response.design_matrix)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        levels = [str(level) for level in getattr(response, "levels", None) or []]
        if len(levels) == 2:
            raise DataError(f"the response {response.name!r} is text: write {response.name}['{levels[1]}'] ~ ...")
        raise DataError(f"the response {response.name!r} has {len(levels)} categories; a number is needed")
    return values.astype(np.float64), str(response.name)


def _missing(table: "pd.DataFrame", used: list[str]) -> "np.ndarray":
    part = table[used]
    infinite = part.select_dtypes("number").apply(np.isinf).any(axis=1) if len(part.columns) else False
    return np.asarray(part.isna().any(axis=1) | infinite)


def _check_columns(table: "pd.DataFrame", used: list[str]) -> None:
    """Refuse missing and infinite values, and text among numbers."""
    import pandas as pd

    for name in used:
        column = table[name]
        bad = np.flatnonzero(_missing(table, [name]))
        if bad.size:
            raise DataError(
                f"column {name!r} is missing or infinite in {rows_text(bad)}: "
                "mend them, or leave these rows out with --drop-missing"
            )
        if not pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype):
            text = np.flatnonzero(pd.to_numeric(column, errors="coerce").isna())
            if 0 < text.size < 0.5 * len(column):
                raise DataError(
                    f"column {name!r} is numeric but for text in {rows_text(text)} ({column.iloc[text[0]]!r}): mend it"
                )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no message'}"
