"""SVI of programs: a Gaussian guide on the numbers without constraints, in coordinates of scale about one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bayescore.backend import Progress
from bayescore.density.coordinates import Coordinates, for_density
from bayescore.density.guide import scale_matrix
from bayescore.density.slopes import mode_by_slopes
from bayescore.errors import UnsupportedError
from bayescore.methods import SVI
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit, check_usual
from bayescore_pyro.density import Program, differentiable, unpack
from bayescore_pyro.programs.replay import replayed
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.programs.unconstrained import Unconstrained, unconstrained
from bayescore_pyro.svi import Objective, gaussian_guide, optimize


@dataclass(frozen=True)
class Guided:
    """A fitted guide: z ~ Normal(loc, L L') with L = ``root``, in coordinates of the target's numbers.

    Attributes
    ----------
    density
        The program's log density of z, of as many at a time as the method has particles.
    """

    target: Unconstrained
    density: Callable[[Tensor], Tensor]
    coordinates: Coordinates
    loc: Array
    root: Array


def fit(sited: Sited, method: SVI, progress: Progress) -> ProgramFit:
    """Fit the guide; the iterates of the last half are kept for their average. The caller has seeded the generators.

    Raises
    ------
    UnsupportedError
        A setting is for regressions alone, or the program has no density over real numbers.
    """
    check_usual(method, "standardize", "centred", "batch_size")
    if callable(method.guide):
        raise UnsupportedError("a method's guide is mean_field or full_rank: a program's own is given beside it")
    target = unconstrained(sited)
    began = time.perf_counter()
    potential, note = target.potential()
    coordinates = for_density((), np.zeros(target.size), method, lambda raw: _mode_and_precision(potential, raw))
    density = _density(target, potential, coordinates, method.particles)
    model = Objective(target.size, method.particles, 1, None, density)
    seconds = {"compile": time.perf_counter() - began}
    guide = gaussian_guide(target.size, method)
    kept: list[dict[str, Array]] = []

    def keep(step: int) -> None:
        if step >= method.steps // 2:
            kept.append(guide.iterate())

    losses = optimize(model, guide, coordinates, method, progress, after_step=keep)
    iterates = {name: np.stack([k[name] for k in kept]) for name in kept[0]}
    estimate = {name: values.mean(axis=0) if method.average else values[-1] for name, values in iterates.items()}
    native = Guided(target, density, coordinates, estimate["loc"], scale_matrix(estimate))
    return ProgramFit(method, native, losses, iterates, seconds, (note, *target.notes))


def _density(
    target: Unconstrained, potential: Program, coordinates: Coordinates, particles: int
) -> Callable[[Tensor], Tensor]:
    """Log density of z of shape (particle, d), all particles at a time where that can be traced."""
    centre, matrix = _tensor(coordinates.centre), _tensor(coordinates.matrix)

    def one_after_another(numbers: Tensor) -> tuple[Tensor, Tensor]:
        found = [potential(each) for each in numbers]
        return torch.stack([value for value, _ in found]), torch.stack([slope for _, slope in found])

    try:
        together = differentiable(unpack(target.packed(particles)))
    except UnsupportedError:
        together = differentiable(one_after_another)
    return lambda z: coordinates.log_det - together(centre + z @ matrix.T)


def _mode_and_precision(potential: Program, raw: Coordinates) -> tuple[Array, Array] | None:
    """Mode (d,) of the density of the numbers, from their origin, and minus its Hessian (d, d) there, or None."""

    def at(z: Array) -> tuple[float, Array]:
        value, slope = potential(_tensor(raw.unconstrained(z)))
        return float(value), slope.double().numpy()

    return mode_by_slopes(at, raw.size)


def posterior(guided: Guided, method: SVI, seed: int) -> Posterior:
    """Independent draws of the guide, with their log density in it and in the program."""
    coordinates, d = guided.coordinates, guided.loc.size
    noise = np.random.default_rng(seed).standard_normal((method.draws, d))
    z = guided.loc + noise @ guided.root.T
    values, log_det = replayed(guided.target, _tensor(coordinates.unconstrained(z)))
    log_det = log_det + coordinates.log_det
    constant = np.sum(np.log(np.diag(guided.root))) + 0.5 * d * np.log(2.0 * np.pi)
    stats = {
        "log_q": -0.5 * np.sum(noise**2, axis=-1) - constant - log_det,
        "log_joint": _of_all(guided.density, _tensor(z), method.particles) - log_det,
    }
    return Posterior(
        {name: value[None] for name, value in values.items()},
        sample_stats={name: value[None] for name, value in stats.items()},
        kind="guide",
    )


def _of_all(density: Callable[[Tensor], Tensor], z: Tensor, particles: int) -> Array:
    """Log density of z, (draw, d), by a function that takes a fixed number of them."""
    filled = torch.cat([z, z[:1].expand(-len(z) % particles, -1)])
    with torch.no_grad():
        found = torch.cat([density(part) for part in torch.chunk(filled, len(filled) // particles)])
    array: Array = found[: len(z)].double().numpy().copy()
    return array


def _tensor(array: Array) -> Tensor:
    return torch.as_tensor(array, dtype=torch.get_default_dtype())
