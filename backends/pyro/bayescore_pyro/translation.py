"""The tables: which of Pyro's distributions stands for which of the core's.

A new prior or family is one line here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints

from bayescore.backend import entry_of
from bayescore.model import families
from bayescore.model.distributions import Distribution
from bayescore_pyro.links import log_expm1_exp, log_ndtr, log_ordered


class LogPoisson(dist.Poisson):  # type: ignore[misc]
    """A Poisson distribution by the logarithm of its rate, whose gradient exists where the rate is no number but 0."""

    def __init__(self, eta: Tensor, validate_args: bool | None = None) -> None:
        self.eta = eta
        super().__init__(eta.exp(), validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: object = None) -> "LogPoisson":
        return LogPoisson(self.eta.expand(batch_shape), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        density: Tensor = value * self.eta - self.rate - torch.lgamma(value + 1.0)
        return density


PRIORS: Mapping[str, Callable[..., Any]] = {
    "Normal": dist.Normal,
    "StudentT": dist.StudentT,
    "Cauchy": dist.Cauchy,
    "Laplace": dist.Laplace,
    "Flat": lambda: dist.ImproperUniform(constraints.real, (), ()),
    "HalfNormal": dist.HalfNormal,
    "HalfCauchy": dist.HalfCauchy,
    "HalfStudentT": lambda df, scale: dist.FoldedDistribution(dist.StudentT(df, 0.0, scale)),
    "Exponential": dist.Exponential,
    "Gamma": dist.Gamma,
    "InverseGamma": lambda concentration, scale: dist.InverseGamma(concentration, rate=scale),
    "LogNormal": dist.LogNormal,
    "Beta": lambda a, b: dist.Beta(concentration1=a, concentration0=b),
    "Uniform": dist.Uniform,
}
"""Of one element, given the core's fields."""

LOGITS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "logit": lambda eta: eta,
    "probit": lambda eta: log_ndtr(eta) - log_ndtr(-eta),
    "cloglog": log_expm1_exp,
}
"""Log odds of a success by link."""

RESPONSES: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("Gaussian", "identity"): lambda eta, sigma: dist.Normal(loc=eta, scale=sigma),
    ("StudentT", "identity"): lambda eta, df, sigma: dist.StudentT(df, eta, sigma),
    **{("Bernoulli", link): lambda eta, f=f: dist.Bernoulli(logits=f(eta)) for link, f in LOGITS.items()},
    **{("Binomial", link): lambda eta, trials, f=f: dist.Binomial(trials, logits=f(eta)) for link, f in LOGITS.items()},
    ("Poisson", "log"): LogPoisson,
    ("NegativeBinomial", "log"): lambda eta, concentration: dist.NegativeBinomial(
        concentration, logits=eta - concentration.log()
    ),
    ("Gamma", "log"): lambda eta, concentration: dist.Gamma(concentration, concentration * (-eta).exp()),
    ("Exponential", "log"): lambda eta: dist.Exponential((-eta).exp()),
    ("Beta", "logit"): lambda eta, concentration: dist.Beta(
        concentration * eta.sigmoid(), concentration * (-eta).sigmoid()
    ),
    ("Ordinal", "logit"): lambda eta, threshold: dist.Categorical(logits=log_ordered(eta, threshold)),
    ("Categorical", "softmax"): lambda eta: dist.Categorical(
        logits=torch.cat([torch.zeros_like(eta[..., :1]), eta], -1)
    ),
}
"""By family and link: of the linear predictor (..., row), or (..., row, level), and what else the family is given."""

EXPECTED: Mapping[type[families.Family], Callable[[Any], Tensor]] = {
    families.StudentT: lambda response: response.loc,  # its mean does not exist for df <= 1
    families.Ordinal: lambda response: response.probs,
    families.Categorical: lambda response: response.probs,
}
"""What is predicted where it is not the distribution's mean."""


def response(family: families.Family, eta: Tensor, given: Mapping[str, Tensor]) -> Any:
    """Pyro's distribution of the response."""
    made = entry_of(RESPONSES, (family.name, family.link_name), f"the family {family}")
    return made(eta, **given)


def expected(family: families.Family, response: Any) -> Tensor:
    """The expected response; for categories their probabilities, (..., row, category)."""
    read = EXPECTED.get(type(family))
    mean: Tensor = response.mean if read is None else read(response)
    return mean


def prior(distribution: Distribution, shape: tuple[int, ...]) -> Any:
    """Pyro's distribution of a site of this shape, in the default dtype.

    The distribution's fields are numbers, or have one an element.
    """
    dtype = torch.get_default_dtype()
    given = {f.name: np.asarray(getattr(distribution, f.name)) for f in fields(distribution)}
    settings = {
        field: torch.as_tensor(value.reshape(shape) if value.ndim else value, dtype=dtype)
        for field, value in given.items()
    }
    name = type(distribution).__name__
    made = entry_of(PRIORS, name, f"the prior {name}")
    return made(**settings).expand(shape).to_event(len(shape))
