"""A regression's rows as tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bayescore.model.arrays import Array
from bayescore.model.data import Data


@dataclass(frozen=True)
class Member:
    """`bayescore.model.data.Membership`: each row's level, and what the level's offset is multiplied by."""

    index: Tensor
    value: Tensor

    def effect(self, offsets: Tensor) -> Tensor:
        """What offsets (level,) add to the rows."""
        return offsets.index_select(0, self.index) * self.value


@dataclass(frozen=True)
class Rows:
    """The tensors of a `bayescore.model.data.Data`, by the same names."""

    x: Tensor
    y: Tensor | None = None
    offset: Tensor | None = None
    weights: Tensor | None = None
    trials: Tensor | None = None
    ones: Tensor | None = None
    groups: Mapping[str, Member] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.x.shape[0]

    def take(self, rows: Tensor) -> "Rows":
        """A part of the rows."""

        def part(values: Tensor | None) -> Any:
            return None if values is None else values[rows]

        groups = {key: Member(m.index[rows], m.value[rows]) for key, m in self.groups.items()}
        return Rows(**{name: part(getattr(self, name)) for name in _NAMED}, groups=groups)


_NAMED = ("x", "y", "offset", "weights", "trials", "ones")


def to_tensors(data: Data) -> Rows:
    """Carry rows over, in the default dtype."""

    def tensor(values: Array | None) -> Any:
        return None if values is None else torch.tensor(values, dtype=torch.get_default_dtype())

    groups = {key: Member(torch.tensor(m.index), tensor(m.value)) for key, m in data.groups.items()}
    return Rows(**{name: tensor(getattr(data, name)) for name in _NAMED}, groups=groups)
