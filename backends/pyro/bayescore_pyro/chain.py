"""One chain of the No-U-Turn sampler: Pyro's, with a record of what every iteration did."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyro
import torch
from pyro import infer
from torch import Tensor

from bayescore.methods import NUTS
from bayescore.model.distributions import Array


class Kernel(infer.NUTS):  # type: ignore[misc]
    """Pyro's kernel, which also keeps the statistics of its latest iteration.

    Attributes
    ----------
    stats
        By ArviZ's names; ``energy`` is the Hamiltonian at the trajectory's start.
    """

    stats: dict[str, float]

    def sample(self, params: dict[str, Tensor]) -> dict[str, Tensor]:
        self._leaves: list[Any] = []
        self._energy = float("nan")
        taken: dict[str, Tensor] = super().sample(params)
        steps = len(self._leaves)
        self.stats = {
            "diverging": any(bool(leaf.diverging) for leaf in self._leaves),
            "energy": float(self._energy),
            "tree_depth": steps.bit_length(),
            "n_steps": steps,
            "acceptance_rate": sum(float(leaf.sum_accept_probs) for leaf in self._leaves) / steps,
            "step_size": float(self.step_size),
            "lp": -float(self._potential_energy_last),
        }
        return taken

    def _build_basetree(self, *state: Any) -> Any:
        leaf = super()._build_basetree(*state)
        self._leaves.append(leaf)
        self._energy = state[-1]
        return leaf


_DRAWS = "z"


@dataclass(frozen=True)
class Chain:
    """What a chain leaves: z of shape (draw, d), and statistics (draw,) by ArviZ's names."""

    z: Array
    stats: Mapping[str, np.ndarray]

    def write(self, path: Path) -> None:
        """Put it into a file, whole or not at all."""
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            np.savez(file, **{_DRAWS: self.z, **self.stats})  # type: ignore[arg-type]
        unfinished.rename(path)


def read(path: Path) -> Chain:
    """The chain that is in a file."""
    with np.load(path) as arrays:
        stats = dict(arrays)
    return Chain(stats.pop(_DRAWS), stats)


def sample(
    potential: Callable[[Tensor], Tensor], size: int, method: NUTS, seed: int, tell: Callable[[int], None]
) -> Chain:
    """Run a chain from its own seed and start, z ~ Uniform(-2, 2), and tell how many iterations are done."""
    pyro.set_rng_seed(seed)
    kernel = Kernel(
        potential_fn=lambda params: potential(params["z"]),
        step_size=1.0,
        adapt_step_size=True,
        adapt_mass_matrix=True,
        full_mass=method.dense_mass,
        target_accept_prob=method.target_accept,
        max_tree_depth=method.max_tree_depth,
    )
    record: list[dict[str, float]] = []
    done = itertools.count(1)

    def keep(kernel: Kernel, params: object, stage: str, step: int) -> None:
        if stage == "Sample":
            record.append(kernel.stats)
        tell(next(done))

    sampler = infer.MCMC(
        kernel,
        num_samples=method.draws,
        warmup_steps=method.warmup,
        initial_params={"z": 4.0 * torch.rand(size) - 2.0},
        hook_fn=keep,
        disable_progbar=True,
    )
    sampler.run()
    z: Array = sampler.get_samples()["z"].double().numpy()
    return Chain(z, {name: np.array([of[name] for of in record], dtype=_type(name)) for name in record[0]})


def _type(name: str) -> type:
    return {"tree_depth": np.int64, "n_steps": np.int64, "diverging": np.bool_}.get(name, np.float64)
