"""The No-U-Turn sampler: chains from seeds of their own, by one program, on the cores that there are."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from bayescore.backend import Precision, Progress
from bayescore.methods import NUTS
from bayescore.model.arrays import Array
from bayescore_pyro.chain import Chain
from bayescore_pyro.crew import Crew
from bayescore_pyro.density import Density, packed_density
from bayescore_pyro.found import Found
from bayescore_pyro.work import Work


def fit(target: Density, method: NUTS, seed: int, progress: Progress) -> Found:
    """Sample all chains; the draws depend on the seed, and not on how many chains run at a time."""
    began = time.perf_counter()
    program = packed_density(lambda z: -target.log_joint(z), torch.zeros(target.size))
    compiled = time.perf_counter() - began
    chains = sample_chains(program, target.size, method, seed, progress)
    z, stats = stacked(chains)
    values = target.coordinates.constrained(z)
    return Found(lambda seed: (values, stats), seconds={"compile": compiled})


def sample_chains(program: bytes, size: int, method: NUTS, seed: int, progress: Progress) -> list[Chain]:
    """All chains of a packed potential energy."""
    precision: Precision = "float32" if torch.get_default_dtype() == torch.float32 else "float64"
    return Crew(Work(program, size, method, seeds(method, seed), precision), progress).run()


def seeds(method: NUTS, seed: int) -> tuple[int, ...]:
    """A seed for each chain."""
    return tuple(map(int, np.random.SeedSequence(seed).generate_state(method.chains)))


def stacked(chains: Sequence[Chain]) -> tuple[Array, dict[str, np.ndarray]]:
    """The states of all chains, (chain, draw, d), and their statistics (chain, draw)."""
    stats = {name: np.stack([chain.stats[name] for chain in chains]) for name in chains[0].stats}
    return np.stack([chain.z for chain in chains]), stats
