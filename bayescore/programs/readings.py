"""What an array looks like that is not the other program's: squared, shifted by a row, in another order."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayescore.model.arrays import Array

_ROUNDING = 1e-9
"""Relative difference of arrays that are the same."""
_FLOAT32 = 1e-6
"""The same of arrays that went through float32."""


class Pair(NamedTuple):
    """An array of both programs at one point."""

    a: Array
    b: Array


Reading = tuple[str, Callable[[Array], Array]]

_OF_VALUES: tuple[Reading, ...] = (
    ("the square of", np.square),
    ("the square root of", np.sqrt),
    ("1 over", np.reciprocal),
    ("1 over the square of", lambda a: 1.0 / a**2),
    ("1 over the square root of", lambda a: 1.0 / np.sqrt(a)),
    ("minus", np.negative),
    ("1 minus", lambda a: 1.0 - a),
    ("exp of", np.exp),
    ("log of", np.log),
    ("log1p of", np.log1p),
    ("the softplus of", lambda a: np.logaddexp(0.0, a)),
    ("the logistic function of", lambda a: 1.0 / (1.0 + np.exp(-a))),
    ("the logit of", lambda a: np.log(a) - np.log1p(-a)),
    ("the absolute value of", np.abs),
)
_MEANT = {
    "the square of": "a variance for an sd",
    "the square root of": "an sd for a variance",
    "1 over": "a rate for a scale, or the reverse",
    "1 over the square of": "a precision for an sd",
    "1 over the square root of": "an sd for a precision",
}


def same(pairs: Sequence[Pair], rounding: float = _ROUNDING) -> bool:
    """Whether arrays are the same at all points."""
    return all(_alike(pair.a, pair.b, rounding) for pair in pairs)


def float32(pairs: Sequence[Pair]) -> bool:
    """Whether they are, but for the digits that float32 loses."""
    return same(pairs, _FLOAT32)


def read(pairs: Sequence[Pair], a: str, what: str) -> str | None:
    """What b's array is of a's, in words, or None where nobody can tell.

    Parameters
    ----------
    a
        The name of the first program.
    what
        Of the array, as "its scale".
    """
    constant = all(np.ptp(np.concatenate([np.ravel(pair[k]) for pair in pairs])) == 0 for k in (0, 1))
    if constant and pairs[0].a.flat[0] in {0.0, 1.0}:  # everything is its square, or its product with something
        return None
    for words in (*_of_values(pairs, a, constant), *_of_order(pairs, a), *_of_numbers(pairs, a)):
        return f"{what} is {words}"
    return None


def _of_values(pairs: Sequence[Pair], a: str, constant: bool) -> Iterator[str]:
    """By a function of it; one number is taken for what is likely meant alone."""
    with np.errstate(all="ignore"):
        for name, become in _OF_VALUES:
            if (name in _MEANT or not constant) and same([Pair(become(pair.a), pair.b) for pair in pairs]):
                meant = f" ({_MEANT[name]})" if name in _MEANT else ""
                yield f"{name} {a}'s{meant}"


def _of_order(pairs: Sequence[Pair], a: str) -> Iterator[str]:
    if any(pair.a.shape != pair.b.shape or pair.a.size < 2 for pair in pairs):
        turned = all(pair.a.ndim >= 2 and pair.a.swapaxes(-1, -2).shape == pair.b.shape for pair in pairs)
        if turned and same([Pair(pair.a.swapaxes(-1, -2), pair.b) for pair in pairs]):
            yield f"{a}'s transposed"
        return
    if pairs[0].a.ndim >= 2 and same([Pair(pair.a.swapaxes(-1, -2), pair.b) for pair in pairs]):
        yield f"{a}'s transposed"
    for axis in range(pairs[0].a.ndim):
        if same([Pair(np.flip(pair.a, axis), pair.b) for pair in pairs]):
            yield f"{a}'s in reverse order"
        for by in (1, -1):
            if _shifted(pairs, by, axis):
                yield f"{a}'s shifted by one row: an index that is off by one"
    if same([Pair(np.sort(pair.a, None), np.sort(pair.b, None)) for pair in pairs]):
        yield f"{a}'s in another order"


def _shifted(pairs: Sequence[Pair], by: int, axis: int) -> bool:
    """Whether all but an end are the neighbours'."""
    length = pairs[0].a.shape[axis]
    if length < 3:
        return False
    left, right = np.arange(length - 1), np.arange(1, length)
    of_a, of_b = (left, right) if by > 0 else (right, left)
    return same([Pair(np.take(pair.a, of_a, axis), np.take(pair.b, of_b, axis)) for pair in pairs])


def _of_numbers(pairs: Sequence[Pair], a: str) -> Iterator[str]:
    """A constant factor, a constant difference."""
    if any(pair.a.shape != pair.b.shape for pair in pairs):
        return
    with np.errstate(all="ignore"):
        ratios = np.concatenate([np.ravel(pair.b / pair.a) for pair in pairs])
        differences = np.concatenate([np.ravel(pair.b - pair.a) for pair in pairs])
    if np.all(np.isfinite(ratios)) and _alike(ratios, np.full_like(ratios, ratios[0]), _ROUNDING) and ratios[0]:
        yield f"{ratios[0]:.4g} times {a}'s"
    elif _alike(differences, np.full_like(differences, differences[0]), _ROUNDING):
        yield f"{a}'s {'plus' if differences[0] > 0 else 'minus'} {abs(differences[0]):.4g}"


def _alike(a: Array, b: Array, rounding: float) -> bool:
    if a.shape != b.shape:
        return False
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.max(np.abs(a), initial=0.0, where=np.isfinite(a)), np.abs(a))
        near = (np.abs(a - b) <= rounding * size + 1e-300) | (a == b) | (np.isnan(a) & np.isnan(b))
    return bool(np.all(near))
