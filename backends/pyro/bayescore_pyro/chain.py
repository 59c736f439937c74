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
from pyro.infer.mcmc.nuts import _TreeInfo
from torch import Tensor

from bayescore.errors import FitError, in_one_line
from bayescore.methods import NUTS
from bayescore.model.arrays import Array
from bayescore_pyro.density import Program, differentiable

_Z = "z"
_STARTS = 100
"""How many draws are tried for a start."""


class Kernel(infer.NUTS):  # type: ignore[misc]
    """Pyro's kernel, which also keeps the statistics of its latest iteration.

    It takes a leapfrog step with value and gradient from one call of a program, where Pyro
    goes by autograd and dictionaries of sites; the states are the same to the last bit.

    Attributes
    ----------
    stats
        By ArviZ's names; ``energy`` is the Hamiltonian at the trajectory's start.
    """

    stats: dict[str, float]

    def __init__(self, program: Program, **settings: Any) -> None:
        potential = differentiable(program)
        super().__init__(potential_fn=lambda params: potential(params[_Z]), **settings)
        self._program = program

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
        try:
            leaf = self._leaf(*state)
        except RuntimeError:  # as from a singular matrix, which Pyro's own step knows to take for a divergence
            leaf = super()._build_basetree(*state)
        self._leaves.append(leaf)
        self._energy = state[-1]
        return leaf

    def _leaf(self, z: Any, r: Any, z_grads: Any, log_slice: Tensor, direction: int, energy_before: Tensor) -> Any:
        """What Pyro's own method returns: the tree of the state one step of velocity Verlet further."""
        step = self.step_size if direction == 1 else -self.step_size
        ((_, inverse_mass),) = self.inverse_mass_matrix.items()
        half = r[_Z] - 0.5 * step * z_grads[_Z]
        ahead = z[_Z] + step * (inverse_mass * half if inverse_mass.ndim == 1 else inverse_mass @ half)
        potential, gradient = self._program(ahead)
        momentum = {_Z: half - 0.5 * step * gradient}
        unscaled = self.mass_matrix_adapter.unscale(momentum)
        energy = potential + self._kinetic_energy(unscaled)
        if energy.isnan():
            energy = torch.full_like(energy, torch.inf)
        z, z_grads, weight = {_Z: ahead}, {_Z: gradient}, -(energy + log_slice)
        end = (z, momentum, unscaled, z_grads)
        accepted = (energy_before - energy).exp().clamp(max=1.0)
        diverging = -weight > self._max_sliced_energy
        return _TreeInfo(*end, *end, z, potential, z_grads, unscaled, weight, False, diverging, accepted, 1)


@dataclass(frozen=True)
class Chain:
    """What a chain leaves: z of shape (draw, d), and statistics (draw,) by ArviZ's names."""

    z: Array
    stats: Mapping[str, np.ndarray]

    def write(self, path: Path) -> None:
        """Put it into a file, whole or not at all."""
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            np.savez(file, **{_Z: self.z, **self.stats})  # type: ignore[arg-type]
        unfinished.rename(path)


def read(path: Path) -> Chain:
    """The chain that is in a file."""
    with np.load(path) as arrays:
        stats = dict(arrays)
    return Chain(stats.pop(_Z), stats)


def sample(program: Program, size: int, method: NUTS, seed: int, tell: Callable[[int], None]) -> Chain:
    """Run a chain from its own seed and start, and tell how many iterations are done.

    Raises
    ------
    FitError
        It has found no start.
    """
    pyro.set_rng_seed(seed)
    kernel = Kernel(
        program,
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
        initial_params={_Z: start(program, size)},
        hook_fn=keep,
        disable_progbar=True,
    )
    sampler.run()
    z: Array = sampler.get_samples()[_Z].double().numpy()
    return Chain(z, {name: np.array([of[name] for of in record], dtype=_type(name)) for name in record[0]})


def start(program: Program, size: int) -> Tensor:
    """A point z ~ Uniform(-2, 2) with a finite density and slope: the first of 100 draws that has them.

    Raises
    ------
    FitError
        None has.
    """
    why = "the density or its gradient isn't finite"
    for _ in range(_STARTS):
        z = 4.0 * torch.rand(size) - 2.0
        try:
            potential, gradient = program(z)
        except RuntimeError as error:  # as from a singular matrix
            why = in_one_line(error)
            continue
        if potential.isfinite() and gradient.isfinite().all():
            return z
    raise FitError(f"no start among {_STARTS} draws of Uniform(-2, 2), without constraints: {why}")


def _type(name: str) -> type:
    return {"tree_depth": np.int64, "n_steps": np.int64, "diverging": np.bool_}.get(name, np.float64)
