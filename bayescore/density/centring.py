"""How centred the offsets of groups stand in the unconstrained vector, level by level.

A level with much data has an offset that is known whatever the sd of its group, and is best
taken as it is; one with little data follows its prior, and is best taken as a standard
normal one times the sd. In between the share of the data's precision decides:
Papaspiliopoulos, Roberts and Skold 2007, section 3. It is that of each offset given all else, not with the
mean that the offsets of few levels and the intercept have in common, and at an sd one posterior sd of
its logarithm below the likeliest: offsets that are centred too much are a funnel where the sd is small.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.regression import Regression
from bayescore.model.transforms import GroupOffsets, Slot, constrain, unconstrain


def alike(regression: Regression, share: float) -> dict[str, Array]:
    """The same share for all levels: 0 for standard normal offsets, 1 for offsets as they are."""
    return {transform.share: np.full(slot.stop - slot.start, share) for slot, transform in _offsets(regression.slots())}


def by_level(slots: Sequence[Slot], precision: Array) -> dict[str, Array]:
    """The shares that the data ask for.

    With t of a level the data's precision over the prior's, the sd's logarithm has a variance of about
    1 / (2 sum over the levels of (t / (1 + t))^2).

    Parameters
    ----------
    precision
        Of each unconstrained parameter given all others, the offsets as standard normal ones, shape (d,).
    """
    shares = {}
    for slot, transform in _offsets(slots):
        ratio = np.clip(precision[slot.start : slot.stop] - 1.0, 1e-12, 1e12)
        lower = 1.0 / np.sqrt(2.0 * np.sum((ratio / (1.0 + ratio)) ** 2))
        ratio = ratio * np.exp(-2.0 * lower)
        shares[transform.share] = ratio / (1.0 + ratio)
    return shares


def recentred(
    slots: Sequence[Slot], basis: Array, mode: Array, precision: Array, shares: Mapping[str, Array]
) -> tuple[Array, Array]:
    """A mode and precision in coordinates with standard normal offsets, carried to those with these shares.

    The map between the two is linear at given sds and correlations, and is taken there.

    Parameters
    ----------
    basis
        Shape (d, d): the precision is that of z with u = mode + basis z, before and after.
    """

    def recentre(u: Array) -> Array:
        return np.asarray(unconstrain(slots, constrain(slots, u, np)[0], np, shares))

    moved = recentre(mode)
    unit = np.eye(mode.size)
    slopes = (recentre(mode + unit) - moved).T
    for slot in slots:
        if slot.site.startswith(("sd(", "cor(")):
            slopes[:, slot.start : slot.stop] = unit[:, slot.start : slot.stop]
    inverse = np.linalg.inv(np.linalg.solve(basis, slopes @ basis))
    return moved, inverse.T @ precision @ inverse


def _offsets(slots: Sequence[Slot]) -> list[tuple[Slot, GroupOffsets]]:
    return [(slot, slot.transform) for slot in slots if isinstance(slot.transform, GroupOffsets)]
