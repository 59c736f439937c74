"""Long loops in compiled chunks, so that progress can be told.

A chunk is of one length whatever the total; the last one idles where the total is
reached. The compiled program thus does not depend on the number of steps.
"""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

CHUNK = 50
State = TypeVar("State")
Rows = TypeVar("Rows")
Result = TypeVar("Result")


def chunk(
    step: Callable[[State], State], record: Callable[[State], Rows], state: State, count: jax.Array
) -> tuple[State, Rows]:
    """Take ``count`` steps, and record `CHUNK` rows, the first ``count`` of which mean something."""

    def body(state: State, i: jax.Array) -> tuple[State, Rows]:
        state = lax.cond(i < count, step, lambda unchanged: unchanged, state)
        return state, record(state)

    return lax.scan(body, state, jnp.arange(CHUNK))


def chunks(
    advance: Callable[[State, int, int], tuple[State, Rows]], state: State, total: int
) -> Iterator[tuple[int, Rows]]:
    """Advance to ``total`` steps; after each chunk the steps so far and its rows, as NumPy arrays.

    Parameters
    ----------
    advance
        A compiled chunk: of the state, the steps done and the number of steps to take.
    """
    for done in range(0, total, CHUNK):
        count = min(CHUNK, total - done)
        state, rows = advance(state, done, count)
        yield done + count, jax.tree.map(lambda leaf, n=count: leaf[:n], jax.device_get(rows))


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    """What a call gives, and its wall time in seconds."""
    begin = time.perf_counter()
    result: Result = jax.block_until_ready(call())  # type: ignore[no-untyped-call, unused-ignore]
    return result, time.perf_counter() - begin
