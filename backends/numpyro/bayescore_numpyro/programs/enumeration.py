"""Enumerated sites are summed out by funsor, which NumPyro asks for it."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
from numpyro import handlers

from bayescore.errors import UnsupportedError
from bayescore_numpyro.programs.density import rows_of
from bayescore_numpyro.programs.running import Site, Structure, Values


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

    handled: Callable[[], Any] = enum(model, -structure.nesting - 1)
    return handled


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
    import funsor  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from numpyro.contrib.funsor import trace as packed
    from numpyro.contrib.funsor.infer_util import plate_to_enum_plate

    seeded = handlers.seed(handlers.substitute(model, data=dict(values)), key)
    with plate_to_enum_plate():
        trace: Mapping[str, Site] = packed(enumerated(seeded, structure)).get_trace()
    rows, factors, plates = {}, [], set()
    last = ""
    for name, site in trace.items():
        if site["type"] != "sample":
            continue
        dims = site["infer"]["dim_to_name"]
        if any(dim.startswith("_time") for dim in dims.values()):
            raise UnsupportedError(
                f"not yet: the site {name!r} is enumerated along a scan; write the steps as a Python loop"
            )
        own = rows_of(site)
        if name not in structure.enumerated and not set(dims.values()) & set(structure.enumerated):
            rows[name] = own
            continue
        last = name
        plates |= {frame.name for frame in site["cond_indep_stack"] if frame.dim is not None}
        own = own.squeeze() if not dims else own
        factors.append(funsor.to_funsor(own, output=funsor.Real, dim_to_name=dims))
    summed = funsor.sum_product.sum_product(
        funsor.ops.logaddexp,
        funsor.ops.add,
        factors,
        eliminate=frozenset(structure.enumerated) | plates,
        plates=frozenset(plates),
    )
    return rows, last, jnp.asarray(summed.data)
