"""Programs in the numbers without constraints that NumPyro's own bijections make values of; draws by NUTS there."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.util import constrain_fn, potential_energy

from bayescore.backend import Progress
from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import NUTS
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit
from bayescore_numpyro import nuts
from bayescore_numpyro.compiling import LOOP, ONCE, Compiled
from bayescore_numpyro.precision import key_of
from bayescore_numpyro.programs import enumeration
from bayescore_numpyro.programs.density import Terms
from bayescore_numpyro.programs.running import Source, Structure, Values, run

_TRIES = 100
"""Starting points of a chain that are tried for one of finite density, as many as NumPyro's own."""


class Free:
    """A program in a vector z without constraints.

    Parameters
    ----------
    terms
        Log density by site, and by row, of values.

    Raises
    ------
    UnsupportedError
        A site has no such numbers: it is discrete, or its support has no bijection.
    """

    def __init__(self, source: Source, structure: Structure, terms: Callable[[Values], Terms]) -> None:
        self.source, self.structure, self._terms = source, structure, terms
        origin, self._unravel = ravel_pytree(_origin(structure))
        self.size = int(origin.size)
        self.potential = jax.jit(self._potential)
        self.moved = jax.jit(self._moved)
        self.slope = Compiled(jax.value_and_grad(lambda z: self.potential((), z)), ONCE, ())
        self._constrained = Compiled(lambda z: lax.map(self._at, z), LOOP, ())
        self._log_slopes = Compiled(lambda z: lax.map(self._log_slope, z), LOOP, ())

    def _potential(self, place: Any, z: jax.Array) -> jax.Array:
        """Minus the log density of z, in nats; the place is empty, and the data are constants of the program."""
        model: Callable[[], Any] = handlers.seed(self.source, key_of(0))
        summed = bool(self.structure.enumerated)
        if summed:
            model = enumeration.enumerated(model, self.structure)
        found: jax.Array = potential_energy(model, (), {}, self._unravel(z), enum=summed)
        return found

    def _moved(self, place: Any, z: jax.Array) -> jax.Array:
        """The same in coordinates: of a centre, a matrix and the log of its determinant."""
        centre, matrix, log_det = place
        found: jax.Array = self.potential((), centre + matrix @ z) - log_det
        return found

    def _at(self, z: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
        """Values of latent and deterministic sites at z, and the log density of the values."""
        model = handlers.seed(self.source, key_of(0))
        values = constrain_fn(model, (), {}, self._unravel(z), return_deterministic=True)
        return values, self.log_joint({name: values[name] for name in self.structure.latent})

    def log_joint(self, values: Values) -> jax.Array:
        """Log density of values of all latent sites that are not summed out; for use inside jit."""
        terms, _ = self._terms(values)
        return sum(terms.values(), jnp.zeros(()))

    def _log_slope(self, z: jax.Array) -> jax.Array:
        """Log |d values / d z|, whatever the sites' densities are scaled by."""
        free = self._unravel(z)
        model = handlers.seed(self.source, key_of(0))
        trace = run(self.source, constrain_fn(model, (), {}, free), key_of(0))
        each = {name: biject_to(trace[name]["fn"].support) for name in free}
        parts = [jnp.sum(each[name].log_abs_det_jacobian(free[name], trace[name]["value"])) for name in free]
        return sum(parts, jnp.zeros(()))

    def begin(self, chains: int, seed: int) -> Array:
        """Points to begin at, Uniform(-2, 2) and of finite density and slope, shape (chain, d).

        Raises
        ------
        FitError
            There is none among those tried.
        """
        rng = np.random.default_rng(seed)
        return np.stack([self._point(rng) for _ in range(chains)])

    def _point(self, rng: np.random.Generator) -> Array:
        for _ in range(_TRIES):
            z = rng.uniform(-2.0, 2.0, self.size)
            if all(np.all(np.isfinite(part)) for part in self.slope(jnp.asarray(z, dtype=float))):
                return z
        raise FitError(
            f"the program has no finite log density with a finite slope at any of {_TRIES} points of "
            "Uniform(-2, 2) without constraints: are all observed values within their supports?"
        )

    def log_slopes(self, z: Array) -> Array:
        """Log |d values / d z| at points (chain, draw, d), shape (chain, draw)."""
        found = self._log_slopes(jnp.asarray(z.reshape(-1, self.size), dtype=float))
        return np.asarray(found, dtype=np.float64).reshape(z.shape[:2])

    def constrained(self, z: Array) -> tuple[dict[str, Array], Array]:
        """Values of sites at points (chain, draw, d), and their log density, (chain, draw)."""
        outer = z.shape[:2]
        found, log_joint = jax.device_get(self._constrained(jnp.asarray(z.reshape(-1, self.size), dtype=float)))
        left_out = beside_enumerated(self.source, self.structure, found)
        draws = {
            name: np.asarray(found[name], dtype=np.float64).reshape(outer + found[name].shape[1:])
            for name in self.structure.kinds
            if name in found and name not in left_out
        }
        return draws, np.asarray(log_joint, dtype=np.float64).reshape(outer)


def _origin(structure: Structure) -> dict[str, jax.Array]:
    """Zero without constraints, by site."""
    if structure.discrete:
        raise UnsupportedError(
            f"the site {structure.discrete[0]!r} is discrete, and not enumerated: "
            'sum it out with infer={"enumerate": "parallel"}, or give it as data'
        )
    found = {}
    for name, shape in structure.free.items():
        if shape is None:
            raise UnsupportedError(f"the site {name!r} has a support that NumPyro has no bijection to")
        found[name] = jnp.zeros(shape)
    if not found:
        raise UnsupportedError("the program has no unknown to fit: all its sites are observed, or summed out")
    return found


def beside_enumerated(source: Source, structure: Structure, found: Mapping[str, Array]) -> set[str]:
    """Deterministic sites that depend on what is summed out: they have no draws of their own."""
    others = found.keys() - structure.latent.keys()
    if not structure.enumerated or not others:
        return set()
    values = {name: jnp.asarray(found[name][0]) for name in structure.latent}
    first, *more = (run(source, values, key_of(0, number)) for number in range(4))
    return {
        name
        for name in others
        if any(not np.array_equal(first[name]["value"], again[name]["value"], equal_nan=True) for again in more)
    }


def fit(free: Free, method: NUTS, seed: int, progress: Progress) -> ProgramFit:
    """Warm up and sample, all chains from Uniform(-2, 2) without constraints."""
    rows, seconds = nuts.sample(free.potential, (), free.begin(method.chains, seed), method, seed, progress)
    return ProgramFit(method, rows, seconds=seconds)


def draw(free: Free, fitted: ProgramFit) -> Posterior:
    """The draws themselves, unthinned, chains and order kept."""
    draws, log_joint = free.constrained(fitted.native.z)
    return Posterior(draws, sample_stats=nuts.stats(fitted.native) | {"log_joint": log_joint})
