"""The terms of a program's log density at a point, its enumerated sites summed out."""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyro.distributions as dist
import torch
from pyro.distributions.util import scale_and_mask, sum_rightmost
from pyro.ops import packed
from pyro.ops.contract import contract_to_tensor
from torch import Tensor
from torch.distributions import constraints

from bayescore.errors import UnsupportedError
from bayescore_pyro.programs.running import Node, is_deterministic, sites_of

_TOLERANCE = 1e-5
"""Of sums and norms that are 1: a value that comes from a program in single precision is inside, too."""


@dataclass(frozen=True)
class Term:
    """A share of the log density: its sum, and rows where they can be told apart."""

    total: Tensor
    rows: Tensor | None


def log_prob(law: Any, value: Tensor, *, check: bool = True) -> Tensor:
    """Log density of a value, -inf outside the support, in the batch shape.

    What is masked is not looked at: it may be anything.
    """
    if isinstance(law, dist.MaskedDistribution):
        masked: Tensor = scale_and_mask(log_prob(law.base_dist, value, check=check), mask=law._mask)
        return masked
    if isinstance(law, torch.distributions.Independent):
        summed: Tensor = sum_rightmost(log_prob(law.base_dist, value, check=check), law.reinterpreted_batch_ndims)
        return summed
    if isinstance(law, dist.torch_distribution.ExpandedDistribution):
        inner = log_prob(law.base_dist, value, check=check)
        return inner.expand(torch.broadcast_shapes(inner.shape, law.batch_shape))  # type: ignore[no-untyped-call]
    if not value.is_floating_point():  # counts and classes: torch's densities take them as numbers of one kind
        value = value.to(torch.get_default_dtype())
    inside = _inside(law, value) if check else None
    if inside is None:
        bare: Tensor = law.log_prob(value)
        return bare
    outside = value.new_full((), -math.inf)
    try:
        return torch.where(inside, law.log_prob(value), outside)
    except ValueError:  # a distribution that validates its values, whatever the settings say
        if bool(inside.all()):
            raise
        return outside.expand(inside.shape)


def _inside(law: Any, value: Tensor) -> Tensor | None:
    """Whether a value is in the support, in the batch shape; None if it can't be otherwise, or isn't known."""
    try:
        support = law.support
    except NotImplementedError:
        return None
    if constraints.is_dependent(support):  # type: ignore[no-untyped-call]
        return None
    if isinstance(support, type(constraints.simplex)):
        inside = (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < _TOLERANCE)
    elif isinstance(support, type(constraints.corr_cholesky)):
        lower = (value.tril() == value).all(-1).all(-1) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)
        inside = lower & ((value.square().sum(-1) - 1).abs() < _TOLERANCE).all(-1)
    else:
        inside = support.check(value)
    for _ in range(law.event_dim - support.event_dim):
        inside = inside.all(-1)
    return inside


def terms(trace: Any, nesting: int | None, check: Callable[[Node], bool] = lambda node: True) -> dict[str, Term]:
    """The terms of a run by the names of their sites, scaled and masked as Pyro does.

    Parameters
    ----------
    nesting
        Dimensions that are left for batches in a run with enumeration, else None.
    check
        Of which sites values may lie outside the support.
    """
    found: dict[str, Tensor] = {}
    for name, node in sites_of(trace).items():
        if not is_deterministic(node):
            bare = log_prob(node["fn"], node["value"], check=check(node))
            found[name] = scale_and_mask(bare, node["scale"], node["mask"])
    if nesting is None:
        return {name: Term(each.sum(), each) for name, each in found.items()}
    return _summed_out(trace, found, nesting)


def _summed_out(trace: Any, found: Mapping[str, Tensor], nesting: int) -> dict[str, Term]:
    """The terms where sites are enumerated: all that one takes part in are one, under the name of the last."""
    trace.symbolize_dims()
    enumerated = set(trace.symbol_to_dim) - set(trace.plate_to_symbol.values())
    nodes = sites_of(trace)
    factors = {name: _packed(name, each, nodes[name], nesting) for name, each in found.items() if each.dim() > nesting}
    factors = {name: factor for name, factor in factors.items() if enumerated & set(factor._pyro_dims)}
    terms = {name: Term(each.sum(), each) for name, each in found.items() if name not in factors}
    marginal = {list(factors)[-1]: _contracted(trace, factors, enumerated)} if factors else {}
    return {name: (terms | marginal)[name] for name in found if name in terms or name in marginal}


def _packed(name: str, term: Tensor, node: Node, nesting: int) -> Any:
    """A term with its dimensions named, and those summed that are no plate's."""
    plates = {frame.dim for frame in node["cond_indep_stack"] if frame.vectorized}
    for dim in range(-min(nesting, term.dim()), 0):
        if dim not in plates and term.size(dim) > 1:
            if "_enumerate_dim" in node["infer"]:
                raise UnsupportedError(
                    f"the enumerated site {name!r} has a dimension of {term.size(dim)} that is no plate's: "
                    "Pyro would take it as one choice; put the site into a plate"
                )
            term = term.sum(dim, keepdim=True)
    return packed.pack(term, node["infer"]["_dim_to_symbol"])


def _contracted(trace: Any, factors: Mapping[str, Any], enumerated: set[str]) -> Term:
    """The marginal density of what enumerated sites take part in; its rows are those of plates that all of it is in."""
    ordinals = {
        name: frozenset(trace.plate_to_symbol[f.name] for f in trace.nodes[name]["cond_indep_stack"] if f.vectorized)
        for name in factors
    }
    tree: OrderedDict[frozenset[str], list[Any]] = OrderedDict()
    for name, factor in factors.items():
        tree.setdefault(ordinals[name], []).append(factor)
    common: frozenset[str] = frozenset.intersection(*ordinals.values())
    try:
        whole: Tensor = contract_to_tensor(tree, enumerated, target_ordinal=common)
    except (ValueError, NotImplementedError) as error:
        raise UnsupportedError(f"its enumerated sites can't be summed out: {' '.join(str(error).split())}") from error
    total = whole.sum()
    return Term(total, packed.unpack(whole, trace.symbol_to_dim) if common else None)
