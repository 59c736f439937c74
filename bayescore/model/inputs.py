"""The columns of a table that a regression's predictors are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Input:
    """A column that predictions depend on.

    Attributes
    ----------
    levels
        Of a category, each level's value in the table by its name, in order; None for numbers.
    reference
        The level that others are held against.
    factors
        The factors of group effects that it belongs to.
    only_groups
        Nothing but group effects use it.
    """

    name: str
    levels: Mapping[str, Any] | None = None
    reference: str | None = None
    factors: tuple[str, ...] = field(default=())
    only_groups: bool = False
