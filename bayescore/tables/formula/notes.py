"""What the columns of a formula were taken for, in words."""

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bayescore.tables.files import read_as_missing
from bayescore.tables.formula.evaluation import CATEGORIES, called, names
from bayescore.tables.formula.levels import levels, listed, reads_as_numbers
from bayescore.tables.formula.predictors import Predictors
from bayescore.tables.formula.response import Response
from bayescore.tables.formula.syntax import Call, Name, Node, quoted, write
from bayescore.tables.spelling import is_missing

_FEW = range(3, 11)
"""So many different whole numbers may be meant as categories."""
_MANY, _NEARLY_ALL = 4, 0.8
"""Different texts, in all and for each row, that are hardly categories."""


def notes(right: Predictors, table: pd.DataFrame, response: Response, weights: str | None) -> tuple[str, ...]:
    """Say what each column was taken for, and what is odd about it."""
    numbers, categories = _taken(right, table)
    parts = []
    if numbers:
        parts.append("as numbers: " + ", ".join(name + hint for name, hint in numbers.items()))
    if categories:
        counted = [f"{name} ({len(found)})" for name, found in categories.items()]
        counted[0] = counted[0][:-1] + (" level)" if counted[0].endswith("(1)") else " levels)")
        parts.append("as categories: " + ", ".join(counted))
    if weights is not None:
        parts.append(f"as weights: {weights}")
    told = ["taken " + "; ".join(parts)] if parts else []
    references = [f"{level} of {name}" for name, level in right.references().items()]
    if references:
        told.append(f"reference level{'s' * (len(references) > 1)}: {listed(references)}")
    told += _single(categories, right)
    if response.categories:
        told.append(_order(response, table))
    return tuple(told)


def absences(table: pd.DataFrame) -> tuple[str, ...]:
    """Say which text in a column of numbers was read as missing."""
    return tuple(
        f"{', '.join(map(repr, texts))} in the column {name} is read as missing"
        for name, texts in read_as_missing(table, map(str, table.columns)).items()
    )


def doubts(right: Predictors, table: pd.DataFrame, response: Response) -> tuple[str, ...]:
    """Say where categories may not be what they were taken for."""
    evaluator = right.factors.evaluator
    told = []
    for part in right.formula.predictors:
        name, column = write(part), evaluator.value(part, table) if isinstance(part, Name) else None
        if column is not None and not is_numeric_dtype(column):
            known = levels(column)
            if len(known) >= max(_MANY, _NEARLY_ALL * len(table)):
                told.append(f"{name} is text with {len(known)} different values in {len(table)} rows: nearly a "
                            f"coefficient for each row; leave it out, or write (1 | {name})")  # fmt: skip
            elif reads_as_numbers(pd.unique(np.asarray(column, dtype=object))):
                told.append(f"{name} is text that reads as numbers, and is taken for categories")
    _, categories = _taken(right, table)
    if response.categories:
        categories[response.name] = response.categories
    for name, known in categories.items():
        empty = [repr(level) for level in known if is_missing(level)]
        if empty:
            told.append(f"{', '.join(empty)} is a level of {name}, not missing: in text only an empty field is missing")
    return tuple(dict.fromkeys(told))


def _taken(right: Predictors, table: pd.DataFrame) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Columns that are numbers, with a hint; and those that are categories, with their levels."""
    formula, evaluator = right.formula, right.factors.evaluator
    numbers: dict[str, str] = {}
    categories: dict[str, tuple[str, ...]] = {}
    for part in (*formula.predictors, *formula.offsets):
        if called(part) in CATEGORIES:
            categories[_argument(part)] = levels(evaluator.value(part, table))
            continue
        for name in names(part):
            if not is_numeric_dtype(table[name]):
                categories[name] = levels(table[name])
            else:
                numbers[name] = numbers.get(name, "") or (_hint(table[name]) if called(part) is None else "")
    for part in formula.factors:
        categories[_argument(part)] = levels(evaluator.value(part, table))
    return numbers, categories


def _argument(part: Node) -> str:
    """A column's name, also where it is given to C, S or T; otherwise the call."""
    inner = part.args[0] if isinstance(part, Call) and part.name in CATEGORIES else part
    return inner.text if isinstance(inner, Name) else write(part)


def _hint(column: "pd.Series[Any]") -> str:
    different = column.unique()
    if len(different) in _FEW and np.all(np.mod(different, 1) == 0):
        return f" ({len(different)} different whole numbers: write C({quoted(str(column.name))}) for categories)"
    return ""


def _single(categories: dict[str, tuple[str, ...]], right: Predictors) -> list[str]:
    """Categories and factors that don't vary."""
    factors = {group.grouping.factor: group.grouping.levels for group in right.groups}
    single = {name: found[0] for name, found in (categories | factors).items() if len(found) == 1}
    tails = dict.fromkeys(factors, ": only the priors tell how its effects vary")
    return [f"{name} has one level only ({level}){tails.get(name, '')}" for name, level in single.items()]


def _order(response: Response, table: pd.DataFrame) -> str:
    present = set(levels(np.asarray(response.evaluator.value(response.part, table), dtype=object)))
    absent = [name for name in response.categories if name not in present]
    tail = f"; no row has {listed(absent)}" if absent else ""
    return (
        f"{response.name} has {len(response.categories)} categories, in this order: {listed(response.categories)}{tail}"
    )
