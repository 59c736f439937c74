"""What is compared: a regression, its data, and the rows to predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bayescore import notation
from bayescore.errors import RequestError, check_is
from bayescore.model import families
from bayescore.model.data import Data, from_arrays, rows_text, toy_data
from bayescore.model.distributions import Distribution, Normal
from bayescore.model.families import Family, Gaussian
from bayescore.model.groups import Grouping
from bayescore.model.regression import Regression
from bayescore.printable import shown
from bayescore.regressions.problem import Problem
from bayescore.system import memory
from bayescore.tables.default_priors import state
from bayescore.tables.files import remarks, to_pandas
from bayescore.tables.remarks import check

MOST_PREDICTED = 200


def toy(n: int = 100, p: int = 1, noise_sd: float = 0.1, seed: int = 0, sigma: float = 0.1) -> Problem:
    """The tutorial's problem: `toy_data`, Normal(0, 10) priors, sigma fixed.

    Predicted are 20 points on [6, 7], with the true mean as their response.
    """
    family = Gaussian(sigma=sigma)
    if isinstance(p, int):
        memory.check_square(p, "the toy's columns", "ask for fewer")
    table = toy_data(n, p, noise_sd, seed)
    data = from_arrays(table[:, :-1], table[:, -1])
    grid = np.repeat(np.linspace(6.0, 7.0, 20)[:, None], p, axis=1)
    new = Data(grid, 1.0 + 3.0 * grid.sum(axis=1), data.columns, data.response)
    prior = Normal(0.0, 10.0)
    stated = Regression(family, data.columns, prior, (prior,) * p)
    source = f"toy(n={n}, p={p}, noise_sd={noise_sd:g}, seed={seed})"
    return Problem(stated, data, new, source, "y ~ " + " + ".join(data.columns))


def from_data(
    data: Data,
    *,
    family: Family | type[Family] | str = "Gaussian",
    priors: Mapping[str, Distribution | str] | Literal["auto"] = "auto",
    intercept: bool = True,
    groupings: Sequence[Grouping] = (),
    network: tuple[int, ...] = (),
    new_data: Data | None = None,
    source: str = "arrays",
    formula: str | None = None,
    notes: tuple[str, ...] = (),
) -> Problem:
    """State the problem of a design matrix; priors that are not given are the default ones.

    Parameters
    ----------
    priors
        By site or parameter, or ``auto`` for the default ones of all
        (`bayescore.tables.default_priors.default_priors`).
    network
        Hidden units of each layer of a network in the linear predictor's place.

    Raises
    ------
    RequestError, DataError
        The request or the data can't be used.
    """
    _check_statement(priors, network, source)
    check_is(data, Data, "from_data takes a Data, as from_arrays(x, y); for a data frame there is from_table")
    check_is(new_data, Data | None, "the rows to predict are a Data, as from_arrays(x)")
    check_is(formula, str | None, "a formula is a text")
    for what, values, kind in (("groupings", groupings, Grouping), ("notes", notes, str)):
        if not isinstance(values, tuple | list) or not all(isinstance(value, kind) for value in values):
            raise RequestError(f"{what} are a list of {kind.__name__}, not {shown(values)}")
    check_is(intercept, bool, "intercept is True or False")
    memory.check_square(len(data.columns), f"{len(data.columns)} columns", "leave some out")
    data.check()
    family = families.parse(family).for_data(data)
    family.check_response(data)
    given = {} if priors == "auto" else priors
    stated = state(family, data, given, intercept=intercept, groupings=groupings, hidden=network)
    warnings = tuple(check(stated, data))
    new = data.take(slice(MOST_PREDICTED)) if new_data is None else new_data
    return Problem(stated, data, new, source, formula, warnings, notes)


def from_table(
    formula: str,
    table: object,
    *,
    family: Family | type[Family] | str = "Gaussian",
    priors: Mapping[str, Distribution | str] | Literal["auto"] = "auto",
    weights: str | None = None,
    network: tuple[int, ...] = (),
    new_table: object | None = None,
    drop_missing: bool = False,
    levels: Mapping[str, Sequence[object]] | None = None,
    source: str = "a data frame",
) -> Problem:
    """State the problem of a formula and a table.

    Parameters
    ----------
    table, new_table
        Whatever `bayescore.tables.files.to_pandas` takes: pandas, polars, a dictionary of arrays.
    weights
        The column that multiplies each row's log likelihood.
    levels
        The levels of columns in their order: of an ordinal response, lowest first; of a
        predictor, the reference first.

    Raises
    ------
    RequestError, DataError
        The request or the data can't be used.
    """
    from bayescore.tables.formula import apply, orders

    check_is(formula, str, "a formula is a text, as 'y ~ x'")
    check_is(weights, str | None, "weights is the name of a column")
    check_is(drop_missing, bool, "drop_missing is True or False")
    _check_statement(priors, network, source)
    family = families.parse(family)
    check_is(levels, Mapping | None, "levels are a dictionary, as {'y': ['low', 'medium', 'high']}")
    frame = to_pandas(table)
    design = apply(
        formula,
        orders.declare(frame, levels or {}),
        drop_missing=drop_missing,
        weights=weights,
        categorical_response=family.categorical,
        ordered_response=family.thresholds,
    )
    notes = remarks(frame) + design.notes
    if design.dropped:
        rows = rows_text([row - 1 for row in design.dropped])
        notes += (f"left out {len(design.dropped)} of {design.data.rows + len(design.dropped)} rows with missing "
                  f"values: {rows}",)  # fmt: skip
    if new_table is not None:
        notes += (*(f"new rows: {text}" for text in remarks(new_table)), *design.new_levels(new_table))
    doubts = () if new_table is None else design.warnings(new_table)
    stated = from_data(
        design.data,
        family=family,
        priors=priors,
        intercept=design.intercept,
        groupings=design.groupings,
        network=network,
        new_data=None if new_table is None else design.new(new_table),
        source=source,
        formula=formula,
        notes=notes,
    )
    return replace(stated, warnings=(*design.doubts, *stated.warnings, *doubts), design=design)


def _check_statement(priors: object, network: object, source: object) -> None:
    """Refuse what neither statement of a problem can be made of."""
    if priors != "auto" if isinstance(priors, str) else not isinstance(priors, Mapping):
        raise RequestError(f"priors are a dictionary, as {{'beta': 'Normal(0, 10)'}}, or 'auto', not {shown(priors)}")
    check_is(network, tuple | list, "network is the hidden units of each layer, as (16, 8)")
    check_is(source, str, "source is a text")


@dataclass(frozen=True)
class ToySettings:
    """``toy(n=100, p=1, noise_sd=0.1)``, as it is written on the command line."""

    n: int = 100
    p: int = 1
    noise_sd: float = 0.1


def toy_settings(text: str) -> ToySettings | None:
    """Read ``toy`` or a call of it; None if the text is something else, as a path is."""
    if text != "toy" and not text.replace(" ", "").startswith("toy("):
        return None
    return notation.construct(notation.parse(text), {"toy": ToySettings}, "data set")
