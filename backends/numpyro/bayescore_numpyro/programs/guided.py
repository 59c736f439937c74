"""SVI of programs with a guide of one's own: a function, an automatic guide, or the class of one."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.flatten_util import ravel_pytree
from numpyro import handlers
from numpyro.distributions import biject_to, constraints
from numpyro.infer.autoguide import AutoDAIS, AutoGuide, AutoGuideList, AutoSemiDAIS
from numpyro.infer.util import log_density

from bayescore.backend import Progress
from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import SVI
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit, iterate_of, looks
from bayescore_numpyro import adam
from bayescore_numpyro.compiling import LOOP, ONCE, Compiled
from bayescore_numpyro.precision import key_of, keys_of
from bayescore_numpyro.programs.running import Site, Source, Trace, Values, is_latent, run
from bayescore_numpyro.programs.sampling import Free, beside_enumerated

UNUSED = "its guide is not used: NUTS needs none"
_NOTE = "its own guide is fitted"
_RUNS = 1000
"""Runs of the guide at each look."""


@dataclass(frozen=True)
class Begun:
    """A guide with its parameters, in one vector without constraints.

    Attributes
    ----------
    guide
        Called without arguments.
    start
        The parameters as they are at first.
    constrained
        The parameters of a vector, by name.
    has_density
        Whether its terms' sum is the density of the program's sites. It is not where auxiliary sites are not
        integrated out, or where a value is a point; an automatic guide's auxiliary sites determine the others,
        which have the Jacobian.
    """

    guide: Callable[[], Any]
    start: jax.Array
    constrained: Callable[[jax.Array], Values]
    has_density: bool

    def run(self, numbers: jax.Array, key: jax.Array) -> tuple[jax.Array, Trace]:
        """Log density of a draw, and the trace of its run."""
        found: tuple[jax.Array, Trace] = log_density(handlers.seed(self.guide, key), (), {}, self.constrained(numbers))
        return found


@dataclass(frozen=True)
class Ran:
    """A fitted guide: the vector of its parameters."""

    begun: Begun
    numbers: Array


def fit(free: Free, own: Any, method: SVI, seed: int, progress: Progress) -> ProgramFit:
    """Fit the guide, called as the program is; its estimate is the mean of its parameters over the last half.

    The mean is that of parameters without constraints, or (``average=False``) the last are taken.

    Raises
    ------
    UnsupportedError
        The guide has other sites than the program, is a point, or has what can't be fitted.
    FitError
        The ELBO is not finite.
    """
    of_start, of_steps = (key_of(seed, number) for number in range(2))
    begun = _begun(free, own, of_start)

    def minus_elbo(params: adam.Params, key: jax.Array) -> jax.Array:
        """The estimator of ``numpyro.infer.Trace_ELBO``, with enumerated sites summed out."""

        def particle(key: jax.Array) -> jax.Array:
            log_q, trace = begun.run(params["numbers"], key)
            return log_q - free.log_joint(_values(free, trace))

        return jnp.mean(jax.vmap(particle)(jax.random.split(key, method.particles)))

    step = Compiled(lambda rates, state, count: adam.advance(minus_elbo, rates, state, count), LOOP, ())
    begin = adam.start({"numbers": begun.start}, of_steps)
    kept = (method.steps + 1) // 2
    descent = adam.descend(step, method.rates, begin, progress, keep=kept)
    if not np.isfinite(descent.losses[-kept:]).all():
        raise FitError("the guide's ELBO is not finite: has it values outside the supports of the program's sites?")
    numbers = descent.params["numbers"]
    at = [step - method.steps for step in sorted(looks(method.steps))]
    estimate = numbers.mean(axis=0) if method.average else numbers[-1]
    iterates = _iterates(free, begun, numbers[at])
    return ProgramFit(method, Ran(begun, estimate), descent.losses, iterates, descent.seconds, (_NOTE,))


def _begun(free: Free, own: Any, key: jax.Array) -> Begun:
    """The guide as it is at first, run once."""
    guide = _made(free, own)
    trace: Trace = handlers.trace(handlers.seed(guide, key)).get_trace()
    _check_sites(free, trace)
    params = {name: site for name, site in trace.items() if site["type"] == "param"}
    each = {name: biject_to(site["kwargs"].get("constraint", constraints.real)) for name, site in params.items()}
    start, unravel = ravel_pytree({name: each[name].inv(site["value"]) for name, site in params.items()})

    def constrained(numbers: jax.Array) -> Values:
        return {name: each[name](value) for name, value in unravel(numbers).items()}

    return Begun(guide, start.astype(float), constrained, _has_density(own, trace))


def _made(free: Free, own: Any) -> Callable[[], Any]:
    """The guide, called without arguments: a class is made from the program, and an automatic guide is a copy."""
    if isinstance(own, type):
        hidden = list(free.structure.enumerated)  # a seed of their own: what is hidden is not reached from outside
        made: Callable[[], Any] = own(handlers.block(handlers.seed(free.source, key_of(0)), hide=hidden))
        return made
    guide = _copied(own) if isinstance(own, AutoGuide) else own
    return Source(guide, free.source.arguments, free.source.folding)


def _copied(guide: AutoGuide) -> AutoGuide:
    """A guide that has not been set up, so that the person's own stays as it is."""
    made = copy.copy(guide)
    for name, value in vars(made).items():
        if isinstance(value, dict):
            setattr(made, name, dict(value))
    made.prototype_trace = None
    if isinstance(guide, AutoGuideList):
        made._guides = [_copied(part) if isinstance(part, AutoGuide) else part for part in guide._guides]
    return made


