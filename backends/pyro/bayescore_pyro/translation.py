"""The tables: which of Pyro's distributions stands for which of the core's.

A new prior or family is one line here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints
from torch.nn import functional

from bayescore import distributions as core
from bayescore import families

PRIORS: Mapping[type[core.Distribution], Callable[..., Any]] = {
    core.Normal: dist.Normal,
    core.StudentT: dist.StudentT,
    core.Cauchy: dist.Cauchy,
    core.Laplace: dist.Laplace,
    core.Flat: lambda: dist.ImproperUniform(constraints.real, (), ()),
    core.HalfNormal: dist.HalfNormal,
    core.HalfCauchy: dist.HalfCauchy,
    core.Exponential: dist.Exponential,
    core.Gamma: dist.Gamma,
    core.InverseGamma: lambda concentration, scale: dist.InverseGamma(concentration, rate=scale),
    core.LogNormal: dist.LogNormal,
}


@dataclass(frozen=True)
class Response:
    """How a family is written in torch.

    Attributes
    ----------
    distribution
        Of the response, given the linear predictor and the auxiliary parameters by name.
    loss
        What maximum likelihood minimizes: (prediction, response) to a mean over rows.
    auxiliary
        Maximum likelihood estimates of auxiliary parameters, from the least loss.
    """

    distribution: Callable[..., Any]
    loss: Callable[[Tensor, Tensor], Tensor]
    auxiliary: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)


def _gaussian(eta: Tensor, sigma: Tensor) -> Any:
    return dist.Normal(eta, sigma)


RESPONSES: Mapping[type[families.Family], Response] = {
    families.Gaussian: Response(_gaussian, functional.mse_loss, {"sigma": torch.sqrt}),
    families.Bernoulli: Response(lambda eta: dist.Bernoulli(logits=eta), functional.binary_cross_entropy_with_logits),
}


def response(family: families.Family) -> Response:
    """The family's entry in the table."""
    return RESPONSES[type(family)]


def prior(distribution: core.Distribution, shape: Sequence[int]) -> Any:
    """Pyro's distribution of a site of this shape, in the default dtype."""
    dtype = torch.get_default_dtype()
    settings = {f.name: torch.as_tensor(getattr(distribution, f.name), dtype=dtype) for f in fields(distribution)}
    return PRIORS[type(distribution)](**settings).expand(tuple(shape)).to_event(len(shape))


def joint_prior(priors: Sequence[core.Distribution]) -> Any:
    """Pyro's distribution of a vector with one prior an element."""
    blocks = core.stack(priors)
    if len(blocks) == 1:
        return prior(blocks[0].prior, (len(priors),))
    return Mixed([(torch.from_numpy(b.positions), prior(b.prior, (len(b.positions),))) for b in blocks])


class Mixed(dist.TorchDistribution):  # type: ignore[misc]
    """Independent elements of several kinds: each block has its positions and its distribution."""

    arg_constraints: Mapping[str, Any] = {}
    support = constraints.real_vector

    def __init__(self, blocks: Sequence[tuple[Tensor, Any]]) -> None:
        self.blocks = list(blocks)
        self.order = torch.argsort(torch.cat([positions for positions, _ in blocks]))
        super().__init__(event_shape=torch.Size([len(self.order)]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        terms = [block.log_prob(value[..., positions]) for positions, block in self.blocks]
        return torch.stack(terms).sum(0)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return torch.cat([block.sample(sample_shape) for _, block in self.blocks], dim=-1)[..., self.order]
