"""Which columns the right side of a formula uses, and what it takes them for."""

import pandas as pd
from pandas.api.types import is_numeric_dtype

from bayescore.model.inputs import Input
from bayescore.tables.formula.evaluation import names
from bayescore.tables.formula.levels import level_name, levels
from bayescore.tables.formula.predictors import Predictors


def inputs(right: Predictors, frame: pd.DataFrame) -> tuple[Input, ...]:
    """Name the columns in the order in which the formula has them; ``frame`` is what it was applied to."""
    formula = right.formula
    common = {name for part in (*formula.predictors, *formula.offsets) for name in names(part)}
    factors: dict[str, dict[str, None]] = {}
    for bar in formula.bars:
        for name in (name for part in bar.factor.factors for name in names(part)):
            factors.setdefault(name, {})[bar.factor.name] = None
    coded = {names(part)[0]: category for part, category in right.factors.categories.items() if names(part)}
    found = []
    for name in formula.right:
        values, of_factors, only_groups = None, tuple(factors.get(name, ())), name not in common
        reference = None
        if name in formula.categories or not is_numeric_dtype(frame[name]):
            category = coded.get(name)
            own = levels(frame[name])
            order = category.levels if category is not None and set(category.levels) == set(own) else own
            given = {level_name(value): value for value in frame[name].unique()}
            values = {level: given[level] for level in order if level in given}
            reference = (category.reference if category is not None else None) or next(iter(values))
            reference = reference if reference in values else next(iter(values))
        found.append(Input(name, values, reference, of_factors, only_groups))
    return tuple(found)
