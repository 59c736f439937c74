"""The No-U-Turn sampler, its chains side by side.

A CPU that is split into as many devices as there are chains (`bayescore_numpyro.plugin`)
runs a chain on each; one with fewer, and an accelerator, runs several in one vectorized
program, in which every chain takes the steps of the longest tree. Each device of a CPU has a
thread of its own, so that more cores serve as soon as there are more, in the middle of a fit.

The kernel is driven by its own ``init`` and ``sample``, not by ``MCMC``: that one
tells no progress without a bar of its own, and with a step-size search it compiles
the data into the program, which then serves for no other data.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import NUTS as Kernel  # noqa: N811 (bayescore.methods has a NUTS too)

from bayescore.backend import Fit, Progress
from bayescore.methods import NUTS
from bayescore.model import posterior
from bayescore.model.posterior import Posterior
from bayescore_numpyro.loop import chunk, chunks, timed
from bayescore_numpyro.model import potential
from bayescore_numpyro.precision import key_of
from bayescore_numpyro.problem import Place, Target


class Plan(NamedTuple):
    """What is compiled beside the place's form."""

    chains: int
    warmup: int
    target_accept: float
    max_tree_depth: int
    dense_mass: bool


class Rows(NamedTuple):
    """What is kept of each iteration, each of shape (chain,), z (chain, d)."""

    z: Any
    diverging: Any
    energy: Any
    potential: Any
    acceptance: Any
    steps: Any


def _begin(plan: Plan, place: Place, key: jax.Array) -> tuple[Kernel, Any]:
    """A kernel over these very arrays, and its state before the first iteration: of one chain, or of one a key."""
    kernel = Kernel(
        potential_fn=partial(potential, place),
        step_size=1.0,
        dense_mass=plan.dense_mass,
        target_accept_prob=plan.target_accept,
        max_tree_depth=plan.max_tree_depth,
        find_heuristic_step_size=True,
    )
    of_start, of_chain = jnp.moveaxis(jax.vmap(jax.random.split)(jnp.atleast_1d(key)), 1, 0)
    z = jax.vmap(lambda own: jax.random.uniform(own, (place.size,), minval=-2.0, maxval=2.0))(of_start)
    return kernel, kernel.init(*((of_chain, plan.warmup, z) if key.ndim else (of_chain[0], plan.warmup, z[0])))


@partial(jax.pmap, in_axes=(None, None, 0), static_broadcasted_argnums=0)
def _start(plan: Plan, place: Place, key: jax.Array) -> Any:
    return _begin(plan, place, key)[1]


@partial(jax.pmap, in_axes=(None, None, 0, None), out_axes=(0, 1), static_broadcasted_argnums=0)
def _advance(plan: Plan, place: Place, state: Any, count: jax.Array) -> tuple[Any, Rows]:
    # a kernel samples only after its init; the compiler drops the state that this one makes
    kernel, _ = _begin(plan, place, state.rng_key)

    def record(state: Any) -> Rows:
        return Rows(state.z, state.diverging, state.energy, state.potential_energy, state.accept_prob, state.num_steps)

    return chunk(lambda state: kernel.sample(state, (), {}), record, state, count)


def fit(target: Target, method: NUTS, seed: int, progress: Progress) -> Fit:
    """Warm up and sample, all chains from Uniform(-2, 2) in z."""
    plan = Plan(method.chains, method.warmup, method.target_accept, method.max_tree_depth, method.dense_mass)

    def run(state: Any, done: int, count: int) -> tuple[Any, Rows]:
        advanced: tuple[Any, Rows] = _advance(plan, target.place, state, count)
        return advanced

    keys = _by_device(jax.random.split(key_of(seed), method.chains))
    state, starting = timed(lambda: _start(plan, target.place, keys))
    _, compiling = timed(lambda: run(state, 0, 0))
    total = method.warmup + method.draws
    parts = []
    for done, rows in chunks(run, state, total):
        parts.append(rows)
        progress(done, total, acceptance=float(np.mean(rows.acceptance)))
    kept = jax.tree.map(lambda *leaves: _by_chain(np.concatenate(leaves)[method.warmup :], keys), *parts)
    return Fit(target.regression, method, (target.coordinates, kept), seconds={"compile": starting + compiling})


def _by_device(keys: jax.Array) -> jax.Array:
    """Keys of chains (chain,), or where a device runs several of them, as an accelerator does, (device, chain)."""
    there = jax.local_device_count() if jax.default_backend() == "cpu" else 1
    devices = max(n for n in range(1, there + 1) if len(keys) % n == 0)
    return keys if devices == len(keys) else keys.reshape(devices, -1)


def _by_chain(rows: np.ndarray, keys: jax.Array) -> np.ndarray:
    """Rows (chain, draw, ...) of those that came as (draw, *shape of the keys, ...)."""
    return rows.reshape(len(rows), keys.size, *rows.shape[1 + keys.ndim :]).swapaxes(0, 1)


def draw(fit: Fit, seed: int) -> Posterior:
    """The draws themselves, unthinned, chains and order kept; no seed matters."""
    coordinates, rows = fit.native
    draws = coordinates.constrained(rows.z.astype(np.float64))
    return posterior.label(fit.regression, draws, sample_stats=_stats(rows))


def _stats(rows: Rows) -> dict[str, np.ndarray]:
    """Sample statistics under ArviZ's names; ``lp`` is the log density of z."""
    return {
        "diverging": rows.diverging,
        "energy": rows.energy.astype(np.float64),
        "lp": -rows.potential.astype(np.float64),
        "acceptance_rate": rows.acceptance.astype(np.float64),
        "n_steps": rows.steps,
        "tree_depth": np.ceil(np.log2(rows.steps + 1)).astype(np.int64),
    }
