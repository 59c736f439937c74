"""The Pyro model of a regression, with the sites and priors that were stated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor
from torch.nn.functional import linear

from bayescore.backend import LogDensity
from bayescore.model.arrays import Array
from bayescore.model.families import Family
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent
from bayescore_pyro.laws import Values, draw
from bayescore_pyro.lifting import with_priors
from bayescore_pyro.network import Perceptron
from bayescore_pyro.rows import Rows
from bayescore_pyro.translation import response


@dataclass(frozen=True)
class Stated:
    """A model as it was stated: coefficients, what else the family depends on, observed response.

    Attributes
    ----------
    predictor
        A Pyro model of its own: samples all sites and returns the linear predictor of each
        row, (row,) or (row, level), and what of the others the response may depend on.
    family
        Distribution of the response.
    given
        Names of the sites that it depends on beside the linear predictor.
    """

    predictor: Callable[[Rows], tuple[Tensor, Values]]
    family: Family
    given: tuple[str, ...]

    def model(self, rows: Rows, batch: Tensor | None = None) -> Tensor:
        """The Pyro model of all rows, or of a minibatch of them, scaled up to all."""
        part = rows if batch is None else rows.take(batch)
        eta, values = self.predictor(part)
        drawn = self.respond(eta, {name: values[name] for name in self.given}, part)
        weights = 1.0 if part.weights is None else part.weights
        with pyro.plate("data", rows.count, subsample=batch), poutine.scale(scale=weights):
            y: Tensor = pyro.sample("y", drawn, obs=part.y)
        return y

    def respond(self, eta: Tensor, given: Values, rows: Rows) -> Any:
        """The response's distribution."""
        fixed = {name: torch.tensor(value) for name, value in self.family.fixed.items()}
        trials = {} if rows.trials is None else {"trials": rows.trials}
        return response(self.family, eta, {**fixed, **trials, **given})

    def respond_each(self, values: Values, rows: Rows) -> Any:
        """The same for values (draw, *site shape): batch shape (draw, row)."""

        def predict(one: Values) -> Tensor:
            return poutine.condition(self.predictor, data=one)(rows)[0]  # type: ignore[no-any-return]

        eta = torch.vmap(predict)(dict(values)) if values else self.predictor(rows)[0][None]
        return self.respond(eta, {name: values[name].unsqueeze(1) for name in self.given}, rows)

    def log_density(self, rows: Rows, values: Mapping[str, Array]) -> LogDensity:
        """Log density at one point of the constrained space, by site, with its gradient."""
        point = {
            name: torch.tensor(value, dtype=torch.get_default_dtype(), requires_grad=True)
            for name, value in values.items()
        }
        trace = poutine.trace(poutine.condition(self.model, data=point)).get_trace(rows)
        total = trace.log_prob_sum()
        slopes = torch.autograd.grad(total, list(point.values()), allow_unused=True, materialize_grads=True)
        sites = {name: name for name in point} | {"likelihood": "y"}
        by_site = {name: trace.nodes[site]["log_prob_sum"].item() for name, site in sites.items()}
        gradient = {name: slope.double().numpy() for name, slope in zip(point, slopes, strict=True)}
        return LogDensity(total.item(), by_site, gradient)


def with_offset(eta: Tensor, rows: Rows) -> Tensor:
    """Linear predictors (row,) or (row, level) with the rows' offset added."""
    if rows.offset is None:
        return eta
    return eta + (rows.offset if eta.ndim == 1 else rows.offset[:, None])


def state(regression: Regression) -> Stated:
    """Write the neutral regression as a Pyro model."""
    family = regression.family
    given = tuple(site.name for site in regression.sites if site.name in {*family.free, "threshold"})
    of_network = () if regression.network is None else tuple(regression.network.priors)
    weights = [s for s in regression.sites if isinstance(s, Independent) and s.name in of_network]
    network = with_priors(Perceptron(weights), weights) if weights else None
    sites = [site for site in regression.sites if site.name not in of_network]
    levels = (family.predictors,) if family.by_level else ()

    def predictor(rows: Rows) -> tuple[Tensor, Values]:
        values = draw(sites)
        eta = torch.zeros(rows.count, *levels) if network is None else network(rows.x).squeeze(-1)
        if "intercept" in values:
            eta = eta + (values["intercept"] if rows.ones is None else values["intercept"] * rows.ones)
        if "beta" in values:
            eta = eta + linear(rows.x, values["beta"])
        for key, member in rows.groups.items():
            eta = eta + member.effect(values[f"offset({key})"])
        return with_offset(eta, rows), values

    return Stated(predictor, family, given)
