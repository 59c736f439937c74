"""The core's priors as NumPyro distributions: one line each."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from bayescore.backend import entry_of

PRIORS: dict[str, Callable[..., dist.Distribution]] = {
    "Normal": dist.Normal,
    "StudentT": dist.StudentT,
    "Cauchy": dist.Cauchy,
    "Laplace": dist.Laplace,
    "HalfNormal": dist.HalfNormal,
    "HalfCauchy": dist.HalfCauchy,
    "HalfStudentT": lambda df, scale: dist.FoldedDistribution(dist.StudentT(df, 0.0, scale)),
    "Exponential": dist.Exponential,
    "Gamma": dist.Gamma,
    "InverseGamma": lambda concentration, scale: dist.InverseGamma(concentration, rate=scale),
    "LogNormal": dist.LogNormal,
    "Beta": lambda a, b: dist.Beta(concentration1=a, concentration0=b),
    "Uniform": dist.Uniform,
}
SUPPORTS = {"real": dist.constraints.real, "positive": dist.constraints.positive}
Kinds = tuple[tuple[str, tuple[int, ...]], ...]
Parameters = Mapping[str, jax.Array]


def independent(kinds: Kinds, support: str, shape: tuple[int, ...], numbers: Sequence[Parameters]) -> dist.Distribution:
    """Priors of all elements of a site, each of them of one of the kinds."""
    if len(kinds) == 1:
        return _alike(kinds[0][0], support, shape, numbers[0]).to_event(len(shape))
    parts = [
        (positions, _alike(kind, support, (len(positions),), parameters))
        for (kind, positions), parameters in zip(kinds, numbers, strict=True)
    ]
    return Mixed(parts, shape)


def _alike(kind: str, support: str, shape: tuple[int, ...], parameters: Parameters) -> dist.Distribution:
    """One kind of prior for elements of ``shape``; its numbers are as many."""
    if kind == "Flat":
        return dist.ImproperUniform(SUPPORTS[support], shape, ())
    made = entry_of(PRIORS, kind, f"the prior {kind}")
    return made(**{name: jnp.reshape(number, shape) for name, number in parameters.items()})


class Mixed(dist.Distribution):  # type: ignore[misc]
    """An array whose elements have priors of several kinds.

    Parameters
    ----------
    parts
        For each kind the positions of its elements, in C order, and their distribution,
        of as many.
    """

    support = dist.constraints.real

    def __init__(self, parts: list[tuple[tuple[int, ...], dist.Distribution]], shape: tuple[int, ...]) -> None:
        self.parts = parts
        super().__init__(batch_shape=(), event_shape=shape)

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Sum over the elements."""
        flat = jnp.ravel(value)
        terms = [part.log_prob(flat[jnp.array(positions)]).sum() for positions, part in self.parts]
        return sum(terms, jnp.zeros(()))


class Moved(dist.Distribution):  # type: ignore[misc]
    """A site whose law is that of its values with the columns' means, times their coefficients, added.

    Parameters
    ----------
    own
        That law.
    site, coefficients
        Names; they are the same where some coefficients stand in the intercept's place.
    predictor, means
        For each element the row of the coefficients, and what they are multiplied by, (element, column).
    values
        Of the sites before.
    """

    support = dist.constraints.real

    def __init__(
        self,
        own: dist.Distribution,
        site: str,
        coefficients: str,
        predictor: tuple[int, ...],
        means: jax.Array,
        values: Mapping[str, jax.Array],
    ) -> None:
        self.own, self.predictor, self.means = own, predictor, means
        self.beta = None if coefficients == site else values[coefficients]
        super().__init__(batch_shape=(), event_shape=own.event_shape)

    def log_prob(self, value: jax.Array) -> jax.Array:
        """Log density of the linear predictors there."""
        beta = value if self.beta is None else self.beta
        rows = jnp.reshape(beta, (-1, self.means.shape[1]))[jnp.array(self.predictor)]
        density: jax.Array = self.own.log_prob(value + jnp.reshape(jnp.sum(rows * self.means, axis=-1), value.shape))
        return density
