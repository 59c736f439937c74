"""Enumerated sites are summed out by funsor, which NumPyro asks for it."""

from collections.abc import Callable, Collection, Mapping
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from numpyro import handlers
from numpyro.primitives import Messenger

from bayescore.errors import UnsupportedError
from bayescore_numpyro.programs.density import rows_of
from bayescore_numpyro.programs.running import Site, Structure, Values, is_scanned


def check(structure: Structure) -> None:
    """Refuse to sum out what can't be.

    Raises
    ------
    UnsupportedError
        funsor is not installed, or a site is not in the plates that it should be in.
    """
    if find_spec("funsor") is None:
        raise UnsupportedError(
            f"NumPyro sums out the enumerated site {structure.enumerated[0]!r} by funsor, which is not installed: "
            "pip install 'bayescore-numpyro[enumeration]'"
        )
    if structure.unplated is not None:
        raise UnsupportedError(
            f"the site {structure.unplated!r} has a dimension that is no plate's, which NumPyro doesn't take "
            "beside enumerated sites: put the site into a plate, or call to_event"
        )


def enumerated(model: Callable[[], Any], structure: Structure) -> Callable[[], Any]:
    """A program whose enumerated sites have all their values at once."""
    from numpyro.contrib.funsor import enum

    handled: Callable[[], Any] = enum(Apart(model), -structure.nesting - 1)
    return handled


class Apart(Messenger):  # type: ignore[misc]
    """Gives each site an ``infer`` of its own: NumPyro writes into it, and a program may have one for many sites."""

    def process_message(self, msg: Any) -> None:
        """Copy it."""
        if msg["type"] == "sample":
            msg["infer"] = dict(msg["infer"])


class Without(Messenger):  # type: ignore[misc]
    """Leaves sites out of a program's density."""

    def __init__(self, fn: Callable[[], Any], names: Collection[str]) -> None:
        super().__init__(fn)
        self._names = names

    def process_message(self, msg: Any) -> None:
        """Mask those of these names."""
        if msg["type"] == "sample" and msg["name"] in self._names:
            msg["fn"] = msg["fn"].mask(False)


def marginal(
    model: Callable[[], Any], structure: Structure, values: Values, key: jax.Array
) -> tuple[dict[str, jax.Array], str, jax.Array]:
    """Log density with the enumerated sites summed out.

    Returns
    -------
    rows
        Of each site that no enumerated one takes part in.
    last, term
        The name of the last of the others, and the term of all of them.
    """
    from numpyro.contrib.funsor import log_density
    from numpyro.contrib.funsor import trace as packed
    from numpyro.contrib.funsor.infer_util import plate_to_enum_plate

    seeded = handlers.seed(handlers.substitute(model, data=dict(values)), key)
    with numpyro.validation_enabled():  # by which there is no density out of a support
        with plate_to_enum_plate():
            trace: Mapping[str, Site] = packed(enumerated(seeded, structure)).get_trace()
        sampled = {name: site for name, site in trace.items() if site["type"] == "sample"}
        rows = {name: rows_of(site) for name, site in sampled.items() if not _takes_part(site, structure)}
        term, _ = log_density(enumerated(Without(seeded, rows), structure), (), {}, {})
        never = [_is_impossible(site, structure) for site in sampled.values() if is_scanned(site)]
    found = jnp.where(jnp.any(jnp.array(never, dtype=bool)), -jnp.inf, term)
    return rows, [name for name in sampled if name not in rows][-1], found


def _is_impossible(site: Site, structure: Structure) -> jax.Array:
    """Whether a row of a site has no density for any of the values summed over: within scans NumPyro checks nothing."""
    impossible = rows_of(site) == -jnp.inf
    for dim, name in site["infer"]["dim_to_name"].items():
        if -dim <= impossible.ndim and (name in structure.enumerated or name.startswith("_PREV_")):
            impossible = jnp.all(impossible, axis=dim, keepdims=True)
    return jnp.any(impossible)


def _takes_part(site: Site, structure: Structure) -> bool:
    """Whether an enumerated site is in a site's density, or a scan that may have one."""
    summed = set(site["infer"]["dim_to_name"].values()) & set(structure.enumerated)
    return site["name"] in structure.enumerated or bool(summed) or is_scanned(site)
