"""A traced program with fewer operations, and the same results to the last bit.

What autograd and a general model leave behind costs a small program more than its arithmetic:
detached copies, sums with zero and products with one, the same value worked out twice, and
what depends on no argument. XLA takes such things out by itself; TorchScript does not.
"""

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

aten = torch.ops.aten

_COPIES = {aten.detach.default, aten.alias.default, aten.lift_fresh_copy.default}
_FILLED = {
    aten.ones_like.default,
    aten.zeros_like.default,
    aten.full_like.default,
    aten.fill.Scalar,  # which TorchScript's tracer can't take
    aten.new_zeros.default,
    aten.new_ones.default,
    aten.new_full.default,
}
"""They look at their argument's shape alone."""
_RESHAPED = {aten.expand.default, aten.view.default, aten._unsafe_view.default, aten.slice.Tensor}
"""Where the shape stays the same, they are their argument."""
_NEUTRAL: dict[Any, tuple[float, tuple[int, ...]]] = {
    aten.add.Tensor: (0.0, (0, 1)),
    aten.sub.Tensor: (0.0, (1,)),
    aten.mul.Tensor: (1.0, (0, 1)),
    aten.mul.Scalar: (1.0, (1,)),
    aten.div.Tensor: (1.0, (1,)),
    aten.pow.Tensor_Scalar: (1.0, (1,)),
}
"""The neutral element of an operation, and the places it can have."""


def shortened(traced: fx.GraphModule, *arguments: Tensor) -> fx.GraphModule:
    """The same function of arguments of these shapes; it is not to be differentiated.

    Parameters
    ----------
    traced
        What `make_fx` returns for them.
    """
    # an operation in place is written as one that returns its result, so that equal ones can be taken together
    functional: Callable[..., Any] = torch.func.functionalize(traced)
    module = make_fx(functional)(*arguments).eval()
    known: dict[fx.Node, Tensor] = {}
    first: dict[str, fx.Node] = {}
    for node in list(module.graph.nodes):
        if node.op == "get_attr":
            node.meta["val"] = known[node] = operator.attrgetter(node.target)(module)
        elif node.op == "call_function" and _is_pure(node):
            value = _constant(node, known)
            if value is not None:
                shorter = _stored(module, node, value)
                known[shorter] = value
            else:
                shorter = _unchanged(node, known) or first.setdefault(_written(node), node)
            if shorter is not node:
                node.replace_all_uses_with(shorter)
                module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _is_pure(node: fx.Node) -> bool:
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return target is operator.getitem
    return torch.Tag.nondeterministic_seeded not in target.tags and not target._schema.is_mutable


def _written(node: fx.Node) -> str:
    return repr((node.target, node.args, node.kwargs))


def _constant(node: fx.Node, known: dict[fx.Node, Tensor]) -> Tensor | None:
    """Its value, a tensor that depends on no argument, or None."""
    if node.target in _FILLED:
        args = fx.node.map_arg(node.args, lambda of: torch.empty(of.meta["val"].shape, dtype=of.meta["val"].dtype))
    elif all(of in known for of in node.all_input_nodes):
        args = fx.node.map_arg(node.args, known.__getitem__)
    else:
        return None
    value = node.target(*args, **fx.node.map_arg(node.kwargs, known.__getitem__))  # type: ignore[operator]
    return value if isinstance(value, Tensor) else None


def _stored(module: fx.GraphModule, node: fx.Node, value: Tensor) -> fx.Node:
    name = f"constant_{node.name}"
    module.register_buffer(name, value)
    with module.graph.inserting_before(node):
        stored = module.graph.get_attr(name)
    stored.meta["val"] = value
    return stored


def _unchanged(node: fx.Node, known: dict[fx.Node, Tensor]) -> fx.Node | None:
    """The argument that the node's value is in any case, or None."""
    if node.target in _COPIES | _RESHAPED:
        return _like(node, node.args[0])
    neutral, places = _NEUTRAL.get(node.target, (0.0, ()))
    for place in () if node.kwargs else places:
        other = node.args[place]
        if _is_everywhere(known[other] if isinstance(other, fx.Node) and other in known else other, neutral):
            return _like(node, node.args[1 - place])
    return None


def _is_everywhere(value: object, number: float) -> bool:
    return bool((value == number).all()) if isinstance(value, Tensor) else value == number


def _like(node: fx.Node, other: object) -> fx.Node | None:
    """The other, if it is a tensor of the node's shape and type."""
    if not isinstance(other, fx.Node):
        return None
    one, two = node.meta["val"], other.meta["val"]
    return other if one.shape == two.shape and one.dtype == two.dtype else None
