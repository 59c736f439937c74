"""Stochastic variational inference with a Gaussian guide, or one of the user's; MAP with a point."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro import infer, poutine
from torch import Tensor
from torch.nn.functional import softplus

from bayescore.backend import Progress
from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import summarize
from bayescore.methods import MAP, SVI, Optimizer
from bayescore.model.arrays import Array
from bayescore_pyro.density import Density, compile_density
from bayescore_pyro.found import Draws, Found, gaussian_draws, point


@dataclass(frozen=True)
class Objective:
    """The model that a guide is fitted to: a vector "z", and the target's log density there.

    It is called with the coordinates, and so is the guide.
    """

    size: int
    particles: int
    rows: int
    batch: int | None
    density: Callable[..., Tensor]

    def __call__(self, coordinates: Coordinates) -> None:
        flat = dist.Normal(torch.zeros(self.size), torch.ones(self.size)).to_event(1).mask(False)
        z = pyro.sample("z", flat)
        points = z.reshape(-1, self.size)
        minibatch = () if self.batch is None else (torch.randperm(self.rows)[: self.batch],)
        # The compiled density takes all particles; an automatic guide tries the model with one.
        terms = self.density(points.expand(self.particles, self.size), *minibatch)
        pyro.factor("log_joint", terms[: len(points)].reshape(z.shape[:-1]))


def objective(target: Density, particles: int = 1, batch_size: int | None = None) -> Objective:
    """Compile the target's density for this number of particles and rows."""
    rows = target.rows.count
    batch = None if batch_size is None else min(batch_size, rows)
    example = () if batch is None else (torch.arange(batch),)
    density = torch.vmap(target.log_joint, in_dims=(0, *(None for _ in example)))
    compiled = compile_density(density, torch.zeros(particles, target.size), *example)
    return Objective(target.size, particles, rows, batch, compiled)


@dataclass(frozen=True)
class TrainableGuide:
    """z ~ Normal(loc, L L'), L = diag(softplus(raw)) + lower, or without lower for a mean-field guide."""

    start: Mapping[str, Tensor]

    def __call__(self, coordinates: Coordinates) -> None:
        values = {name: pyro.param(name, start.clone()) for name, start in self.start.items()}
        scale = softplus(values["raw"])
        if "lower" in values:
            root = torch.diag(scale) + values["lower"].tril(-1)
            pyro.sample("z", dist.MultivariateNormal(values["loc"], scale_tril=root))
        else:
            pyro.sample("z", dist.Normal(values["loc"], scale).to_event(1))

    def iterate(self) -> dict[str, Array]:
        """The parameters as they stand: ``loc``, ``log_scale`` and ``lower``."""
        store = pyro.get_param_store()
        values = {name: store[name].detach().double().clone() for name in self.start}
        kept = {"loc": values["loc"].numpy(), "log_scale": softplus(values["raw"]).log().numpy()}
        return kept | ({"lower": values["lower"].tril(-1).numpy()} if "lower" in values else {})


def gaussian_guide(size: int, method: SVI) -> TrainableGuide:
    """The method's guide at its start: the origin with scale 1, or the tutorial's random values."""
    if method.init == "random":
        start = {"loc": torch.randn(size), "raw": -3.0 + 0.05 * torch.randn(size)}
    else:
        start = {"loc": torch.zeros(size), "raw": torch.full((size,), math.log(math.expm1(1.0)))}
    return TrainableGuide(start | ({"lower": torch.zeros(size, size)} if method.guide == "full_rank" else {}))


def fit(target: Density, method: SVI, seed: int, progress: Progress) -> Found:
    """Fit the guide; the iterates of the last half are kept for their average."""
    began = time.perf_counter()
    model = objective(target, method.particles, method.batch_size)
    seconds = {"compile": time.perf_counter() - began}
    if callable(method.guide):
        return _fit_own(model, target.coordinates, method, progress, seconds)
    guide = gaussian_guide(target.size, method)
    kept: list[dict[str, Array]] = []

    def keep(step: int) -> None:
        if step >= method.steps // 2:
            kept.append(guide.iterate())

    losses = optimize(model, guide, target.coordinates, method, progress, after_step=keep)
    iterates = {name: np.stack([k[name] for k in kept]) for name in kept[0]}
    estimate = {name: values.mean(axis=0) if method.average else values[-1] for name, values in iterates.items()}
    return Found(
        gaussian_draws(target.coordinates, estimate, method.draws),
        lambda regression: summarize(regression, target.coordinates, iterates, average=method.average).moments,
        losses,
        iterates,
        seconds,
    )


def _fit_own(
    model: Objective, coordinates: Coordinates, method: SVI, progress: Progress, seconds: Mapping[str, float]
) -> Found:
    """Fit a guide of the user's, as `PyroBackend` describes it, and draw by running it."""
    own: Any = method.guide
    guide = own(model) if isinstance(own, type) else own
    losses = optimize(model, guide, coordinates, method, progress)
    state = pyro.get_param_store().get_state()

    def draw(seed: int) -> Draws:
        pyro.get_param_store().set_state(state)
        with torch.no_grad(), pyro.plate("draws", method.draws, dim=-2):
            trace = poutine.trace(guide).get_trace(coordinates)
        z: Tensor = trace.nodes["z"]["value"]
        return coordinates.constrained(z.reshape(1, method.draws, model.size).double().numpy()), {}

    return Found(draw, losses=losses, seconds=seconds)


def fit_map(target: Density, method: MAP, seed: int, progress: Progress) -> Found:
    """Find the mode: variational inference with a point as its guide."""

    def delta(coordinates: Coordinates) -> None:
        pyro.sample("z", dist.Delta(pyro.param("loc", torch.zeros(target.size)), event_dim=1))

    losses = optimize(objective(target), delta, target.coordinates, method, progress)
    mode: Tensor = pyro.param("loc")
    return point(target.coordinates.constrained(mode.detach().double().numpy()), losses)


def optimize(
    model: Objective,
    guide: Callable[..., Any],
    coordinates: Coordinates,
    method: Optimizer,
    progress: Progress,
    *,
    after_step: Callable[[int], None] = lambda step: None,
) -> Array:
    """Take the method's steps, all particles at a time; returns the negative ELBO at each step, in nats."""
    elbo = infer.Trace_ELBO(model.particles, max_plate_nesting=1, vectorize_particles=model.particles > 1)
    return descend(model, guide, elbo, method, progress, (coordinates,), after_step=after_step)


def descend(
    model: Callable[..., Any],
    guide: Callable[..., Any],
    elbo: Any,
    method: Optimizer,
    progress: Progress,
    positional: tuple[Any, ...] = (),
    named: Mapping[str, Any] = MappingProxyType({}),
    *,
    after_step: Callable[[int], None],
) -> Array:
    """Take the method's Adam steps on a negative ELBO; returns it at each step, in nats."""
    rates = method.rates
    optimizer = pyro.optim.LambdaLR(
        {
            "optimizer": torch.optim.Adam,
            "optim_args": {"lr": method.rate},
            "lr_lambda": lambda step: rates[min(step, len(rates) - 1)] / method.rate,
        }
    )
    svi = infer.SVI(model, guide, optimizer, elbo)
    losses = np.empty(method.steps)
    every = max(1, method.steps // 100)
    for step, rate in enumerate(rates):
        losses[step] = svi.step(*positional, **named)
        optimizer.step()
        after_step(step)
        if step % every == 0 or step + 1 == method.steps:
            progress(step + 1, method.steps, loss=float(losses[step]), rate=rate)
    return losses
