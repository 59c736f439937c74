"""Terms computed: the columns that factors and their codings make of a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bayescore.errors import DataError, RequestError
from bayescore.model.arrays import Array
from bayescore.tables.formula.coding import Block, Category, blocks, sum_to_zero, treatment
from bayescore.tables.formula.columns import check_seen
from bayescore.tables.formula.evaluation import CATEGORIES, CODINGS, Evaluator, called, names
from bayescore.tables.formula.levels import level_name, levels, listed, positions
from bayescore.tables.formula.reading import Term
from bayescore.tables.formula.syntax import Call, Listed, Literal, Name, Node, write

_MOST_VALUES = 1 << 28
"""Most values of a design matrix: 2 GiB."""
_FEW, _COLUMNS_A_ROW = 500, 10
"""Products of columns may make so many columns, or so many for each row: what is beyond is all prior."""
_CHECKED = 20_000_000
"""Most multiplications that the check of a design's span may take."""
_PARAMETERS = {"C": ("contrast", "levels"), "S": ("omit", "levels"), "T": ("ref", "levels")}


@dataclass(frozen=True)
class Factors:
    """What is known of each factor: the coding of a category, the labels of a call's columns.

    Attributes
    ----------
    labels
        Of numbers: None for one column, ``0``, ``1``, ... for several.
    """

    evaluator: Evaluator
    categories: dict[Node, Category]
    labels: dict[Node, tuple[str | None, ...]]

    def check_seen(self, table: pd.DataFrame) -> None:
        """Refuse a level that has no coefficient."""
        for part, category in self.categories.items():
            check_seen(", ".join(names(part)), self.evaluator.value(part, table), category.levels)

    def labels_of(self, part: Node, *, full: bool) -> tuple[str, ...]:
        """Names of a factor's columns."""
        name = write(part)
        if part in self.categories:
            return tuple(f"{name}[{label}]" for label in self.categories[part].labels(full=full))
        return tuple(name if label is None else f"{name}[{label}]" for label in self.labels[part])

    def rows(self, parts: Iterable[Node], table: pd.DataFrame) -> "dict[Node, np.ndarray]":
        """Factors by row of a table: positions of levels, shape (row,), or numbers, shape (row, column)."""
        found = {}
        for part in dict.fromkeys(parts):
            values = self.evaluator.value(part, table)
            category = self.categories.get(part)
            found[part] = _numbers(part, values, len(table)) if category is None else positions(category.levels, values)
        return found

    def products(self, block: Block, rows: "Mapping[Node, np.ndarray]", n: int) -> Array:
        """All products of the columns of a block's factors for n rows, the last factor's fastest."""
        found = np.ones((n, 1))
        for part in block.factors:
            category = self.categories.get(part)
            columns = rows[part] if category is None else category.columns(rows[part], full=part in block.full)
            found = (found[:, :, None] * columns[:, None, :]).reshape(n, -1)
        return found


