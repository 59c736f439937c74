"""NUTS on a program's density, and its draws."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from bayescore.backend import Progress
from bayescore.methods import NUTS
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit, check_usual
from bayescore_pyro import chain, nuts
from bayescore_pyro.chain import Chain
from bayescore_pyro.programs.replay import replayed
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.programs.unconstrained import Unconstrained, unconstrained


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
    check_usual(method, "standardize", "centred")
    target = unconstrained(sited)
    began = time.perf_counter()
    chain.start(target.plain, target.size)  # what a person's code raises is told as it is
    packed, note = target.traced()
    seconds = {"compile": time.perf_counter() - began}
    if packed is None:
        chains = _one_after_another(target, method, seed, progress)
    else:
        chains = nuts.sample_chains(packed, target.size, method, seed, progress)
    return ProgramFit(method, Sampled(target, *nuts.stacked(chains)), seconds=seconds, notes=(note, *target.notes))


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
    shape = sampled.z.shape[:2]
    z = torch.as_tensor(sampled.z.reshape(-1, sampled.target.size), dtype=torch.get_default_dtype())
    values, log_det = replayed(sampled.target, z)
    draws = {name: value.reshape(*shape, *value.shape[1:]) for name, value in values.items()}
    log_joint = sampled.stats["lp"] - log_det.reshape(shape)
    return Posterior(draws, sample_stats={**sampled.stats, "log_joint": log_joint})
