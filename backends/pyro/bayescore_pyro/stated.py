"""The Pyro model of a regression, with the sites and priors that were stated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor

from bayescore.backend import LogDensity
from bayescore.coordinates import Slot, slots_of
from bayescore.distributions import Array
from bayescore.families import Family
from bayescore.regression import Regression
from bayescore_pyro.translation import joint_prior, prior, response

Values = Mapping[str, Tensor]


@dataclass(frozen=True)
class Stated:
    """A model as it was stated: coefficients, auxiliary parameters, observed response.

    Attributes
    ----------
    predictor
        A Pyro model of its own: takes the design matrix (row, column), samples its
        coefficients and returns the linear predictor (row,).
    family
        Distribution of the response.
    auxiliary
        Pyro's prior of each free auxiliary parameter.
    slots
        The layout of all sites in the unconstrained vector.
    """

    predictor: Callable[[Tensor], Tensor]
    family: Family
    auxiliary: Mapping[str, Any]
    slots: tuple[Slot, ...]

    def model(self, x: Tensor, y: Tensor | None, rows: Tensor | None = None) -> Tensor:
        """The Pyro model of all rows, or of a minibatch of them, scaled up to all."""
        size = x.shape[0]
        if rows is not None:
            x, y = x[rows], None if y is None else y[rows]
        eta = self.predictor(x)
        auxiliary = self._fixed() | {name: pyro.sample(name, term) for name, term in self.auxiliary.items()}
        with pyro.plate("data", size, subsample=rows):
            drawn: Tensor = pyro.sample("y", response(self.family).distribution(eta, **auxiliary), obs=y)
        return drawn

    def response(self, values: Values, x: Tensor) -> Any:
        """The response's distribution for values (draw, *site shape): batch shape (draw, row)."""
        coefficients = {name: value for name, value in values.items() if name not in self.auxiliary}

        def predict(one: Values) -> Tensor:
            return poutine.condition(self.predictor, data=one)(x)  # type: ignore[no-any-return]

        eta = torch.vmap(predict)(coefficients) if coefficients else self.predictor(x)[None]
        free = {name: values[name][:, None] for name in self.auxiliary}
        return response(self.family).distribution(eta, **self._fixed(), **free)

    def log_density(self, x: Tensor, y: Tensor, values: Mapping[str, Array]) -> LogDensity:
        """Log density at one point of the constrained space, by site, with its gradient."""
        point = {
            name: torch.tensor(value, dtype=torch.get_default_dtype(), requires_grad=True)
            for name, value in values.items()
        }
        trace = poutine.trace(poutine.condition(self.model, data=point)).get_trace(x, y)
        total = trace.log_prob_sum()
        slopes = torch.autograd.grad(total, list(point.values()), allow_unused=True, materialize_grads=True)
        sites = {name: name for name in point} | {"likelihood": "y"}
        by_site = {name: trace.nodes[site]["log_prob_sum"].item() for name, site in sites.items()}
        gradient = {name: slope.double().numpy() for name, slope in zip(point, slopes, strict=True)}
        return LogDensity(total.item(), by_site, gradient)

    def _fixed(self) -> dict[str, Tensor]:
        return {name: torch.tensor(value) for name, value in self.family.fixed.items()}


def state(regression: Regression) -> Stated:
    """Write the neutral regression as a Pyro model."""
    intercept = None if regression.intercept is None else prior(regression.intercept, ())
    beta = joint_prior(regression.beta) if regression.beta else None

    def predictor(x: Tensor) -> Tensor:
        eta = torch.zeros(x.shape[0]) if intercept is None else pyro.sample("intercept", intercept).expand(x.shape[0])
        return eta if beta is None else eta + x @ pyro.sample("beta", beta)

    auxiliary = {name: prior(term, ()) for name, term in regression.auxiliary.items()}
    return Stated(predictor, regression.family, auxiliary, slots_of(regression))
