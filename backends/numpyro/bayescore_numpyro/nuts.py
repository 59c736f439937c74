"""The No-U-Turn sampler, its chains side by side.

A CPU that is split into as many devices as there are chains (`bayescore_numpyro.plugin`)
runs a chain on each; one with fewer, and an accelerator, runs several in one vectorized
program, in which every chain takes the steps of the longest tree. Each device of a CPU has a
thread of its own, so that more cores serve as soon as there are more, in the middle of a fit.

The kernel is driven by its own ``init`` and ``sample``, not by ``MCMC``: that one
tells no progress without a bar of its own, and with a step-size search it compiles
the data into the program, which then serves for no other data.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec
from numpyro.infer.hmc import NUTS as Kernel  # noqa: N811 (bayescore.methods has a NUTS too)
from numpyro.infer.util import ParamInfo

from bayescore.backend import Fit, Progress
from bayescore.methods import NUTS
from bayescore.model import posterior
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore_numpyro.compiling import LOOP, ONCE, compiled
from bayescore_numpyro.loop import chunk, chunks, timed
from bayescore_numpyro.model import potential
from bayescore_numpyro.native import Density
from bayescore_numpyro.precision import keys_of
from bayescore_numpyro.rows import floats

_ALL, _OWN, _OWN_ROWS = Spec(), Spec("chain"), Spec(None, "chain")  # type: ignore[no-untyped-call]
"""What all devices have, what each has of its own chains, and of their rows."""

_potential = jax.jit(potential)
"""Traced once, however often a kernel takes its gradient."""


class Plan(NamedTuple):
    """What is compiled beside the place's form: the potential, of a place and z, is minus the log density of z."""

    potential: Callable[[Any, jax.Array], jax.Array]
    devices: int
    warmup: int
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


def _begin(plan: Plan, place: Any, target_accept: Any, key: jax.Array, at: Any) -> tuple[Kernel, Any]:
    """A kernel over these very arrays, and its state before the first iteration: of one chain, or of one a key.

    It begins at z, or at z with what is known there.
    """
    kernel = Kernel(
        potential_fn=partial(plan.potential, place),
        step_size=1.0,
        dense_mass=plan.dense_mass,
        target_accept_prob=target_accept,
        max_tree_depth=plan.max_tree_depth,
        find_heuristic_step_size=True,
    )
    return kernel, kernel.init(key, plan.warmup, at)


@compiled(ONCE, 0)
def _start(plan: Plan, place: Any, target_accept: Any, keys: jax.Array, z: jax.Array) -> Any:
    def start(place: Any, target_accept: Any, keys: jax.Array, z: jax.Array) -> Any:
        return _joined(_begin(plan, place, target_accept, _own(keys), _own(z))[1], keys, axis=0)

    return _over_devices(plan, start, (_ALL, _ALL, _OWN, _OWN), _OWN)(place, target_accept, keys, z)


@compiled(LOOP, 0)
def _advance(plan: Plan, place: Any, target_accept: Any, state: Any, count: jax.Array) -> tuple[Any, Rows]:
    def record(state: Any) -> Rows:
        return Rows(state.z, state.diverging, state.energy, state.potential_energy, state.accept_prob, state.num_steps)

    def advance(place: Any, target_accept: Any, state: Any, count: jax.Array) -> tuple[Any, Rows]:
        keys, own = state.rng_key, _own(state)
        # a kernel samples only after its init; the compiler drops the state that this one makes
        kernel, _ = _begin(plan, place, target_accept, own.rng_key, ParamInfo(own.z, own.potential_energy, own.z_grad))
        own, rows = chunk(lambda state: kernel.sample(state, (), {}), record, own, count)
        return _joined(own, keys, axis=0), _joined(rows, keys, axis=1)

    advanced: tuple[Any, Rows] = _over_devices(plan, advance, (_ALL, _ALL, _OWN, _ALL), (_OWN, _OWN_ROWS))(
        place, target_accept, state, count
    )
    return advanced


