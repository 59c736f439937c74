"""Orders of levels that a person states: ``y: low < medium < high``."""

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from bayescore.errors import DataError, RequestError
from bayescore.tables.formula.columns import find
from bayescore.tables.formula.levels import level_names, listed, positions

_ITEM = r"\s*(\"[^\"]*\"|'[^']*'|[^<:\"'\s][^<:]*?)\s*"
_STATED = re.compile(rf"{_ITEM}:{_ITEM}(?:<{_ITEM})*")


def parse(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read orders, one a text; names that hold a colon or ``<`` stand in quotes.

    Raises
    ------
    RequestError
        One can't be read, or a column has two.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        if _STATED.fullmatch(text) is None:
            raise RequestError(f"can't read the order {text!r}: write 'y: low < medium < high'")
        name, *levels = map(_bare, re.findall(_ITEM + "(?:[<:]|$)", text))
        if name in found:
            raise RequestError(f"the order of {name!r} is stated twice")
        found[name] = tuple(levels)
    return found


def write(name: str, levels: Sequence[str]) -> str:
    """Write an order as `parse` reads it."""
    return f"{_quoted(name)}: {' < '.join(map(_quoted, levels))}"


def _bare(item: str) -> str:
    return item[1:-1] if item[0] in "\"'" else item


def _quoted(name: str) -> str:
    if re.fullmatch(_ITEM, name) and name == name.strip() and name[0] not in "\"'":
        return name
    return f"'{name}'" if "'" not in name else f'"{name}"'


def declare(table: pd.DataFrame, orders: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    """Make ordered categories of columns, whose first level is the reference where one is needed.

    Raises
    ------
    DataError
        A column is not there, has a level that its order lacks, or a level is stated twice.
    """
    find(orders, table)
    changed = table.copy(deep=False)
    for name, stated in orders.items():
        if isinstance(stated, str):
            raise RequestError(f"the levels of {name!r} are a list, lowest first, not {stated!r}")
        levels = [str(level) for level in level_names(stated)]
        twice = [level for level in dict.fromkeys(levels) if levels.count(level) > 1]
        if twice:
            raise DataError(f"the order of {name!r} has the level {twice[0]!r} twice")
        column = table[name]
        given = column.notna().to_numpy()
        codes = positions(levels, column)
        absent = level_names(column[given & (codes < 0)])
        if absent.size:
            raise DataError(f"the order of {name!r} lacks the level {absent[0]!r} (stated: {listed(levels)})")
        codes[~given] = -1
        dtype = pd.CategoricalDtype(levels, ordered=True)
        changed[name] = pd.Series(pd.Categorical.from_codes(codes, dtype=dtype), index=table.index)
    return changed
