"""Nodes of a lattice as integers: their indices along at most three axes, 21 bits each.

Arrays of keys are sorted, so that sets of nodes are merged and looked up fast.
"""

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Indices = NDArray[np.int64]

_BITS = 21
_ZERO = 1 << 20
"""The key of index 0, so that indices may be negative."""


def packed(indices: Indices) -> Keys:
    """Keys of nodes, shape (n,), by their indices, shape (n, axis); in the order that they come in."""
    return np.asarray(np.sum(indices + _ZERO << _BITS * np.arange(indices.shape[1]), axis=1))


def index(keys: Keys, axis: int) -> Indices:
    """Indices along an axis, shape (n,)."""
    return np.asarray((keys >> _BITS * axis & (1 << _BITS) - 1) - _ZERO)


def doubled(keys: Keys, axis: int) -> Keys:
    """The same nodes where there are twice as many along an axis."""
    return keys + (index(keys, axis) << _BITS * axis)


def widened(keys: Keys, axes: int, low: int, high: int) -> Keys:
    """All nodes that lie from ``low`` to ``high`` nodes away along each axis."""
    for axis in range(axes):
        shifts = np.arange(low, high + 1) << _BITS * axis
        keys = union(*(keys + shift for shift in shifts))
    return keys


def union(*parts: Keys) -> Keys:
    """The nodes of all parts, once each."""
    merged = np.sort(np.concatenate(parts), kind="stable")  # which makes use of the order that there is
    return merged[np.append(True, merged[1:] != merged[:-1])] if merged.size else merged


def find(keys: Keys, among: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Positions of keys among others, and whether they are there."""
    if not among.size:
        return np.zeros(keys.size, dtype=np.intp), np.zeros(keys.size, dtype=bool)
    at = np.minimum(np.searchsorted(among, keys), among.size - 1)
    return at, among[at] == keys