def _check_sites(free: Free, trace: Trace) -> None:
    latent = {name: site for name, site in trace.items() if is_latent(site)}
    found = {name: site for name, site in latent.items() if not site["infer"].get("is_auxiliary")}
    for name, like in free.structure.latent.items():
        if name not in found:
            raise UnsupportedError(f"the guide does not sample the program's site {name!r}")
        shape = tuple(np.shape(found[name]["value"]))
        if shape != like.shape:
            raise UnsupportedError(f"the guide's site {name!r} has the shape {shape}, the program's {like.shape}")
    more = [name for name in found if name not in free.structure.latent]
    if more:
        what = "is summed out" if more[0] in free.structure.enumerated else "is no latent site of the program"
        raise UnsupportedError(f"the guide samples {more[0]!r}, which {what}")
    if all(_is_point(site) for site in latent.values()):
        raise UnsupportedError("the guide is a point, which has no draws to compare")
    for name, site in latent.items():
        if not site["fn"].has_rsample:
            raise UnsupportedError(
                f"upstream: the guide's site {name!r} can't be reparametrized, which NumPyro's Trace_ELBO needs"
            )
    for name, site in trace.items():
        if site["type"] == "mutable":
            raise UnsupportedError(f"not yet: the guide has a state that its runs change, {name!r}")


def _is_point(site: Site) -> bool:
    law = site["fn"]
    while isinstance(law, dist.Independent | dist.MaskedDistribution | dist.ExpandedDistribution):
        law = law.base_dist
    return isinstance(law, dist.Delta)


def _has_density(own: Any, trace: Trace) -> bool:
    kind = own if isinstance(own, type) else type(own)
    if issubclass(kind, AutoGuide):
        return not issubclass(kind, AutoDAIS | AutoSemiDAIS)
    return not any(site["infer"].get("is_auxiliary") or _is_point(site) for site in trace.values() if is_latent(site))


def _values(free: Free, trace: Trace) -> dict[str, jax.Array]:
    return {name: trace[name]["value"] for name in free.structure.latent}


def _iterates(free: Free, begun: Begun, numbers: Array) -> Mapping[str, Array]:
    """Means and log sds of the guide's draws by the same random numbers, look by look, without constraints."""

    def draw(numbers: jax.Array, key: jax.Array) -> jax.Array:
        _, trace = begun.run(numbers, key)
        values = _values(free, trace)
        sites = run(free.source, values, key_of(0))
        flat: jax.Array = ravel_pytree(
            {name: biject_to(sites[name]["fn"].support).inv(value) for name, value in values.items()}
        )[0]
        return flat

    look = Compiled(jax.vmap(draw, in_axes=(None, 0)), ONCE, ())
    keys = keys_of(0, _RUNS)
    found = [iterate_of(np.asarray(look(jnp.asarray(each, dtype=float), keys), dtype=np.float64)) for each in numbers]
    return {name: np.stack([iterate[name] for iterate in found]) for name in found[0]}


def draw(free: Free, fitted: ProgramFit, seed: int) -> Posterior:
    """Independent draws in one chain; ``log_q`` where the guide has a density.

    Raises
    ------
    FitError
        A draw is outside the supports of the program.
    """
    ran: Ran = fitted.native
    numbers = jnp.asarray(ran.numbers, dtype=float)

    def at(key: jax.Array) -> tuple[dict[str, jax.Array], jax.Array, jax.Array]:
        log_q, trace = ran.begun.run(numbers, key)
        values = _values(free, trace)
        sites = run(free.source, values, key_of(0))
        told = {name: site["value"] for name, site in sites.items() if site["type"] == "deterministic"}
        return values | told, free.log_joint(values), log_q

    _, count = fitted.method.shape
    assert count is not None
    found, log_joint, log_q = jax.device_get(Compiled(lambda keys: lax.map(at, keys), ONCE, ())(keys_of(seed, count)))
    if np.isneginf(log_joint).any():
        raise FitError("the guide has draws where the program's density is zero: its support is wider")
    left_out = beside_enumerated(free.source, free.structure, found)
    stats = {"log_joint": log_joint} | ({"log_q": log_q} if ran.begun.has_density else {})
    return Posterior(
        {name: np.asarray(found[name], dtype=np.float64)[None] for name in found if name not in left_out},
        sample_stats={name: np.asarray(value, dtype=np.float64)[None] for name, value in stats.items()},
        kind="guide",
    )
