"""Precision and random keys, without touching JAX's global configuration."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np

from bayescore.backend import Precision


def precision_of(precision: Precision) -> AbstractContextManager[Any]:
    """The context in which arrays have this precision; the caller's own is left alone."""
    owner = jax if hasattr(jax, "enable_x64") else jax.experimental  # where older versions have it
    switch: Callable[[bool], AbstractContextManager[Any]] = owner.enable_x64
    return switch(precision == "float64")


def key_of(seed: int, *path: int) -> jax.Array:
    """A random key of a whole number of any size, or one of many keys of it; the same in both precisions.

    Keys that `jax.random.split` makes outside of a program would cost a small program for each shape.
    """
    key: jax.Array = jax.random.wrap_key_data(jnp.asarray(_words(seed, *path)), impl="threefry2x32")
    return key


def keys_of(seed: int, count: int) -> jax.Array:
    """So many random keys of a whole number, shape (count,)."""
    words = np.stack([_words(seed, number) for number in range(count)])
    keys: jax.Array = jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32")
    return keys


def _words(seed: int, *path: int) -> np.ndarray:
    return np.random.SeedSequence(seed, spawn_key=path).generate_state(2, np.uint32)
