"""What is asked for in Python: a problem, or a formula with its table, and by keywords how it is stated and run."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from bayescore.backend import Precision
from bayescore.errors import RequestError, suggest
from bayescore.methods import Method
from bayescore.printable import shown
from bayescore.settings import Settings
from bayescore.tables.problem import from_table

if TYPE_CHECKING:
    from bayescore.model.distributions import Distribution
    from bayescore.model.families import Family


class Asked(TypedDict, total=False):
    """Keywords of `bayescore.from_table`, which go with a formula, and of `bayescore.Settings`."""

    family: "Family | type[Family] | str"
    priors: "Mapping[str, Distribution | str] | Literal['auto']"
    weights: str | None
    network: tuple[int, ...]
    new_table: object | None
    drop_missing: bool
    levels: Mapping[str, Sequence[object]] | None
    source: str
    method: str | Method | type[Method] | None
    reference: str
    margin: float
    alpha: float
    seed: int
    precision: Precision
    jobs: int | None
    timeout: float | None
    smoke: bool
    model_only: bool
    reduce: bool
    cores: int | None
    settle: bool


_STATING = tuple(name for name in inspect.signature(from_table).parameters if name not in {"formula", "table"})


def stated(model: object, table: object, asked: Mapping[str, Any]) -> Any:
    """What is compared or fitted: a formula is applied to its table, with what is asked about it.

    Raises
    ------
    RequestError, DataError
        A formula has no table or what is no formula has one, or it can't be applied.
    """
    about = {name: value for name, value in asked.items() if name in _STATING}
    if isinstance(model, str):
        if table is None:
            raise RequestError(f"the formula {shown(model)} needs a table: give a data frame after it")
        return from_table(model, table, **about)
    if about:
        raise RequestError(f"{', '.join(about)} go with a formula and its table; a problem has been stated already")
    return model


def run_by(settings: object, asked: Mapping[str, Any]) -> Settings:
    """The settings with what is asked about the run put over them.

    Raises
    ------
    RequestError
        A keyword is unknown, or a value is wrong.
    """
    if settings is None:
        settings = Settings()
    if not isinstance(settings, Settings):
        raise RequestError(f"the settings are written as Settings(margin=0.1, ...), not {shown(settings)}")
    known = [*Settings.declared, *_STATING]
    for name in asked:
        if name not in known:
            raise RequestError(f"unknown keyword {name!r}{suggest(name, known)} (keywords: {', '.join(known)})")
    return replace(settings, **{name: value for name, value in asked.items() if name in Settings.declared})
