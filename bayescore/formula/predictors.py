"""The right side of a formula, evaluated: design matrix, offset and group effects."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulae.terms import Intercept
from formulae.terms.terms import Model

from bayescore.data import Membership, rows_text
from bayescore.distributions import Array
from bayescore.errors import DataError, RequestError
from bayescore.formula import groupings
from bayescore.formula.columns import check_seen
from bayescore.formula.evaluation import ENVIRONMENT, check_finite, components, failing_as, labels, matrix, names, raw
from bayescore.formula.groupings import Group
from bayescore.formula.levels import levels
from bayescore.formula.reading import Formula


@dataclass(frozen=True)
class Predictors:
    """Evaluated terms, which compute the same for other rows.

    Attributes
    ----------
    terms
        Those of the design matrix, without the intercept.
    coded
        The components that are categories, with the levels that their coding knows.
    """

    formula: Formula
    terms: tuple[Any, ...]
    groups: tuple[Group, ...]
    coded: tuple[tuple[Any, tuple[str, ...]], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the design matrix's columns."""
        return labels(self.terms)

    def matrix(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        """The design matrix; ``rows`` are the rows' positions in the user's table."""
        x = matrix(self.terms, table)
        check_finite(x, self.columns, rows)
        return x

    def offset(self, table: pd.DataFrame, rows: "np.ndarray") -> Array | None:
        """The sum of the offsets, or None without one.

        Raises
        ------
        DataError
            It overflows.
        """
        if not self.formula.offsets:
            return None
        total = np.zeros(len(table))
        for component in self.formula.offsets:
            offset = component.call.eval(table, ENVIRONMENT)
            offset.set_size(len(table))
            total += np.asarray(offset.eval(), dtype=np.float64).reshape(len(table))
        wrong = np.flatnonzero(~np.isfinite(total))
        if wrong.size:
            name = " + ".join(component.name for component in self.formula.offsets)
            raise DataError(
                f"{name} overflows, or is no number, in {rows_text(rows[wrong])}: mend or remove these rows"
            )
        return total

    def memberships(self, table: pd.DataFrame, rows: "np.ndarray") -> dict[str, Membership]:
        """The group effects' memberships by effect, as ``x|g``."""
        return {name: m for group in self.groups for name, m in group.memberships(table, rows).items()}

    def check_seen(self, table: pd.DataFrame) -> None:
        """Refuse a category that has no coefficient."""
        for component, known in self.coded:
            check_seen(", ".join(names(component)), raw(component, table), known)


def evaluate(formula: Formula, table: pd.DataFrame) -> Predictors:
    """Evaluate the right side of a formula: transforms and codings take what they keep from this table.

    Raises
    ------
    RequestError, DataError
        The table does not suit the formula.
    """
    model = Model(*formula.common)
    try:
        with failing_as(RequestError, f"the formula {formula.text!r} fails on this table"):
            model.eval(table, ENVIRONMENT)
            groups = groupings.evaluate(formula, table)
            terms = tuple(term for term in model.common_terms if not isinstance(term, Intercept))
            parts = [c for term in (*terms, *(e for group in groups for e in group.effects)) for c in components(term)]
            coded = tuple((part, levels(raw(part, table))) for part in parts if part.kind == "categoric")
    except DataError:
        raise
    except RequestError as error:
        raise (_explained(formula, table) or error) from error
    predictors = Predictors(formula, terms, groups, coded)
    for name, times in Counter(predictors.columns).items():
        if times > 1:
            raise RequestError(f"the formula {formula.text!r} has {times} columns named {name!r}: rename one")
    return predictors


def _explained(formula: Formula, table: pd.DataFrame) -> DataError | None:
    """Name a category of one level in an interaction: formulae stumbles over it, and does not say so."""
    for term in (*formula.common, *(term.expr for term in formula.effects)):
        for part in components(term) if len(components(term)) > 1 else ():
            known = levels(raw(part, table)) if part.kind == "categoric" else ()
            if len(known) == 1:
                column = ", ".join(names(part))
                return DataError(f"column {column!r} has one level only ({known[0]}): take it out of {term.name!r}")
    return None
