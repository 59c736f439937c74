"""A program is run at values of its latent sites, and what it does is recorded."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.distributions import Distribution, biject_to
from numpyro.infer import init_to_uniform

from bayescore.errors import DataError, UnsupportedError
from bayescore_numpyro.precision import key_of
from bayescore_numpyro.programs.description import is_improper

Site = Mapping[str, Any]
Trace = Mapping[str, Site]
Values = Mapping[str, Any]
Result = TypeVar("Result")
NOT_TRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)
"""What JAX raises where Python code wants to know a value that is only known when the compiled program runs."""


@dataclass
class Source:
    """A program's function with its arguments, called without any.

    Attributes
    ----------
    folding
        Whether what depends on the arguments alone is computed while the program is traced, so that
        Python code may look at it: slower to trace, and needed by some programs only.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    folding: bool = False

    def __call__(self) -> Any:
        with jax.ensure_compile_time_eval() if self.folding else nullcontext():
            return self.function(**self.arguments)


def to_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """A program's arguments: arrays of numbers as JAX arrays of the current precision, whatever else as it is."""
    return {name: _carried(value) if isinstance(value, np.ndarray) else value for name, value in data.items()}


def _carried(array: np.ndarray) -> Any:
    match array.dtype.kind:
        case "f":
            return jnp.asarray(array, dtype=float)
        case "i" | "u":
            return jnp.asarray(array, dtype=int)
        case "b":
            return jnp.asarray(array)
    return array.copy()


def run(model: Callable[[], Any], values: Values, key: jax.Array) -> Trace:
    """The trace of a run at these values of latent sites; those not given are drawn."""
    seeded = handlers.substitute(handlers.seed(model, key), substitute_fn=_improper)
    trace: Trace = handlers.trace(handlers.substitute(seeded, data=dict(values))).get_trace()
    return trace


def _improper(site: Site) -> Any:
    """A value for a site whose prior can't be drawn from: where a sampler would begin."""
    if site["type"] == "sample" and not site["is_observed"] and is_improper(site["fn"]):
        return init_to_uniform(site)
    return None


def sites_of(trace: Trace) -> dict[str, Site]:
    """Sample and deterministic statements, in the order in which they ran."""
    return {name: site for name, site in trace.items() if site["type"] in ("sample", "deterministic")}


def is_latent(site: Site) -> bool:
    """Whether a site's value is unknown."""
    return bool(site["type"] == "sample" and not site["is_observed"])


def is_enumerated(site: Site) -> bool:
    """Whether a site is to be summed out."""
    return is_latent(site) and site["infer"].get("enumerate") == "parallel"


@dataclass(frozen=True)
class Structure:
    """What a program's runs have in common.

    Attributes
    ----------
    kinds
        Each site's name with its role and shape, in their order.
    latent
        Shape and type of each latent site that is not summed out.
    free
        Of these the shape without constraints, or None where NumPyro has no bijection to the support.
    enumerated, discrete
        Names of latent sites that are summed out, and of discrete ones that are not.
    nesting
        How many of the last dimensions plates take.
    unplated
        A site that has a dimension of independent elements that is no plate's, if there is one.
    """

    kinds: Mapping[str, tuple[str, tuple[int, ...]]]
    latent: Mapping[str, Any]
    free: Mapping[str, tuple[int, ...] | None]
    enumerated: tuple[str, ...]
    discrete: tuple[str, ...]
    nesting: int
    unplated: str | None


def structure_of(source: Source) -> Structure:
    """The structure of a program.

    Raises
    ------
    UnsupportedError
        It has something that can't be compared, or is not the same in two runs that draw other values.
    """
    first, second = (_look(source, key_of(0, number)) for number in range(2))
    _check_same(first.kinds, second.kinds)
    return first


def _look(source: Source, key: jax.Array) -> Structure:
    """The structure of one run, which costs no compiling where values are not looked at."""
    found = []

    def look(key: jax.Array) -> None:
        found.append(_structure(run(source, {}, key)))

    try:
        traced(source, lambda: jax.eval_shape(look, key))
    except NOT_TRACEABLE:
        look(key)
    return found[-1]


