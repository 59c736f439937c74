"""Do draws come again, more often than chance and their precision allow?

Draws resampled with replacement, chains copied from one another and blocks of draws repeated
give an effective sample size that isn't there. A draw that lies within about 1e-6 sds of
another one in all parameters is a copy, jittered or not, unless that is chance, or the step of
numbers that were rounded. Smooth densities have at least thirty times as many pairs within
thirty times a distance: that is what chance allows. With c pairs expected by chance more than
2 c + 6 sqrt(c) + 8 are taken for copies, which has a probability under 1e-6 whatever c.
"""

import numpy as np

from bayescore.model.arrays import Array

_WIDER = 30
_WINDOW = 200
_NEIGHBOURS = 60
_FEWEST = 100


def copies(values: Array, *, chains: bool) -> str | None:
    """In words, how draws (parameter, chain, draw) repeat; None if they don't.

    Parameters
    ----------
    chains
        Whether they are of a sampler: a draw that equals its predecessor bit by bit is then
        a rejected move. Independent draws have no such excuse.
    """
    flat = values.reshape(len(values), -1).T
    if len(flat) < _FEWEST:
        return None
    if np.all(np.ptp(flat, axis=0) == 0):  # chains that never move have no effective draws
        return None if chains else "all draws are the same"
    if chains:
        moved = np.ones(values.shape[1:], dtype=bool)
        moved[:, 1:] = np.any(values[:, :, 1:] != values[:, :, :-1], axis=0)
        flat = flat[moved.ravel()]
    count, by_chance = _pairs(flat)
    if count <= 2.0 * by_chance + 6.0 * np.sqrt(by_chance) + 8.0:
        return None
    return f"{count} pairs of draws are the same, where chance gives {by_chance:.0f}: resampled, or copied"


def _pairs(flat: Array) -> tuple[int, float]:
    """Pairs of draws (draw, parameter) that are the same, and how many of them chance explains."""
    low, high = np.quantile(flat, [0.25, 0.75], axis=0)
    flat = flat[:, high > low]
    if len(flat) < _FEWEST or flat.shape[1] == 0:
        return 0, 0.0
    scaled = flat / (high - low)[high > low]
    steps = np.array([_step(column) for column in scaled.T])
    finest = int(np.argmin(steps))
    scaled = scaled[np.argsort(scaled[:, finest], kind="stable")]
    near = far = 0
    for lag in range(1, min(_NEIGHBOURS, len(scaled) - 1) + 1):
        apart = scaled[lag:, finest] - scaled[:-lag, finest]
        close = np.flatnonzero(apart <= _WIDER * steps[finest])
        if lag == _NEIGHBOURS and len(close) > len(scaled) // 100:
            return 0, 0.0  # rounded so coarsely that copies can't be told from chance
        difference = np.abs(scaled[close + lag] - scaled[close]) / steps
        far += int(np.count_nonzero(np.all(difference <= _WIDER, axis=1)))
        near += int(np.count_nonzero(np.all(difference <= 1.0, axis=1)))
    return near, (far - near) / (_WIDER - 1)


def _step(column: Array) -> float:
    """One and a half times the step that a parameter's values are rounded to, or 1e-6.

    It is the least gap between different values among `_WINDOW` that follow one another,
    in the middle of all such windows: rounding in floating point has many steps.
    """
    gaps = np.diff(np.unique(column))
    gaps = gaps[gaps > 1e-9]  # what is closer has been jittered
    whole = len(gaps) // _WINDOW * _WINDOW
    if whole == 0:
        return float(max(1.5 * np.min(gaps, initial=np.inf), 1e-6)) if gaps.size else 1e-6
    return float(max(1.5 * np.median(gaps[:whole].reshape(-1, _WINDOW).min(axis=1)), 1e-6))
