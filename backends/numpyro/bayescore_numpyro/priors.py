"""The core's priors as NumPyro distributions: one line each."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

PRIORS: dict[str, Callable[..., dist.Distribution]] = {
    "Normal": dist.Normal,
    "StudentT": dist.StudentT,
    "Cauchy": dist.Cauchy,
    "Laplace": dist.Laplace,
    "HalfNormal": dist.HalfNormal,
    "HalfCauchy": dist.HalfCauchy,
    "Exponential": dist.Exponential,
    "Gamma": dist.Gamma,
    "InverseGamma": lambda concentration, scale: dist.InverseGamma(concentration, rate=scale),
    "LogNormal": dist.LogNormal,
}
SUPPORTS = {"real": dist.constraints.real, "positive": dist.constraints.positive}


def prior(kind: str, support: str, shape: tuple[int, ...], numbers: Mapping[str, jax.Array]) -> dist.Distribution:
    """One prior for all elements of ``shape``; its numbers are of that shape."""
    if kind == "Flat":
        return dist.ImproperUniform(SUPPORTS[support], shape, ())
    return PRIORS[kind](**{name: jnp.reshape(number, shape) for name, number in numbers.items()})


class Mixed(dist.Distribution):  # type: ignore[misc]
    """A real vector whose elements have priors of several kinds.

    Parameters
    ----------
    parts
        For each kind the positions of its elements, and their distribution, of as many.
    """

    support = dist.constraints.real_vector

    def __init__(self, parts: list[tuple[tuple[int, ...], dist.Distribution]]) -> None:
        self.parts = parts
        size = sum(len(positions) for positions, _ in parts)
        super().__init__(batch_shape=(), event_shape=(size,))

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Sum over the elements, shape (...) for values (..., element)."""
        terms = [part.log_prob(value[..., jnp.array(positions)]).sum(axis=-1) for positions, part in self.parts]
        total: jax.Array = sum(terms[1:], terms[0])
        return total
