"""Which entries say something of their own.

The last entry of a simplex follows from the others, the lower triangle of a correlation matrix
from the upper, and what a model computes of its variables often from these. Along such an entry
there is a direction without spread, in which only rounding differs.
"""

from collections.abc import Collection

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior

_EXACTLY = 1e-6
"""In sds of an entry: further off, and others do not determine it."""
_SUSPECT = 0.1
"""The same: further off, and nobody has to look again, whatever was rounded."""
_ROUNDINGS = 8.0
"""What an entry may be off by, in half steps between its numbers."""


def free(
    names: tuple[str, str], a: Posterior, b: Posterior, positive: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The scalar parameters to judge, and those that follow from them.

    Neither are those that are the same constant on both sides, unless all are. One follows
    from others that is on both sides the same sum of multiples of earlier ones, to rounding.
    It is judged where moments are known, which tell more than draws.

    Parameters
    ----------
    names
        What the sides are called.
    positive
        Parameters that are judged as logarithms.

    Raises
    ------
    AssertionError
        An entry is constant on both sides, or follows from others, and not in the same way.
    """
    every = tuple(a.draws)
    steps = np.array([max(_step(x.draws[name], name in positive) for x in (a, b)) for name in every])
    of_a, of_b = (np.stack([_judged(x.draws[name], name in positive) for name in every]) for x in (a, b))
    still = np.all([np.std(x, axis=1) <= _ROUNDINGS * steps for x in (of_a, of_b)], axis=0)
    for j in np.flatnonzero(still):
        if abs(of_a[j].mean() - of_b[j].mean()) > _ROUNDINGS * steps[j]:
            where = [
                f"always {float(x.draws[every[j]][0, 0]):g} in {name}" for x, name in zip((a, b), names, strict=True)
            ]
            raise AssertionError(f"disagree: {every[j]} is {where[0]}, and {where[1]}")
    moving = np.flatnonzero(~still).tolist()
    if not moving or a.moments is not None or b.moments is not None:
        return tuple(every[j] for j in moving) or every, ()
    in_a = _determined(of_a[moving], steps[moving])
    if not in_a.any():
        return tuple(every[j] for j in moving), ()
    in_b, together = (_determined(x[moving], steps[moving]) for x in (of_b, np.hstack([of_a, of_b])))
    for k in np.flatnonzero(in_a & in_b & ~together):
        name = every[moving[k]]
        raise AssertionError(f"disagree: {name} follows from other parameters in {names[0]}, otherwise in {names[1]}")
    kept, follow = (tuple(every[j] for j, x in zip(moving, together, strict=True) if x == out) for out in (False, True))
    return kept, follow


def _judged(draws: Array, positive: bool) -> Array:
    return np.ravel(np.log(draws) if positive else draws)


def _step(draws: Array, positive: bool) -> float:
    """Half a step between numbers like these, as they are or as logarithms; those of float32 if they all are some."""
    with np.errstate(over="ignore"):
        single = np.array_equal(draws, draws.astype(np.float32))
    relative = float(np.finfo(np.float32 if single else np.float64).eps) / 2
    return relative if positive else relative * float(np.max(np.abs(draws)))


def _determined(values: Array, steps: Array) -> "np.ndarray":
    """Of each row of values (k, n), whether it is a sum of a constant and multiples of earlier rows, shape (k,)."""
    found = np.zeros(len(values), dtype=bool)
    mixed = sum(
        weight * row for weight, row in zip(np.random.default_rng(0).normal(size=len(values)), values, strict=True)
    )
    if np.unique(mixed).size <= 2 * len(values):  # so few different draws lie on a plane whatever they are of
        return found
    spread = np.std(values, axis=1)
    scaled = (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)[:, None]
    root = np.linalg.qr(scaled.T, mode="r") / np.sqrt(values.shape[1])
    earlier: list[int] = []
    for j in np.flatnonzero(spread > 0).tolist():
        if abs(root[j, j]) <= _SUSPECT:
            shares = np.linalg.lstsq(root[:, earlier], root[:, j], rcond=None)[0]
            left = float(np.linalg.norm(root[:, j] - root[:, earlier] @ shares))
            rounding = steps[j] / spread[j] + float(np.abs(shares) @ (steps[earlier] / spread[earlier]))
            found[j] = left <= _EXACTLY + _ROUNDINGS * rounding
        if not found[j]:
            earlier.append(j)
    return found
