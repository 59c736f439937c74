"""The No-U-Turn sampler: chains from seeds of their own, by one program, on the cores that there are."""

import time

import numpy as np
import torch

from bayescore.backend import Precision, Progress
from bayescore.methods import NUTS
from bayescore_pyro.crew import Crew
from bayescore_pyro.density import Density, packed_density
from bayescore_pyro.found import Found
from bayescore_pyro.work import Work


def fit(target: Density, method: NUTS, seed: int, progress: Progress) -> Found:
    """Sample all chains; the draws depend on the seed, and not on how many chains run at a time."""
    began = time.perf_counter()
    program = packed_density(lambda z: -target.log_joint(z), torch.zeros(target.size))
    compiled = time.perf_counter() - began
    seeds = np.random.SeedSequence(seed).generate_state(method.chains)
    precision: Precision = "float32" if torch.get_default_dtype() == torch.float32 else "float64"
    chains = Crew(Work(program, target.size, method, tuple(map(int, seeds)), precision), progress).run()
    values = target.coordinates.constrained(np.stack([chain.z for chain in chains]))
    stats = {name: np.stack([chain.stats[name] for chain in chains]) for name in chains[0].stats}
    return Found(lambda seed: (values, stats), seconds={"compile": compiled})
