"""The nodes of the trapezoidal rule, wherever the posterior is not negligible.

Nodes lie on a lattice in the coordinates t of a `Frame`. From a box around the mode the
region is followed outwards, neighbour by neighbour, until the density, times the squared
distance in sds, has fallen by e^-28: no box has to hold it, and a long tail costs little.
"""

import numpy as np

from bayescore.density.specification import LogJoint
from bayescore.errors import UnsupportedError
from bayescore.exact import keys as nodes
from bayescore.exact.frame import FURTHEST, Frame
from bayescore.exact.keys import Keys
from bayescore.model.arrays import Array
from bayescore.model.transforms import Elementwise, constrain

_NATS = 28.0
_BOX = 6.0


class Integrand:
    """The posterior density of t, and the quantities whose moments are wanted.

    Parameters
    ----------
    joint
        Log joint density of a regression.
    frame
        The map from t.
    bounded
        Whether the quantities are the angles of the frame's x, arctan(x), instead: they have
        a variance under any posterior.
    """

    def __init__(self, joint: LogJoint, frame: Frame, *, bounded: bool = False) -> None:
        self.joint, self.frame, self.bounded = joint, frame, bounded
        self.slots = joint.regression.slots()

    def at(self, t: Array) -> tuple[Array, Array]:
        """Log density of t, shape (n,), and quantities, shape (n, 2 d + 1), or (n, d) where they are bounded.

        Quantities are the parameters on the scale they are judged on, the parameters
        themselves, and the log joint density. The log density is NaN where a number
        overflows, or t is too far out, and -inf where there is no mass.
        """
        with np.errstate(all="ignore"):
            u, log_det = self.frame.at(t)
            values, own = constrain(self.slots, u, np)
            log_joint = self.joint(values)
            log_density = log_joint + own + log_det
        constrained = np.concatenate([np.reshape(values[slot.site], (len(t), -1)) for slot in self.slots], axis=1)
        judged = constrained.copy()
        for slot in self.slots:
            if isinstance(slot.transform, Elementwise):
                judged[:, slot.start : slot.stop] = u[:, slot.start : slot.stop]
        lost = (log_density == np.inf) | ~np.isfinite(constrained).all(axis=1) | (np.abs(t) > FURTHEST).any(axis=1)
        log_density = np.where(lost, np.nan, log_density)
        if self.bounded:
            with np.errstate(all="ignore"):
                return log_density, np.arctan(self.frame.stretched(t)[0])
        return log_density, np.column_stack([judged, constrained, log_joint])


class Lattice:
    """Nodes, and what the integrand is there.

    Attributes
    ----------
    steps
        Distance of the nodes along each axis, shape (d,).
    keys
        The nodes that count, sorted, shape (n,).
    log_density, quantities
        Of the integrand at them, shapes (n,) and (n, q).
    most
        How many nodes it may evaluate.

    Raises
    ------
    UnsupportedError
        The density is nowhere finite.
    """

    def __init__(self, integrand: Integrand, step: float, most: int) -> None:
        self.integrand, self.most = integrand, most
        self.axes = integrand.frame.centre.size
        self.steps = np.full(self.axes, step)
        reach = int(_BOX / step)
        box = nodes.widened(nodes.packed(np.zeros((1, self.axes), dtype=np.int64)), self.axes, -reach, reach)
        log_density, quantities = integrand.at(self.at(box))
        self._middle, self._spread = _middle(log_density, quantities[:, : 2 * self.axes])
        self._seen, self._lost = box, box[:0]
        self.keys, self.log_density, self.quantities = box[:0], log_density[:0], quantities[:0]
        self._importance = log_density[:0]
        self._follow(self._keep(box, log_density, quantities))

    @property
    def evaluated(self) -> int:
        """How many nodes it has evaluated."""
        return int(self._seen.size)

    @property
    def full(self) -> bool:
        """Whether it has evaluated all it may."""
        return self.evaluated > self.most

    def at(self, keys: Keys) -> Array:
        """t of nodes, shape (n, d)."""
        return np.column_stack([nodes.index(keys, axis) * step for axis, step in enumerate(self.steps)])

    def halve(self, axis: int) -> None:
        """Put a node halfway between any two along an axis."""
        self.steps[axis] /= 2
        self.keys, self._seen, self._lost = (nodes.doubled(k, axis) for k in (self.keys, self._seen, self._lost))
        self._follow(self.keys)

    def cut_off(self) -> tuple[float, int]:
        """Share of the second moments at nodes that border on what can't be evaluated, and of which quantity."""
        at, there = nodes.find(nodes.widened(self._lost, self.axes, -1, 1), self.keys)
        border = at[there]
        if not border.size:
            return 0.0, 0
        top = np.max(self.log_density)
        share = np.exp(self._importance[border] - top)
        furthest = self.quantities[border[np.argmax(share)]]
        total = np.sum(np.exp(self.log_density - top))
        return float(share.sum() / total), int(np.argmax(self._distance(furthest)))

    def _distance(self, quantities: Array) -> Array:
        """Squared, in sds, of each parameter on both scales, shape (..., 2 d)."""
        return ((quantities[..., : self._middle.size] - self._middle) / self._spread) ** 2

    def _follow(self, front: Keys) -> None:
        """Take up the neighbours of nodes, and theirs, until none of them counts."""
        while front.size and not self.full:
            around = nodes.widened(front, self.axes, -1, 1)
            new = around[~nodes.find(around, self._seen)[1]]
            self._seen = nodes.union(self._seen, new)
            front = self._keep(new, *self.integrand.at(self.at(new))) if new.size else new
        counts = np.flatnonzero(self._importance > np.max(self._importance) - _NATS)
        order = counts[np.argsort(self.keys[counts])]
        self.keys, self.log_density = self.keys[order], self.log_density[order]
        self.quantities, self._importance = self.quantities[order], self._importance[order]

    def _keep(self, keys: Keys, log_density: Array, quantities: Array) -> Keys:
        """Keep the nodes that count, and return them."""
        self._lost = nodes.union(self._lost, keys[np.isnan(log_density)])
        with np.errstate(all="ignore"):
            importance = log_density + np.log1p(np.max(self._distance(quantities), axis=-1))
        best = np.max(self._importance, initial=np.nanmax(importance, initial=-np.inf))
        counts = importance > best - _NATS
        self.keys = np.concatenate([self.keys, keys[counts]])
        self.log_density = np.concatenate([self.log_density, log_density[counts]])
        self.quantities = np.concatenate([self.quantities, quantities[counts]])
        self._importance = np.concatenate([self._importance, importance[counts]])
        kept: Keys = keys[counts]
        return kept


def _middle(log_density: Array, quantities: Array) -> tuple[Array, Array]:
    """Means and sds over a box, as units of distance that long tails don't change."""
    known = np.isfinite(log_density)
    if not known.any():
        raise UnsupportedError("the log density is not finite where the posterior should be; check the data's scale")
    log_density, quantities = log_density[known], quantities[known]
    weights = np.exp(log_density - np.max(log_density))
    weights /= weights.sum()
    mean = weights @ quantities
    sd = np.sqrt(weights @ (quantities - mean) ** 2)
    return mean, np.where(sd > 0, sd, 1.0)
