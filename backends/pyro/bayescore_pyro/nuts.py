"""The No-U-Turn sampler: Pyro's, with a record of what every iteration did."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyro
import torch
from pyro import infer
from torch import Tensor

from bayescore.backend import Progress
from bayescore.methods import NUTS
from bayescore.model.distributions import Array
from bayescore_pyro.outcome import Outcome
from bayescore_pyro.target import Target, compile_density


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


_INTEGERS = {"tree_depth": np.int64, "n_steps": np.int64, "diverging": np.bool_}


def fit(target: Target, method: NUTS, seed: int, progress: Progress) -> Outcome:
    """Sample chain after chain, each from its own seed and start, z ~ Uniform(-2, 2)."""
    began = time.perf_counter()
    potential = compile_density(lambda z: -target.log_joint(z), torch.zeros(target.size))
    compiled = time.perf_counter() - began
    seeds = np.random.SeedSequence(seed).generate_state(method.chains)
    report = _reporter(method, progress)
    chains = [_chain(potential, target.size, method, int(s), report) for s in seeds]
    z = np.stack([draws for draws, _ in chains])
    stats: dict[str, np.ndarray] = {
        name: np.array([[s[name] for s in record] for _, record in chains], dtype=_INTEGERS.get(name, np.float64))
        for name in chains[0][1][0]
    }
    values = target.coordinates.constrained(z)
    return Outcome(lambda seed: (values, stats), seconds={"compile": compiled})


def _chain(
    potential: Callable[[Tensor], Tensor], size: int, method: NUTS, seed: int, report: Callable[[], None]
) -> tuple[Array, list[dict[str, float]]]:
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

    def keep(kernel: Kernel, params: object, stage: str, step: int) -> None:
        if stage == "Sample":
            record.append(kernel.stats)
        report()

    start = {"z": 4.0 * torch.rand(size) - 2.0}
    sampler = infer.MCMC(
        kernel,
        num_samples=method.draws,
        warmup_steps=method.warmup,
        initial_params=start,
        hook_fn=keep,
        disable_progbar=True,
    )
    sampler.run()
    return sampler.get_samples()["z"].double().numpy(), record


def _reporter(method: NUTS, progress: Progress) -> Callable[[], None]:
    """Count iterations over all chains, and tell about every hundredth part."""
    total = method.chains * (method.warmup + method.draws)
    every, done = max(1, total // 100), 0

    def report() -> None:
        nonlocal done
        done += 1
        if done % every == 0 or done == total:
            progress(done, total)

    return report
