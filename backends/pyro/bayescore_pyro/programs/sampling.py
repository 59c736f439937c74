"""NUTS on a program's density, and its draws."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bayescore.backend import Progress
from bayescore.errors import UnsupportedError
from bayescore.methods import NUTS
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit
from bayescore_pyro import chain, nuts
from bayescore_pyro.chain import Chain
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.programs.unconstrained import Unconstrained, unconstrained

_CHUNK = 128
"""Draws that are replayed at a time."""
_LOOKED_AT = 3
"""Draws at which replaying many at a time is held against one at a time."""

Replayed = tuple[dict[str, Tensor], Tensor]


@dataclass(frozen=True)
class Sampled:
    """States of chains on a target, z of shape (chain, draw, d), and statistics (chain, draw)."""

    target: Unconstrained
    z: Array
    stats: Mapping[str, np.ndarray]


def fit(sited: Sited, method: NUTS, seed: int, progress: Progress) -> ProgramFit:
    """Sample all chains; the caller has seeded the generators.

    Raises
    ------
    UnsupportedError
        A setting is for regressions alone, or the program can't be sampled.
    FitError
        A chain has found no start.
    """
    _check(method)
    target = unconstrained(sited)
    began = time.perf_counter()
    chain.start(target.plain, target.size)  # what a person's code raises is told as it is
    try:
        packed, note = target.packed(), "its density is traced"
    except UnsupportedError as error:
        packed, note = None, f"its density is not traced: {error}"
    seconds = {"compile": time.perf_counter() - began}
    if packed is None:
        chains = _one_after_another(target, method, seed, progress)
    else:
        chains = nuts.sample_chains(packed, target.size, method, seed, progress)
    absent = [name for name in sited.latent.deterministic if name not in target.told]
    notes = (note, *(f"{name} has no draws: it depends on a site that is summed out" for name in absent))
    return ProgramFit(method, Sampled(target, *nuts.stacked(chains)), seconds=seconds, notes=notes)


def _check(method: NUTS) -> None:
    usual = NUTS()
    for name in ("standardize", "centred"):
        if getattr(method, name) != getattr(usual, name):
            raise UnsupportedError(
                f"{name} is for regressions: a program is sampled in the coordinates that it is written in"
            )


def _one_after_another(target: Unconstrained, method: NUTS, seed: int, progress: Progress) -> list[Chain]:
    """All chains in this process, which alone has the person's function."""
    each = method.warmup + method.draws
    total = each * method.chains
    every = max(1, total // 100)

    def tell(before: int, done: int) -> None:
        if (before + done) % every == 0 or before + done == total:
            progress(before + done, total)

    return [
        chain.sample(target.plain, target.size, method, of, partial(tell, number * each))
        for number, of in enumerate(nuts.seeds(method, seed))
    ]


def posterior(sampled: Sampled) -> Posterior:
    """Draws of all latent sites that are not enumerated and of deterministic ones, with their log density."""
    target = sampled.target
    shape = sampled.z.shape[:2]
    z = torch.as_tensor(sampled.z.reshape(-1, target.size), dtype=torch.get_default_dtype())
    names = (*target.shapes, *target.told)

    def replay(z: Tensor) -> Replayed:
        trace, log_det = target.replayed(z)
        return {name: trace.nodes[name]["value"] for name in names}, log_det

    with torch.no_grad():
        values, log_det = _many(replay, z)
    draws = {name: _numbers(value).reshape(*shape, *value.shape[1:]) for name, value in values.items()}
    log_joint = sampled.stats["lp"] - _numbers(log_det).reshape(shape)
    return Posterior(draws, sample_stats={**sampled.stats, "log_joint": log_joint})


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
