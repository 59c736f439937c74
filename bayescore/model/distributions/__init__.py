"""The prior distributions, each with its parametrization stated by its fields.

All of them are dataclasses of numbers. `stack` gathers the priors of many
coefficients into a few distributions with array fields, which is what a backend
wants: one vectorized distribution for each kind of prior.

Densities are normalized, the half distributions' log 2 included, so that a
backend's log density can be held against them to the last digit. The formulas
are those of Gelman et al., *Bayesian Data Analysis*, 3rd edition, appendix A.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from bayescore import notation
from bayescore.model.distributions import at_means, bounded, horseshoe, positive, real
from bayescore.model.distributions.at_means import AtMeans, at_zero
from bayescore.model.distributions.base import Distribution, Parameter, Support
from bayescore.model.distributions.bounded import LKJ, Beta, Uniform
from bayescore.model.distributions.horseshoe import Horseshoe
from bayescore.model.distributions.positive import (
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    LogNormal,
)
from bayescore.model.distributions.real import Cauchy, Flat, Laplace, Normal, StudentT

__all__ = [
    "DISTRIBUTIONS",
    "LKJ",
    "AtMeans",
    "Beta",
    "Block",
    "Cauchy",
    "Distribution",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "Horseshoe",
    "InverseGamma",
    "Laplace",
    "LogNormal",
    "Normal",
    "Parameter",
    "StudentT",
    "Support",
    "Uniform",
    "at_zero",
    "parse",
    "stack",
]

DISTRIBUTIONS: dict[str, type[Distribution]] = notation.classes_of(
    Distribution,  # type: ignore[type-abstract]
    *(real, positive, bounded, horseshoe, at_means),
)

_ALIASES = {"gaussian": "Normal", "t": "StudentT", "student": "StudentT", "halft": "HalfStudentT"}
"""Names that people type."""


def parse(text: str | Distribution) -> Distribution:
    """Read a prior such as ``"Normal(0, 10)"``; a distribution is passed through."""
    return text if isinstance(text, Distribution) else _construct(notation.parse(text))


def _construct(call: notation.Call) -> Distribution:
    args = tuple(_construct(value) if isinstance(value, notation.Call) else value for value in call.args)
    kwargs = tuple((name, _construct(v) if isinstance(v, notation.Call) else v) for name, v in call.kwargs)
    return notation.construct(notation.Call(call.name, args, kwargs), DISTRIBUTIONS, "prior", aliases=_ALIASES)


class Block(NamedTuple):
    """Coefficients whose priors are of one kind: their positions, and one stacked distribution."""

    positions: NDArray[numpy.intp]
    prior: Distribution


def stack(priors: Sequence[Distribution]) -> list[Block]:
    """Gather priors of one kind into one distribution with array fields, in order of first use."""
    by_class: dict[type[Distribution], list[int]] = {}
    for position, prior in enumerate(priors):
        by_class.setdefault(type(prior), []).append(position)
    blocks = []
    for cls, positions in by_class.items():
        stacked: dict[str, Any] = {
            f.name: numpy.array([getattr(priors[i], f.name) for i in positions]) for f in fields(cls)
        }
        blocks.append(Block(numpy.array(positions, dtype=numpy.intp), cls(**stacked)))
    return blocks
