"""Gradients of the unconstrained parameters, from those of the constrained values, by the chain rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from autograd import elementwise_grad
from autograd import numpy as anp

from bayescore.model.arrays import Array
from bayescore.model.transforms import Slot, constrain, unconstrain

Values = Mapping[str, Array]


def by_site(slots: Sequence[Slot], vectors: Array) -> dict[str, Array]:
    """Each site's part of vectors (n, d), in its shape: (n, *site shape)."""
    return {slot.site: vectors[:, slot.start : slot.stop].reshape(len(vectors), *slot.shape) for slot in slots}


def unconstrained(slots: Sequence[Slot], values: Values, slopes: Values, *, jacobian: bool = True) -> dict[str, Array]:
    """Derivatives of log p(y, values(u)) + log |d values / d u| in each site's part of u.

    Parameters
    ----------
    values, slopes
        Of each site at n points, and the derivatives of log p(y, values) in them: (n, *site shape).
    jacobian
        Whether the log determinant is differentiated, too.

    Returns
    -------
    dict
        Of each site, shape (n, *site shape).
    """

    def along(u: Array) -> Any:
        found, log_det = constrain(slots, u, anp)
        rows = [anp.reshape(slopes[name] * value, (len(u), -1)) for name, value in found.items()]
        total = anp.sum(anp.concatenate(rows, axis=1), axis=1)
        return total + log_det if jacobian else total

    return by_site(slots, elementwise_grad(along)(unconstrain(slots, values, np)))
