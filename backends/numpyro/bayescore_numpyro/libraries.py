"""Modules of equinox and flax nnx taken apart: the parameters, and the rest that makes a module of them.

Neither library is needed by anything else; one is imported where a module of its own comes in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.tree_util import keystr, tree_flatten_with_path, tree_unflatten

from bayescore.errors import RequestError


@dataclass(frozen=True)
class Opened:
    """A module in evaluation mode, taken apart.

    Attributes
    ----------
    parameters
        Its floating-point arrays by name, as ``layers.0.weight``.
    build
        The module with other parameters, in this order.
    call
        The output of such a module for rows (row, column).
    """

    parameters: Mapping[str, jax.Array]
    build: Callable[[Sequence[jax.Array]], Any]
    call: Callable[[Any, jax.Array], jax.Array]


def take_apart(module: Any) -> Opened:
    """Take a module apart; it is left as it is.

    Raises
    ------
    RequestError
        It is of another library, or has no parameters or shared ones.
    """
    libraries = {cls.__module__.partition(".")[0] for cls in type(module).__mro__}
    opened = _equinox(module) if "equinox" in libraries else _nnx(module) if "flax" in libraries else None
    if opened is None:
        raise RequestError(f"a {type(module).__name__} is neither an equinox module nor a flax nnx module")
    if not opened.parameters:
        raise RequestError("the module has no parameters: there is nothing to lift")
    return opened


def _equinox(module: Any) -> Opened:
    """One that takes a single row, as equinox' modules do."""
    import equinox

    tree, rest = equinox.partition(equinox.nn.inference_mode(module), equinox.is_inexact_array)
    named, shape = tree_flatten_with_path(tree)
    seen: set[int] = set()
    for path, leaf in named:
        if id(leaf) in seen:
            raise RequestError(f"{_name(path)} is the same parameter as another one: shared parameters can't be lifted")
        seen.add(id(leaf))
    return Opened(
        {_name(path): leaf for path, leaf in named},
        lambda parameters: equinox.combine(tree_unflatten(shape, parameters), rest),
        lambda built, x: jax.vmap(built)(x),
    )


def _nnx(module: Any) -> Opened | None:
    """One that takes all rows; a parameter that it shares is one."""
    from flax import nnx

    if not isinstance(module, nnx.Module):
        return None
    copied = nnx.clone(module)
    copied.eval()
    graph, tree, rest = nnx.split(copied, nnx.Param, ...)
    named, shape = tree_flatten_with_path(tree)
    return Opened(
        {_name(path).removesuffix(".value"): leaf for path, leaf in named},
        lambda parameters: nnx.merge(graph, tree_unflatten(shape, parameters), rest),
        lambda built, x: built(x),
    )


def _name(path: Any) -> str:
    return keystr(path, simple=True, separator=".")
