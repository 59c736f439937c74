"""A site in words: its distribution, parameters and support."""

import math
from typing import Any

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints

from bayescore.model.arrays import Array
from bayescore.program import ProgramSite, Role, Support
from bayescore_pyro.programs.running import Node, is_deterministic, is_enumerated, is_latent

_WRAPPERS = (torch.distributions.Independent, dist.MaskedDistribution, dist.torch_distribution.ExpandedDistribution)
_INSTEAD = {"logits": "probs", "gate_logits": "gate", "scale_tril": "covariance_matrix"} | {
    "precision_matrix": "covariance_matrix"
}
"""What says the same as another parameter, which is told."""
_WORDS: dict[type, Support] = {
    type(constraints.simplex): "simplex",
    type(dist.constraints.ordered_vector): "ordered",
    type(dist.constraints.positive_ordered_vector): "ordered",
    type(constraints.corr_cholesky): "correlation_cholesky",
    type(dist.constraints.corr_matrix): "correlation_matrix",
    type(constraints.lower_cholesky): "covariance_cholesky",
    type(dist.constraints.softplus_lower_cholesky): "covariance_cholesky",
    type(constraints.positive_definite): "covariance_matrix",
    type(constraints.positive_semidefinite): "covariance_matrix",
    type(constraints.boolean): "boolean",
    type(constraints.real): "real",
}


def describe(name: str, node: Node) -> ProgramSite:
    """A site of a run."""
    role: Role = "deterministic" if is_deterministic(node) else "latent" if is_latent(node) else "observed"
    value, law = node["value"], node["fn"]
    if role == "deterministic":
        return ProgramSite(name, role, _array(value), event_dim=law.event_dim)
    support, ends = support_of(law)
    return ProgramSite(
        name,
        role,
        _array(value),
        type(plain(law)).__name__,
        parameters(law),
        law.event_dim,
        support,
        ends,
        is_enumerated(node),
    )


def plain(law: Any) -> Any:
    """A distribution without what is wrapped around it."""
    while isinstance(law, _WRAPPERS):
        law = law.base_dist
    return law


def parameters(law: Any) -> dict[str, Array]:
    """By name, broadcast against the batch shape, each event's elements among it where they are independent."""
    inner = plain(law)
    shape = tuple(law.batch_shape) + tuple(law.event_shape)
    return _parameters(inner, shape[: len(shape) - inner.event_dim])


def _parameters(law: Any, batch: tuple[int, ...]) -> dict[str, Array]:
    if isinstance(law, dist.MixtureSameFamily | torch.distributions.MixtureSameFamily):
        components = law.component_distribution
        within = tuple(components.batch_shape) + tuple(components.event_shape)
        told = _parameters(plain(components), within[: len(within) - plain(components).event_dim])
        return {"mixing_probs": _array(law.mixture_distribution.probs)} | told
    wanted = {_INSTEAD.get(name, name) for name in law.arg_constraints}
    found = {name: value for name in law.arg_constraints if name in wanted if (value := _value(law, name)) is not None}
    found |= {name: value for name in wanted - found.keys() if (value := _value(law, name)) is not None}
    if not found and isinstance(law, torch.distributions.TransformedDistribution):
        return parameters(law.base_dist)
    return {name: _broadcast(value, batch, law.arg_constraints.get(name)) for name, value in found.items()}


def _value(law: Any, name: str) -> Any:
    try:
        value = getattr(law, name)
    except (AttributeError, NotImplementedError):
        return None
    return value if isinstance(value, Tensor | int | float) else None


def _broadcast(value: Any, batch: tuple[int, ...], constraint: Any) -> Array:
    array = torch.as_tensor(value)
    event = () if constraint is None else tuple(array.shape[array.ndim - constraint.event_dim :])
    try:
        return _array(array.broadcast_to(batch + event))
    except RuntimeError:  # a distribution's own idea of its parameters' shapes
        return _array(array)


def support_of(law: Any) -> tuple[Support, tuple[float, float]]:
    """Where a distribution's values lie, in a word and with its ends."""
    try:
        support = law.support
    except NotImplementedError:
        return "other", (-math.inf, math.inf)
    while isinstance(support, constraints.independent):
        support = support.base_constraint
    if support is constraints.nonnegative_integer or hasattr(support, "lower_bound") or hasattr(support, "upper_bound"):
        return _between(support)
    word: Support = _WORDS.get(type(support), "other")
    if isinstance(support, type(dist.constraints.softplus_positive)):
        return "positive", (0.0, math.inf)
    if isinstance(support, type(dist.constraints.integer)):
        return "integers", (-math.inf, math.inf)
    return word, (-math.inf, math.inf)


def _between(support: Any) -> tuple[Support, tuple[float, float]]:
    lower, upper = _end(support, "lower_bound", -math.inf), _end(support, "upper_bound", math.inf)
    if support.is_discrete:
        return "integers", (lower, upper)
    if hasattr(support, "upper_bound"):
        return "interval", (lower, upper)
    return "positive", (lower, upper)


def _end(support: Any, name: str, without: float) -> float:
    """An end that all elements have, or infinity."""
    ends = torch.as_tensor(getattr(support, name, without), dtype=torch.float64).flatten()
    return float(ends[0]) if ends.numel() and bool((ends == ends[0]).all()) else without


def _array(value: Any) -> Array:
    array: Array = torch.as_tensor(value).detach().resolve_conj().numpy().copy()
    return array.astype("float64") if array.dtype.kind == "f" else array