def traced(source: Source, call: Callable[[], Result]) -> Result:
    """What a compiled program gives; one whose Python code looks at its arguments is traced in another way."""
    try:
        return call()
    except NOT_TRACEABLE:
        if source.folding:
            raise
        source.folding = True
        return call()


def _structure(trace: Trace) -> Structure:
    _check_comparable(trace)
    latent = {name: site for name, site in trace.items() if is_latent(site)}
    summed = tuple(name for name, site in latent.items() if is_enumerated(site))
    kept = {name: site for name, site in latent.items() if name not in summed}
    sampled = {name: site for name, site in trace.items() if site["type"] == "sample"}
    return Structure(
        _kinds(trace),
        {name: jax.typeof(jnp.asarray(site["value"])) for name, site in kept.items()},
        {name: _free_shape(site) for name, site in kept.items()},
        summed,
        tuple(name for name, site in kept.items() if site["fn"].support.is_discrete),
        max([-frame.dim for site in sampled.values() for frame in site["cond_indep_stack"]], default=0),
        next((name for name, site in sampled.items() if _is_unplated(site)), None),
    )


def _free_shape(site: Site) -> tuple[int, ...] | None:
    try:
        return tuple(biject_to(site["fn"].support).inverse_shape(jnp.shape(site["value"])))
    except NotImplementedError:
        return None


def is_scanned(site: Site) -> bool:
    """Whether a site is one of a scan's, which has the steps as its first dimension."""
    return "_scan_current_index" in site["infer"]


def _is_unplated(site: Site) -> bool:
    if is_scanned(site):
        return False
    plates = {-frame.dim for frame in site["cond_indep_stack"]}
    law: Distribution = site["fn"]
    return any(size > 1 and dim not in plates for dim, size in enumerate(reversed(law.batch_shape), 1))


def _check_comparable(trace: Trace) -> None:
    for name, site in trace.items():
        if site["type"] in ("param", "mutable") and not _is_lifted(site["value"]):
            raise UnsupportedError(
                f"the program has a learnable parameter, {name!r}, which has no posterior: "
                "give it a prior, or pass its value as data"
            )
        if site["type"] == "plate" and site["args"][1] not in (None, site["args"][0]):
            raise UnsupportedError(
                f"the program's plate {name!r} takes {site['args'][1]} of {site['args'][0]} rows: a subsample's "
                "density is another at each run; take all rows"
            )


def _is_lifted(parameters: Any) -> bool:
    """Whether a module's parameters all have priors: NumPyro leaves shapes in their place, without a leaf."""
    return not jax.tree.leaves(parameters)


def _kinds(trace: Trace) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {
        name: ("latent" if is_latent(site) else site["type"], tuple(np.shape(site["value"])))
        for name, site in sites_of(trace).items()
    }


def _check_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    for name in [*first, *second]:
        if first.get(name) != second.get(name):
            how = "changes its shape" if name in first and name in second else "is there or not"
            raise UnsupportedError(f"the program's site {name!r} {how} as its draws fall: it has no fixed set of sites")


def check_kinds(structure: Structure, trace: Trace) -> None:
    """Refuse a run that has other sites than the others had.

    Raises
    ------
    UnsupportedError
        It has.
    """
    _check_same(structure.kinds, _kinds(trace))


def fitting(structure: Structure, values: Mapping[str, Any]) -> dict[str, jax.Array]:
    """Of these values those of latent sites that are not summed out, as JAX arrays.

    A number that is no whole one stays so, at a site of whole ones: it is out of its support.

    Raises
    ------
    DataError
        One has another shape.
    """
    found = {}
    for name, like in structure.latent.items():
        if name in values:
            array = np.asarray(values[name])
            if array.shape != like.shape:
                raise DataError(f"the site {name!r} has the shape {like.shape}, its values {array.shape}")
            exact = like.dtype.kind == "f" or bool(np.all(array == array.astype(like.dtype)))
            found[name] = jnp.asarray(array, dtype=like.dtype if exact else float)
    return found
