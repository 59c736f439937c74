"""A positive parameter given on another scale: its logarithm, a variance or a precision for an sd."""

from collections.abc import Callable

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.model.arrays import Array
from bayescore.model.transforms import POSITIVE

_LEVELS = (0.05, 0.5, 0.95)
_NEAR = 0.1
"""Of the distance between the outer quantiles: how near all three have to come."""
_SCALES: dict[str, Callable[[Array], Array]] = {
    "logarithm": np.log,
    "square": np.square,
    "square root": np.sqrt,
    "inverse": np.reciprocal,
    "inverse square": lambda x: 1.0 / np.square(x),
    "inverse square root": lambda x: 1.0 / np.sqrt(x),
    "exponential": np.exp,
}


def on_another_scale(a: Candidate, b: Candidate) -> str | None:
    """Which parameter one contender has as a function of what the other has, in words; None if none is.

    It is recognized by its 5 %, 50 % and 95 % quantiles, which a monotone function carries along.
    """
    of_a, of_b = a.posterior.parameters(), b.posterior.parameters()
    for name, bounds in zip(*a.quantities, strict=True):
        if bounds != POSITIVE:
            continue
        x, y = (np.quantile(values[name], _LEVELS) for values in (of_a, of_b))
        if _same(x, y) or _same(y, x):
            continue
        for scale, function in _SCALES.items():
            with np.errstate(all="ignore"):
                if _same(np.sort(function(x)), y):
                    return f"{name} of {b.name} is the {scale} of that of {a.name}"
    return None


def _same(x: Array, y: Array) -> bool:
    """Whether quantiles are close on the scale of y's spread."""
    return bool(np.all(np.abs(x - y) <= _NEAR * (y[-1] - y[0])))