def _over_devices(plan: Plan, function: Callable[..., Any], takes: Any, gives: Any) -> Callable[..., Any]:
    """A function of what all devices have and of what each has, run by every device."""
    return jax.shard_map(function, mesh=_mesh(plan), in_specs=takes, out_specs=gives, check_vma=False)


def _mesh(plan: Plan) -> Mesh:
    return Mesh(np.array(jax.local_devices()[: plan.devices]), "chain")


def _own(chains: Any) -> Any:
    """What a device has of all chains, its first axis: where that is one, without the axis."""
    return jax.tree.map(lambda leaf: leaf[0] if len(leaf) == 1 else leaf, chains)


def _joined(own: Any, keys: jax.Array, *, axis: int) -> Any:
    """With the axis of the chains again."""
    return jax.tree.map(lambda leaf: jnp.expand_dims(leaf, axis), own) if len(keys) == 1 else own


def fit(target: Density, method: NUTS, seed: int, progress: Progress) -> Fit:
    """Warm up and sample, all chains from Uniform(-2, 2) in z."""
    z = np.random.default_rng(seed).uniform(-2.0, 2.0, (method.chains, target.place.size))
    kept, seconds = sample(_potential, target.place, z, method, seed, progress)
    return Fit(target.regression, method, (target.coordinates, kept), seconds=seconds)


def sample(
    potential: Callable[[Any, jax.Array], jax.Array], place: Any, z: Array, method: NUTS, seed: int, progress: Progress
) -> tuple[Rows, dict[str, float]]:
    """Warm up and sample.

    Parameters
    ----------
    potential
        Of the place and z, minus the log density of z, in nats.
    place
        Arrays in a tree, as the potential takes it: they are no constants of the compiled program.
    z
        Where the chains begin, shape (chain, d).

    Returns
    -------
    rows
        Those after the warm-up, each of shape (chain, draw, ...).
    seconds
        Of ``compile``.
    """
    plan = Plan(potential, _devices(method.chains), method.warmup, method.max_tree_depth, method.dense_mass)
    place = jax.device_put(place, NamedSharding(_mesh(plan), _ALL))
    target_accept = floats(method.target_accept)  # no part of the plan: a fit with smaller steps compiles nothing

    def run(state: Any, done: int, count: int) -> tuple[Any, Rows]:
        return _advance(plan, place, target_accept, state, np.asarray(count))

    keys = keys_of(seed, method.chains)
    begin = floats(z)
    state, starting = timed(lambda: _start(plan, place, target_accept, keys, begin))
    _, compiling = timed(lambda: run(state, 0, 0))
    total = method.warmup + method.draws
    parts = []
    for done, rows in chunks(run, state, total):
        parts.append(rows)
        progress(done, total, acceptance=float(np.mean(rows.acceptance)))
    kept: Rows = jax.tree.map(lambda *leaves: np.concatenate(leaves)[method.warmup :].swapaxes(0, 1), *parts)
    return kept, {"compile": starting + compiling}


def _devices(chains: int) -> int:
    """How many devices run as many chains each: several of a CPU's; of an accelerator one, which runs them together."""
    there = jax.local_device_count() if jax.default_backend() == "cpu" else 1
    return max(n for n in range(1, there + 1) if chains % n == 0)


def draw(fit: Fit, seed: int) -> Posterior:
    """The draws themselves, unthinned, chains and order kept; no seed matters."""
    coordinates, rows = fit.native
    draws = coordinates.constrained(rows.z.astype(np.float64))
    return posterior.label(fit.regression, draws, sample_stats=stats(rows))


def stats(rows: Rows) -> dict[str, np.ndarray]:
    """Sample statistics under ArviZ's names; ``lp`` is the log density of z."""
    return {
        "diverging": rows.diverging,
        "energy": rows.energy.astype(np.float64),
        "lp": -rows.potential.astype(np.float64),
        "acceptance_rate": rows.acceptance.astype(np.float64),
        "n_steps": rows.steps,
        "tree_depth": np.ceil(np.log2(rows.steps + 1)).astype(np.int64),
    }
