"""Independent draws from a posterior on a lattice."""

import itertools

import numpy as np

from bayescore.exact.keys import find, packed
from bayescore.exact.lattice import Lattice
from bayescore.model.arrays import Array


def sample(lattice: Lattice, count: int, rng: np.random.Generator) -> Array:
    """Draw t, shape (count, d), by rejection from what lies linearly between the nodes.

    The bound of the ratio of the densities is the largest one seen (Caffo, Booth and
    Davis 2002, *Empirical supremum rejection sampling*); it is little above 1.
    """
    t, ratio, level = np.empty((0, lattice.axes)), np.empty(0), np.empty(0)
    while np.count_nonzero(accepted := level * np.max(ratio, initial=0.0) < ratio) < count:
        proposed = _between(lattice, count // 4 + 100 if len(t) else count + count // 4 + 100, rng)
        t = np.concatenate([t, proposed])
        ratio = np.concatenate([ratio, _ratio(lattice, proposed)])
        level = np.concatenate([level, rng.random(len(proposed))])
    return np.asarray(t[accepted][:count])


def _between(lattice: Lattice, count: int, rng: np.random.Generator) -> Array:
    """Draw a node by its density and move it at most one step, by a triangular distribution, along each axis."""
    cumulative = np.cumsum(np.exp(lattice.log_density - np.max(lattice.log_density)))
    node = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    shift = rng.random((count, lattice.axes)) - rng.random((count, lattice.axes))
    return np.asarray(lattice.at(lattice.keys[np.minimum(node, cumulative.size - 1)]) + shift * lattice.steps)


def _ratio(lattice: Lattice, t: Array) -> Array:
    """The density over its linear interpolation, shape (n,)."""
    top = np.max(lattice.log_density)
    below = np.floor(t / lattice.steps).astype(np.int64)
    share = t / lattice.steps - below
    interpolated = np.zeros(len(t))
    for corner in itertools.product((0, 1), repeat=t.shape[1]):
        at, there = find(packed(below + np.array(corner)), lattice.keys)
        weight = np.prod(np.where(corner, share, 1.0 - share), axis=1)
        interpolated += np.where(there, weight * np.exp(lattice.log_density[at] - top), 0.0)
    density = np.exp(lattice.integrand.at(t)[0] - top)
    return np.asarray(np.nan_to_num(density / interpolated, posinf=0.0))
