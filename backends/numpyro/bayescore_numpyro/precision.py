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


def key_of(seed: int) -> jax.Array:
    """A random key of a whole number of any size, the same in both precisions."""
    words = np.random.SeedSequence(seed).generate_state(2, np.uint32)
    key: jax.Array = jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32")
    return key
