"""A regression's rows, and a draw's values, as JAX arrays of the current precision."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bayescore.model.data import Data
from bayescore.model.regression import Regression

Values = Mapping[str, jax.Array]


class Rows(NamedTuple):
    """The data row by row: arrays whose first axis is the row, or None where there is nothing.

    Attributes
    ----------
    groups
        For each group effect the position of the row's level, and what the offset is
        multiplied by.
    """

    x: Any
    y: Any
    offset: Any
    weights: Any
    trials: Any
    ones: Any
    groups: dict[str, tuple[Any, Any]]


def rows_of(data: Data, regression: Regression) -> Rows:
    """The data as JAX arrays of the current precision; categories, trials and levels are whole numbers."""
    x, offset, weights, ones = floats([data.x, data.offset, data.weights, data.ones])
    y = _whole(data.y) if regression.family.categorical else floats(data.y)
    groups = {key: (_whole(member.index), floats(member.value)) for key, member in data.groups.items()}
    return Rows(x, y, offset, weights, _whole(data.trials), ones, groups)


def _whole(values: Any) -> Any:
    return None if values is None else jnp.asarray(values, dtype=int)


def floats(tree: Any) -> Any:
    """The same tree with JAX arrays of the current precision for numbers."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=float), tree)