@dataclass(frozen=True)
class Products:
    """The columns of some terms, which can be computed for other rows.

    Attributes
    ----------
    coded
        Each term's blocks.
    """

    factors: Factors
    coded: tuple[tuple[Block, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, the intercept's being ``1``."""
        return tuple(
            ":".join(labels) or "1"
            for block in self.blocks
            for labels in product(*(self.factors.labels_of(part, full=part in block.full) for part in block.factors))
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks."""
        return tuple(block for of_term in self.coded for block in of_term)

    @property
    def width(self) -> int:
        """The number of columns."""
        return sum(_width(self.factors, block) for block in self.blocks)

    def check_size(self, rows: int) -> None:
        """Refuse more columns than memory can be asked for."""
        if self.width * rows > _MOST_VALUES:
            raise RequestError(f"its {self.width} columns of {rows} rows need more memory than 2 GiB")

    def matrix(self, table: pd.DataFrame) -> Array:
        """The columns for the rows of a table.

        Raises
        ------
        RequestError
            They are more than memory can be asked for.
        """
        self.check_size(len(table))
        rows = self.factors.rows((part for block in self.blocks for part in block.factors), table)
        columns = [self.factors.products(block, rows, len(table)) for block in self.blocks]
        return np.ascontiguousarray(np.column_stack(columns)) if columns else np.empty((len(table), 0))


def code(terms: Sequence[Term], factors: Factors, table: pd.DataFrame) -> Products:
    """Code terms, and hold what comes out against what they stand for.

    Raises
    ------
    RequestError
        They can't be coded, or so that cells are lost.
    """
    known = frozenset(factors.categories)
    coded = Products(factors, blocks(terms, known))
    coded.check_size(len(table))
    products = any(len(term.factors) > 1 for term in terms)
    if products and coded.width > max(_FEW, _COLUMNS_A_ROW * len(table)):
        raise RequestError(f"its products make {coded.width} columns, for {len(table)} rows: leave some of them out")
    wholes = [Block(term.factors, known.intersection(term.factors)) for term in terms]
    wholes = [whole for whole in wholes if whole.full]
    width = coded.width
    if wholes and len(table) * width * (width + sum(_width(factors, whole) for whole in wholes)) <= _CHECKED:
        x = coded.matrix(table)
        rows = factors.rows((part for whole in wholes for part in whole.factors), table)
        for whole in wholes:
            if not spans(x, factors.products(whole, rows, len(table))):
                name = ":".join(write(part) for part in whole.factors)
                raise RequestError(f"the columns of {name} lose some of its cells: this is our fault, please report it")
    return coded


def spans(x: Array, wanted: Array) -> bool:
    """Whether columns that are wanted are combinations of those of x."""
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(wanted))):
        return True  # what isn't finite is refused by its row
    unit, goal = (m / np.maximum(np.linalg.norm(m, axis=0), np.finfo(float).tiny) for m in (x, wanted))
    left = goal - unit @ np.linalg.lstsq(unit, goal, rcond=None)[0]
    return bool(np.all(np.linalg.norm(left, axis=0) < 1e-6))


def _width(factors: Factors, block: Block) -> int:
    return prod(len(factors.labels_of(part, full=part in block.full)) for part in block.factors)


def learn(parts: Iterable[Node], table: pd.DataFrame, evaluator: Evaluator) -> Factors:
    """Take from a table what factors are, and what their codings and transforms keep.

    Raises
    ------
    RequestError, DataError
        A factor can't be computed.
    """
    factors = Factors(evaluator, {}, {})
    for part in dict.fromkeys(parts):
        values = evaluator.value(part, table)
        if called(part) in CATEGORIES or not is_numeric_dtype(values):
            if np.shape(values) != (len(table),):
                raise RequestError(f"{write(part)} is not one value a row")
            factors.categories[part] = _category(part, levels(values))
        else:
            width = _numbers(part, values, len(table)).shape[1]
            factors.labels[part] = (None,) if np.ndim(values) == 1 else tuple(str(i) for i in range(width))
    return factors


def _numbers(part: Node, values: Any, rows: int) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim not in {1, 2} or found.shape[0] != rows:
        raise RequestError(f"{write(part)} is not one number a row")
    return found.reshape(rows, -1)


def _category(part: Node, known: tuple[str, ...]) -> Category:
    """The coding that a factor asks for."""
    if not isinstance(part, Call) or part.name not in CATEGORIES:
        return treatment(known)
    try:
        settings = _settings(part)
        stated = settings.pop("levels", None)
        if stated is not None:
            known = _ordered(stated, known)
        if part.name == "T":
            return treatment(known, _level(settings.get("ref")))
        if part.name == "S":
            return sum_to_zero(known, _level(settings.get("omit")))
        return _contrast(settings.get("contrast"), known)
    except RequestError as error:
        raise RequestError(f"{write(part)}: {error}") from error


def _settings(part: Call) -> dict[str, Node]:
    parameters = _PARAMETERS[part.name]
    if len(part.args) > 1 + len(parameters):
        raise RequestError(f"{part.name}() takes a column, {' and '.join(parameters)}")
    settings = dict(zip(parameters, part.args[1:], strict=False))
    for name, value in part.named:
        if name not in parameters or name in settings:
            raise RequestError(f"{part.name}() takes a column, {' and '.join(parameters)}, each once; not {name}=")
        settings[name] = value
    return {name: value for name, value in settings.items() if value != Literal(None)}


def _contrast(stated: Node | None, known: tuple[str, ...]) -> Category:
    if stated is None:
        return treatment(known)
    name = stated.text if isinstance(stated, Name) else called(stated)
    given = stated.given if isinstance(stated, Call) else ()
    if name not in CODINGS or len(given) > 1:
        raise RequestError(f"{write(stated)} is no coding: {', '.join(CODINGS)} are, and Treatment('level')")
    level = _level(given[0]) if given else None
    return treatment(known, level) if name == "Treatment" else sum_to_zero(known, level)


def _level(stated: Node | None) -> str | None:
    if stated is None:
        return None
    if not isinstance(stated, Literal):
        raise RequestError(f"{write(stated)} is no level: write it in quotes")
    return level_name(stated.value)


def _ordered(stated: Node, known: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(str(_level(item)) for item in stated.items) if isinstance(stated, Listed) else ()
    if sorted(found) != sorted(known):
        raise RequestError(f"levels= lists each level once (levels: {listed(known)})")
    return found


def check_varies(terms: Iterable[Term], factors: Factors) -> None:
    """Refuse a product with a category of one level."""
    for term in terms:
        for part in term.factors if len(term.factors) > 1 else ():
            category = factors.categories.get(part)
            if category is not None and len(category.levels) == 1:
                column = ", ".join(names(part))
                raise DataError(
                    f"column {column!r} has one level only ({category.levels[0]}): take it out of {term.name!r}"
                )
