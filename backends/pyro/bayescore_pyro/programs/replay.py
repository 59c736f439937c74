"""The values that a program has at draws of its numbers without constraints."""

from collections.abc import Callable

import torch
from torch import Tensor

from bayescore.model.arrays import Array
from bayescore_pyro.programs.unconstrained import Unconstrained

_CHUNK = 128
"""Draws that are replayed at a time."""
_LOOKED_AT = 3
"""Draws at which replaying many at a time is held against one at a time."""

Replayed = tuple[dict[str, Tensor], Tensor]


def replayed(target: Unconstrained, z: Tensor) -> tuple[dict[str, Array], Array]:
    """At z of shape (draw, d): values by site, (draw, *site shape), and log |d values / d z|, (draw,).

    The sites are the latent ones that are not enumerated, and deterministic ones.
    """
    names = (*target.shapes, *target.sited.latent.told)

    def replay(z: Tensor) -> Replayed:
        trace, log_det = target.replayed(z)
        return {name: trace.nodes[name]["value"] for name in names}, log_det

    return by_site(replay, z)


def by_site(replay: Callable[[Tensor], Replayed], z: Tensor) -> tuple[dict[str, Array], Array]:
    """What a function says of each z of shape (draw, d), stacked: values by site, and a number."""
    with torch.no_grad():
        values, number = _many(replay, z)
    return {name: _numbers(value) for name, value in values.items()}, _numbers(number)


def _many(replay: Callable[[Tensor], Replayed], z: Tensor) -> Replayed:
    """Replay all, many at a time where that gives what one at a time does."""
    first = _each(replay, z[:_LOOKED_AT])
    try:
        some = torch.vmap(replay)(z[:_LOOKED_AT])
        if _alike(first, some):
            all_of_them: Replayed = torch.vmap(replay, chunk_size=_CHUNK)(z)
            return all_of_them
    except Exception:  # whatever vmap says of a person's code: it runs as it is
        pass
    return _each(replay, z)


def _each(replay: Callable[[Tensor], Replayed], z: Tensor) -> Replayed:
    runs = [replay(one) for one in z]
    values = {name: torch.stack([run[0][name] for run in runs]) for name in runs[0][0]}
    return values, torch.stack([run[1] for run in runs])


def _alike(one: Replayed, other: Replayed) -> bool:
    pairs = [(one[0][name], other[0][name]) for name in one[0]] + [(one[1], other[1])]
    return all(a.shape == b.shape and torch.allclose(a, b, equal_nan=True) for a, b in pairs)


def _numbers(value: Tensor) -> Array:
    array: Array = value.detach().double().numpy().copy()
    return array
