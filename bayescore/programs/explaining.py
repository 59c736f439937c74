"""What makes a site's term another one, in words that a porter can act on."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayescore.model.arrays import Array
from bayescore.program import ProgramSite
from bayescore.programs import readings, words
from bayescore.programs.readings import Pair


class Two(NamedTuple):
    """A site of both programs at one point."""

    a: ProgramSite
    b: ProgramSite


def causes(a: str, at: Sequence[Two]) -> list[str]:
    """Why site ``b`` is another than ``a``'s, by its distribution, parameters and values at points; may be nothing."""
    first = at[0]
    if first.a.distribution != first.b.distribution:
        return [f"{words.distribution(first.b)} where {a} has {words.distribution(first.a)}", *_values(a, at)]
    return [*_values(a, at), *_parameters(a, at)]


def rounded(at: Sequence[Two]) -> bool:
    """Whether all that differs are digits that float32 loses."""
    first = at[0]
    if first.a.distribution != first.b.distribution:
        return False
    return all(readings.float32(pairs) for _, pairs in _arrays(at)) and not all(
        readings.same(pairs) for _, pairs in _arrays(at)
    )


def _arrays(at: Sequence[Two]) -> Iterator[tuple[str, list[Pair]]]:
    """Values and parameters that both have, in float64."""
    yield "value", [Pair(_float(two.a.value), _float(two.b.value)) for two in at]
    for name in at[0].a.parameters:
        if all(name in two.b.parameters for two in at):
            yield name, [Pair(_float(two.a.parameters[name]), _float(two.b.parameters[name])) for two in at]


def data(a: str, at: Sequence[Two]) -> str | None:
    """How the data of an observed site differ, in words; None where they don't, or it has none."""
    if at[0].a.role != "observed":
        return None
    (_, pairs), *_ = _arrays(at)
    if readings.same(pairs):
        return None
    of_a, of_b = pairs[0]
    if of_a.shape != of_b.shape:
        return f"its data have shape {of_b.shape}, and {a}'s {of_a.shape}"
    return readings.read(pairs[:1], a, "its data") or _differ("its data", pairs[0], a)


def _values(a: str, at: Sequence[Two]) -> Iterator[str]:
    found = data(a, at)
    if found is not None:
        yield found


def _parameters(a: str, at: Sequence[Two]) -> Iterator[str]:
    differing = {name: pairs for name, pairs in _arrays(at) if name != "value" and not readings.same(pairs)}
    swapped = _exchanged(differing)
    if swapped:
        yield f"its {swapped[0]} and {swapped[1]} are exchanged"
        return
    for name, pairs in differing.items():
        yield readings.read(pairs, a, f"its {name}") or _differ(f"its {name}", pairs[0], a)


def _exchanged(differing: "dict[str, list[Pair]]") -> tuple[str, str] | None:
    if len(differing) != 2:
        return None
    (one, of_one), (other, of_other) = differing.items()
    crossed = [Pair(x.a, y.b) for x, y in zip(of_one, of_other, strict=True)]
    back = [Pair(y.a, x.b) for x, y in zip(of_one, of_other, strict=True)]
    return (one, other) if readings.same(crossed) and readings.same(back) else None


def _differ(what: str, pair: Pair, a: str) -> str:
    """Where two arrays differ first, and by what."""
    if pair.a.shape != pair.b.shape:
        return f"{what} has shape {pair.b.shape}, and {a}'s {pair.a.shape}"
    if not pair.a.ndim:
        return f"{what} is {float(pair.b):.6g}, and {a}'s {float(pair.a):.6g}"
    apart = np.flatnonzero(~(np.isclose(pair.a, pair.b, rtol=1e-9, atol=0.0) | (pair.a == pair.b)).ravel())
    k = int(apart[0]) if apart.size else 0
    at = ",".join(map(str, np.unravel_index(k, pair.a.shape)))
    few = f" at {len(apart)} of {pair.a.size} places" if len(apart) < pair.a.size else ""
    return f"{what} differs{few}: at [{at}] it is {pair.b.ravel()[k]:.6g}, and {a}'s {pair.a.ravel()[k]:.6g}"


def _float(value: Array) -> Array:
    return np.asarray(value, dtype=np.float64)
