"""The right side of a formula, computed: design matrix, offset and group effects."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.model.data import Membership, rows_text
from bayescore.tables.formula import groupings
from bayescore.tables.formula.evaluation import Evaluator, check_finite, failing_as
from bayescore.tables.formula.groupings import Group
from bayescore.tables.formula.products import Factors, Products, check_varies, code, learn
from bayescore.tables.formula.reading import INTERCEPT, Formula
from bayescore.tables.formula.syntax import write


@dataclass(frozen=True)
class Predictors:
    """The right side's terms with what they keep, which compute the same for other rows.

    Attributes
    ----------
    terms
        Those of the design matrix, without the intercept.
    """

    formula: Formula
    factors: Factors
    terms: Products
    groups: tuple[Group, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the design matrix's columns."""
        return self.terms.names

    def matrix(self, table: pd.DataFrame, rows: "np.ndarray") -> Array:
        """The design matrix; ``rows`` are the rows' positions in the user's table."""
        x = self.terms.matrix(table)
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
        for part in self.formula.offsets:
            total = total + np.broadcast_to(self.factors.evaluator.numbers(part, table), len(table))
        wrong = np.flatnonzero(~np.isfinite(total))
        if wrong.size:
            name = " + ".join(write(part) for part in self.formula.offsets)
            raise DataError(
                f"{name} overflows, or is no number, in {rows_text(rows[wrong])}: mend or remove these rows"
            )
        return total

    def memberships(self, table: pd.DataFrame, rows: "np.ndarray") -> dict[str, Membership]:
        """The group effects' memberships by effect, as ``x|g``."""
        return {name: m for group in self.groups for name, m in group.memberships(table, rows).items()}

    def references(self) -> dict[str, str]:
        """The reference level of each category that is coded against one."""
        blocks = [
            block for products in (self.terms, *(group.effects for group in self.groups)) for block in products.blocks
        ]
        parts = dict.fromkeys(part for block in blocks for part in block.factors if part not in block.full)
        known = {write(p): self.factors.categories[p].reference for p in parts if p in self.factors.categories}
        return {name: level for name, level in known.items() if level is not None}


def evaluate(formula: Formula, table: pd.DataFrame) -> Predictors:
    """Compute the right side of a formula: transforms and codings take what they keep from this table.

    Raises
    ------
    RequestError, DataError
        The table does not suit the formula.
    """
    with failing_as(RequestError, f"the formula {formula.text!r} fails on this table"):
        evaluator = Evaluator()
        try:
            factors = learn(formula.predictors, table, evaluator)
            for part in formula.offsets:
                evaluator.numbers(part, table)
            check_varies((*formula.common, *(term for bar in formula.bars for term in bar.terms)), factors)
            coded = code(formula.common, factors, table)
            groups = groupings.evaluate(formula, factors, table)
        except DataError:
            raise
        except RequestError as error:
            raise RequestError(f"the formula {formula.text!r} fails on this table: {error}") from error
    # the intercept stands apart
    of_terms = zip(formula.common, coded.coded, strict=True)
    terms = Products(factors, tuple(blocks for term, blocks in of_terms if term != INTERCEPT))
    for name, times in Counter(terms.names).items():
        if times > 1:
            raise RequestError(f"the formula {formula.text!r} has {times} columns named {name!r}: rename one")
    return Predictors(formula, factors, terms, groups)
