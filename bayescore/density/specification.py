"""The log density of a regression in NumPy: the specification in executable form.

Every backend's density is held against `log_density`. `LogJoint` gives the same for
many draws at once. Gradients are autograd's.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy
from autograd import grad
from autograd import numpy as np

from bayescore.backend import LogDensity
from bayescore.density.reduction import compress
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.response import Law, given, linear_predictor

Values = Mapping[str, Any]

_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once while a likelihood is evaluated: 8 MB."""


def prior_terms(regression: Regression, values: Values) -> dict[str, Any]:
    """Log prior of each site, shape (...)."""
    return {site.name: site.log_prob(values) for site in regression.sites}


def likelihood(regression: Regression, data: Data, values: Values) -> Any:
    """Log likelihood of all rows, shape (...)."""
    eta = linear_predictor(regression, data, values)
    terms = regression.family.log_prob(data.observed, eta, given(regression, data, values))
    return np.sum(terms if data.weights is None else terms * data.weights, axis=-1)


def terms(regression: Regression, data: Data, point: Values) -> dict[str, float]:
    """Log p(y, theta) at one point term by term: each site's log prior, and ``likelihood``."""
    of_sites = {name: float(term) for name, term in prior_terms(regression, point).items()}
    return {**of_sites, "likelihood": float(likelihood(regression, data, point))}


def log_density(regression: Regression, data: Data, values: Mapping[str, Array]) -> LogDensity:
    """Log p(y, theta) at one point of the constrained space, no Jacobian, row by row.

    Parameters
    ----------
    values
        Each site's value, in its shape.
    """
    point = {site.name: numpy.asarray(values[site.name], dtype=numpy.float64) for site in regression.sites}
    by_site = terms(regression, data, point)

    def total(draw: Values) -> Any:
        return np.sum(sum(prior_terms(regression, draw).values()) + likelihood(regression, data, draw))

    slopes = grad(total)({name: value[None] for name, value in point.items()})
    return LogDensity(sum(by_site.values()), by_site, {name: slope[0] for name, slope in slopes.items()})


class LogJoint:
    """Log p(y, theta) of many draws, in bounded memory.

    Rows that can be are taken together (`bayescore.density.reduction`), so that a draw of a
    Gaussian regression costs O(p^2) whatever the number of rows. Without ``prior`` it is
    the log likelihood.
    """

    def __init__(self, regression: Regression, data: Data, *, prior: bool = True) -> None:
        self.regression = regression
        self.data = compress(regression, data)
        self.prior = prior

    def terms(self, values: Values) -> Any:
        """Log joint density for constrained values of shape (..., *site shape), all rows at once: (...)."""
        found = likelihood(self.regression, self.data, values)
        return found + sum(prior_terms(self.regression, values).values()) if self.prior else found

    def __call__(self, values: Mapping[str, Array]) -> Array:
        """The same, in blocks of draws."""
        site = self.regression.sites[0]
        shape = np.shape(values[site.name])
        lead = shape[: len(shape) - len(site.shape)]
        if not lead:
            return numpy.asarray(self.terms(values))
        flat = {k: numpy.reshape(v, (-1, *np.shape(v)[len(lead) :])) for k, v in values.items()}
        count = int(numpy.prod(lead, dtype=int))
        step = max(_BLOCK_VALUES // (self.data.rows * self.regression.family.predictors), 1)
        total = numpy.empty(count)
        for start in range(0, count, step):
            total[start : start + step] = self.terms({k: v[start : start + step] for k, v in flat.items()})
        return total.reshape(lead)


def simulate(regression: Regression, data: Data, values: Values, rng: numpy.random.Generator) -> Data:
    """The data with a response drawn from the model at these values."""
    return replace(data, y=Law.of(regression, data, values).sample(rng))
