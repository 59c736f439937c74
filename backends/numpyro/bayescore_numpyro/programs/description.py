"""A site in words: its distribution, parameters and support."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import expit
from numpyro.distributions import constraints

from bayescore.model.arrays import Array
from bayescore.program import ProgramSite, Support

REAL = (-math.inf, math.inf)
WRAPPERS = (dist.Independent, dist.MaskedDistribution, dist.ExpandedDistribution)
_OF_ANOTHER = (
    dist.LeftTruncatedDistribution,
    dist.RightTruncatedDistribution,
    dist.TwoSidedTruncatedDistribution,
    dist.discrete.ZeroInflatedProbs,
)
_NAMES = {
    "NegativeBinomial2": "NegativeBinomial",
    "MixtureGeneral": "Mixture",
    "LeftTruncatedDistribution": "Truncated",
    "RightTruncatedDistribution": "Truncated",
    "TwoSidedTruncatedDistribution": "Truncated",
}
_INSTEAD: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "logits": ("probs", lambda law: law.probs if hasattr(law, "probs") else expit(law.logits)),
    "gate_logits": ("gate", lambda law: law.gate),
    "scale_tril": ("covariance_matrix", lambda law: law.covariance_matrix),
    "precision_matrix": ("covariance_matrix", lambda law: law.covariance_matrix),
}
"""What is told in a parameter's place, and how it is found."""
_WORDS: dict[type, Support] = {
    type(constraints.real): "real",
    type(constraints.simplex): "simplex",
    type(constraints.ordered_vector): "ordered",
    type(constraints.positive_ordered_vector): "ordered",
    type(constraints.corr_cholesky): "correlation_cholesky",
    type(constraints.corr_matrix): "correlation_matrix",
    type(constraints.lower_cholesky): "covariance_cholesky",
    type(constraints.softplus_lower_cholesky): "covariance_cholesky",
    type(constraints.scaled_unit_lower_cholesky): "covariance_cholesky",
    type(constraints.positive_definite): "covariance_matrix",
    type(constraints.positive_semidefinite): "covariance_matrix",
    type(constraints.boolean): "boolean",
}


def plain(law: Any) -> Any:
    """A distribution without what is wrapped around it."""
    while isinstance(law, WRAPPERS):
        law = law.base_dist
    return law


def is_improper(law: Any) -> bool:
    """Whether a distribution can't be drawn from."""
    return isinstance(plain(law), dist.ImproperUniform)


def family(law: Any) -> str:
    """Its name as the field writes it, whatever its variants are called."""
    law = plain(law)
    name = type(law).__name__
    if isinstance(law, dist.discrete.ZeroInflatedProbs) and name != "ZeroInflatedPoisson":
        return f"ZeroInflated{family(law.base_dist)}"
    told = _NAMES.get(name, name).removesuffix("Logits").removesuffix("Probs")
    return told + family(law.base_dist) if told == "Truncated" else told


def parameters(law: Any) -> dict[str, Array]:
    """By name, broadcast against the batch shape, each event's elements among it where they are independent."""
    return _within(law, tuple(law.shape()))


def _within(law: Any, shape: tuple[int, ...]) -> dict[str, Array]:
    """Those of a distribution whose values have this shape."""
    inner = plain(law)
    return _parameters(inner, shape[: len(shape) - inner.event_dim])


def _parameters(law: Any, batch: tuple[int, ...]) -> dict[str, Array]:
    match law:
        case dist.MixtureSameFamily():
            return {"mixing_probs": to_numpy(law.mixing_distribution.probs)} | parameters(law.component_distribution)
        case dist.MixtureGeneral():
            each = [parameters(component) for component in law.component_distributions]
            told = {f"{name}_{k}": value for k, found in enumerate(each) for name, value in found.items()}
            return {"mixing_probs": to_numpy(law.mixing_distribution.probs)} | told
        case dist.NegativeBinomial2():
            found = {"total_count": law.concentration, "probs": law.mean / (law.mean + law.concentration)}
            return {name: _broadcast(value, batch, None) for name, value in found.items()}
    own = _own(law, batch)
    if isinstance(law, _OF_ANOTHER) or (isinstance(law, dist.TransformedDistribution) and not own):
        base = law.base_dist
        return own | _within(base, np.broadcast_shapes(batch + tuple(base.event_shape), tuple(base.shape())))
    return own


def _own(law: Any, batch: tuple[int, ...]) -> dict[str, Array]:
    """The parameters that a distribution says that it has."""
    told: dict[str, Array] = {}
    for name, constraint in law.arg_constraints.items():
        instead, find = _INSTEAD.get(name, (name, lambda law, name=name: getattr(law, name, None)))
        value = find(law)
        if instead not in told and isinstance(value, int | float | np.ndarray | np.generic | jnp.ndarray):
            told[instead] = _broadcast(value, batch, constraint)
    return told


def _broadcast(value: Any, batch: tuple[int, ...], constraint: Any) -> Array:
    array = np.array(value, dtype=np.float64)
    dims = 0 if constraint is None else constraint.event_dim
    event = array.shape[array.ndim - dims :]
    try:
        return np.array(np.broadcast_to(array, batch + event))
    except ValueError:  # a distribution's own idea of its parameters' shapes
        return array


def support_of(law: Any) -> tuple[Support, tuple[float, float]]:
    """Where a distribution's values lie, in a word and with its ends."""
    support = law.support
    while isinstance(support, constraints.independent):
        support = support.base_constraint
    match support:
        case constraints.integer_interval() | constraints.integer_greater_than():
            return "integers", (_end(support, "lower_bound", -math.inf), _end(support, "upper_bound", math.inf))
        case constraints.multinomial():
            return "integers", (0.0, _end(support, "upper_bound", math.inf))
        case constraints.interval() | constraints.less_than():
            return "interval", (_end(support, "lower_bound", -math.inf), _end(support, "upper_bound", math.inf))
        case constraints.greater_than():
            return "positive", (_end(support, "lower_bound", -math.inf), math.inf)
    return _WORDS.get(type(support), "other"), REAL


def _end(support: Any, name: str, without: float) -> float:
    """An end that all elements have, or infinity."""
    ends = np.unique(np.asarray(getattr(support, name, without), dtype=np.float64))
    return float(ends[0]) if ends.size == 1 else without


def to_numpy(value: Any) -> Array:
    """An array of its own, of double precision if its numbers are not whole."""
    array = np.array(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def describe(name: str, site: Mapping[str, Any]) -> ProgramSite:
    """A site of a run."""
    if site["type"] == "deterministic":
        return ProgramSite(name, "deterministic", to_numpy(site["value"]))
    law = site["fn"]
    support, ends = support_of(law)
    return ProgramSite(
        name,
        "observed" if site["is_observed"] else "latent",
        to_numpy(site["value"]),
        family(law),
        parameters(law),
        law.event_dim,
        support,
        ends,
        not site["is_observed"] and site["infer"].get("enumerate") == "parallel",
    )
