"""The No-U-Turn sampler, all chains in one vectorized program.

The kernel is driven by its own ``init`` and ``sample``, not by ``MCMC``: that one
tells no progress without a bar of its own, and with a step-size search it compiles
the data into the program, which then serves for no other data.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro.infer.hmc import NUTS as Kernel  # noqa: N811 (bayescore.methods has a NUTS too)

from bayescore import posterior
from bayescore.backend import Fit, Progress
from bayescore.methods import NUTS
from bayescore.posterior import Posterior
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
    """A kernel over these very arrays, and its state before the first iteration."""
    kernel = Kernel(
        potential_fn=partial(potential, place),
        step_size=1.0,
        dense_mass=plan.dense_mass,
        target_accept_prob=plan.target_accept,
        max_tree_depth=plan.max_tree_depth,
        find_heuristic_step_size=True,
    )
    of_start, of_chains = jax.random.split(key)
    z = jax.random.uniform(of_start, (plan.chains, place.size), minval=-2.0, maxval=2.0)
    return kernel, kernel.init(jax.random.split(of_chains, plan.chains), plan.warmup, z)


@partial(jax.jit, static_argnums=0)
def _start(plan: Plan, place: Place, key: jax.Array) -> Any:
    return _begin(plan, place, key)[1]


@partial(jax.jit, static_argnums=0)
def _advance(plan: Plan, place: Place, state: Any, count: jax.Array) -> tuple[Any, Rows]:
    # a kernel samples only after its init; the compiler drops the state that this one makes
    kernel, _ = _begin(plan, place, jax.random.key(0))

    def record(state: Any) -> Rows:
        return Rows(state.z, state.diverging, state.energy, state.potential_energy, state.accept_prob, state.num_steps)

    return chunk(lambda state: kernel.sample(state, (), {}), record, state, count)


def fit(target: Target, method: NUTS, seed: int, progress: Progress) -> Fit:
    """Warm up and sample, all chains from Uniform(-2, 2) in z."""
    plan = Plan(method.chains, method.warmup, method.target_accept, method.max_tree_depth, bool(method.dense_mass))

    def run(state: Any, done: int, count: int) -> tuple[Any, Rows]:
        advanced: tuple[Any, Rows] = _advance(plan, target.place, state, count)
        return advanced

    state, starting = timed(lambda: _start(plan, target.place, key_of(seed)))
    _, compiling = timed(lambda: run(state, 0, 0))
    total = method.warmup + method.draws
    parts = []
    for done, rows in chunks(run, state, total):
        parts.append(rows)
        progress(done, total, acceptance=float(np.mean(rows.acceptance)))
    kept = jax.tree.map(lambda *leaves: np.concatenate(leaves)[method.warmup :].swapaxes(0, 1), *parts)
    return Fit(target.regression, method, (target.coordinates, kept), seconds={"compile": starting + compiling})


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
