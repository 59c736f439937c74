"""A site in words: its distribution, parameters and support."""

import math
from typing import Any

import numpy as np
import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints

from bayescore.model.arrays import Array
from bayescore.program import ProgramSite, Role, Support
from bayescore_pyro.programs.running import WRAPPERS, Node, is_deterministic, is_enumerated, is_latent

_INSTEAD = {
    "logits": "probs",
    "gate_logits": "gate",
    "scale_tril": "covariance_matrix",
    "precision_matrix": "covariance_matrix",
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
        family(law),
        parameters(law, tuple(value.shape)),
        law.event_dim,
        support,
        ends,
        is_enumerated(node),
    )


def plain(law: Any) -> Any:
    """A distribution without what is wrapped around it."""
    while isinstance(law, WRAPPERS):
        law = law.base_dist
    return law


def family(law: Any) -> str:
    """Its name as the field writes it, whatever is wrapped around it."""
    law = plain(law)
    if type(law) is dist.ZeroInflatedDistribution:
        return f"ZeroInflated{family(law.base_dist)}"
    return type(law).__name__


def parameters(law: Any, value: tuple[int, ...] = ()) -> dict[str, Array]:
    """By name, broadcast against the batch shape, each event's elements among it where they are independent.

    Parameters
    ----------
    value
        Shape of a value, which may have more rows than the distribution.
    """
    inner = plain(law)
    shape = np.broadcast_shapes(tuple(law.batch_shape) + tuple(law.event_shape), value)
    return _parameters(inner, shape[: len(shape) - inner.event_dim])


def _parameters(law: Any, batch: tuple[int, ...]) -> dict[str, Array]:
    if isinstance(law, torch.distributions.MixtureSameFamily):
        return {"mixing_probs": _numbers(law.mixture_distribution.probs)} | parameters(law.component_distribution)
    own = _own(law, batch)
    if type(law) is dist.ZeroInflatedDistribution or (
        isinstance(law, torch.distributions.TransformedDistribution) and not own
    ):
        return own | parameters(law.base_dist)
    return own


def _own(law: Any, batch: tuple[int, ...]) -> dict[str, Array]:
    """The parameters that a distribution says that it has."""
    told: dict[str, Array] = {}
    for name, constraint in law.arg_constraints.items():
        instead = _INSTEAD.get(name, name)
        value = None if instead in told else getattr(law, instead, None)
        if isinstance(value, Tensor | int | float):
            told[instead] = _broadcast(value, batch, law.arg_constraints.get(instead, constraint))
    return told


def _broadcast(value: Any, batch: tuple[int, ...], constraint: Any) -> Array:
    array = torch.as_tensor(value)
    dims = 0 if constraints.is_dependent(constraint) else constraint.event_dim  # type: ignore[no-untyped-call]
    try:
        return _numbers(array.broadcast_to(batch + tuple(array.shape[array.ndim - dims :])))
    except RuntimeError:  # a distribution's own idea of its parameters' shapes
        return _numbers(array)


def _numbers(value: Any) -> Array:
    return _array(value).astype("float64")


def support_of(law: Any) -> tuple[Support, tuple[float, float]]:
    """Where a distribution's values lie, in a word and with its ends."""
    try:
        support = law.support
    except NotImplementedError:
        return "other", (-math.inf, math.inf)
    while isinstance(support, constraints.independent | constraints.MixtureSameFamilyConstraint):
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
    least = 0.0 if isinstance(support, constraints.multinomial) else -math.inf
    lower, upper = _end(support, "lower_bound", least), _end(support, "upper_bound", math.inf)
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
