"""Adam with a rate a step: what MLE, MAP and SVI share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.optim import Adam

from bayescore.backend import Progress
from bayescore.model.arrays import Array
from bayescore_numpyro.loop import CHUNK, chunk, chunks, timed

Params = dict[str, jax.Array]
Loss = Callable[[Params, jax.Array], jax.Array]


class State(NamedTuple):
    """Adam's state, the key of the steps to come, and the loss of the last one."""

    optimizer: Any
    key: jax.Array
    loss: jax.Array


class Trail(NamedTuple):
    """Loss of a step and the parameters after it."""

    loss: jax.Array
    params: Params


@dataclass(frozen=True)
class Descent:
    """All steps of a descent.

    Attributes
    ----------
    losses
        Shape (step,).
    params
        Each parameter after each of the last steps, shape (kept step, ...).
    seconds
        Seconds of ``compile``.
    """

    losses: Array
    params: dict[str, Array]
    seconds: dict[str, float]


def start(params: Params, key: jax.Array) -> State:
    """The state before the first step."""
    return State(Adam(0.0).init(params), key, jnp.zeros(()))


def advance(loss: Loss, rates: jax.Array, state: State, count: jax.Array) -> tuple[State, Trail]:
    """Take ``count`` steps at the chunk's rates; for use inside jit."""
    adam = Adam(lambda i: rates[i % CHUNK])

    def step(state: State) -> State:
        key, now = jax.random.split(state.key)
        (value, _), optimizer = adam.eval_and_update(lambda params: (loss(params, now), None), state.optimizer)
        return State(optimizer, key, value)

    return chunk(step, lambda state: Trail(state.loss, adam.get_params(state.optimizer)), state, count)


def descend(
    program: Callable[[Any, State, int], tuple[State, Trail]],
    rates: Sequence[float],
    state: State,
    progress: Progress,
    *,
    keep: int,
) -> Descent:
    """Run a compiled program to the end of the rates.

    Parameters
    ----------
    program
        `advance` of some loss, compiled: of the chunk's rates, the state, and the number
        of steps to take.
    keep
        Of how many steps, the last ones, the parameters are kept.
    """
    total = len(rates)
    padded = np.pad(np.asarray(rates, dtype=jnp.result_type(float)), (0, CHUNK))

    def run(state: State, done: int, count: int) -> tuple[State, Trail]:
        return program(padded[done : done + CHUNK], state, count)

    _, compiling = timed(lambda: run(state, 0, 0))
    losses, kept = [], []
    for done, trail in chunks(run, state, total):
        losses.append(trail.loss)
        first = max(total - keep - (done - len(trail.loss)), 0)
        kept.append({name: values[first:] for name, values in trail.params.items()})
        progress(done, total, loss=float(trail.loss[-1]), rate=rates[done - 1])
    whole = {name: np.concatenate([part[name] for part in kept]).astype(np.float64) for name in kept[0]}
    return Descent(np.concatenate(losses).astype(np.float64), whole, {"compile": compiling})
