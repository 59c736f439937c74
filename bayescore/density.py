"""The log density of a regression in NumPy: the specification in executable form.

Every backend's density is held against `log_density`. `LogJoint` gives the same for
many draws at once, and from the reduced data where the family allows it.
"""

from collections.abc import Mapping

import numpy as np

from bayescore.backend import LogDensity
from bayescore.data import Data
from bayescore.distributions import Array
from bayescore.families import Gaussian
from bayescore.reduction import reduce
from bayescore.regression import Regression

Values = Mapping[str, Array]

_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once while a likelihood is evaluated: 8 MB."""


def linear_predictor(regression: Regression, x: Array, values: Values) -> Array:
    """Intercept plus x beta for values of shape (...): shape (..., row)."""
    eta = np.zeros(x.shape[0])
    if regression.columns:
        eta = values["beta"] @ x.T
    if regression.intercept is not None:
        eta = eta + np.asarray(values["intercept"])[..., None]
    return eta


def auxiliary(regression: Regression, values: Values) -> dict[str, Array]:
    """Auxiliary parameters, free and fixed, as arrays of shape (...) or ()."""
    fixed = {name: np.asarray(value) for name, value in regression.family.fixed.items()}
    return fixed | {name: np.asarray(values[name]) for name in regression.family.free}


def prior_terms(regression: Regression, values: Values) -> dict[str, Array]:
    """Log prior of each site, shape (...)."""
    terms = {}
    for site in regression.sites:
        value = np.asarray(values[site.name])
        if site.shape:
            parts = (block.prior.log_prob(value[..., block.positions]) for block in site.blocks)
            terms[site.name] = sum((np.sum(part, axis=-1) for part in parts), np.zeros(value.shape[:-1]))
        else:
            terms[site.name] = site.priors[0].log_prob(value)
    return terms


def prior_gradient(regression: Regression, values: Values) -> dict[str, Array]:
    """Derivative of the log prior in each site's values."""
    gradient = {}
    for site in regression.sites:
        value = np.asarray(values[site.name], dtype=np.float64)
        if site.shape:
            slope = np.empty_like(value)
            for block in site.blocks:
                slope[..., block.positions] = block.prior.gradient(value[..., block.positions])
        else:
            slope = site.priors[0].gradient(value)
        gradient[site.name] = slope
    return gradient


def log_density(regression: Regression, data: Data, values: Values) -> LogDensity:
    """Log p(y, theta) at one point of the constrained space, no Jacobian, row by row.

    Parameters
    ----------
    values
        Each site's value, in its shape.
    """
    y = data.observed
    eta = linear_predictor(regression, data.x, values)
    extra = auxiliary(regression, values)
    by_site = {name: float(term) for name, term in prior_terms(regression, values).items()}
    by_site["likelihood"] = float(np.sum(regression.family.log_prob(y, eta, extra)))
    gradient = prior_gradient(regression, values)
    _add_rows(gradient, regression, data, values)
    return LogDensity(sum(by_site.values()), by_site, gradient)


def _add_rows(gradient: dict[str, Array], regression: Regression, data: Data, values: Values) -> None:
    eta = linear_predictor(regression, data.x, values)
    in_eta, in_auxiliary = regression.family.gradient(data.observed, eta, auxiliary(regression, values))
    _add_likelihood(gradient, np.sum(in_eta, axis=-1), in_eta @ data.x, in_auxiliary)


def _add_likelihood(
    gradient: dict[str, Array], in_intercept: Array, in_beta: Array, in_auxiliary: Mapping[str, Array]
) -> None:
    for name, slope in {"intercept": in_intercept, "beta": in_beta, **in_auxiliary}.items():
        if name in gradient:
            gradient[name] = gradient[name] + slope


class LogJoint:
    """Log p(y, theta) of many draws, and its gradient, in bounded memory.

    A Gaussian likelihood is evaluated on the reduced data, so that a draw costs
    O(p^2) whatever the number of rows. Without ``prior`` it is the log likelihood.
    """

    def __init__(self, regression: Regression, data: Data, *, prior: bool = True) -> None:
        self.regression = regression
        self.data = data
        self.prior = prior
        self.reduced = reduce(data) if isinstance(regression.family, Gaussian) else None

    def __call__(self, values: Values) -> Array:
        """Log joint density for constrained values of shape (..., *site shape): (...)."""
        likelihood = self._likelihood(values)
        if not self.prior:
            return likelihood
        return np.asarray(likelihood + sum(prior_terms(self.regression, values).values()))

    def _likelihood(self, values: Values) -> Array:
        regression, family = self.regression, self.regression.family
        if self.reduced is not None:
            sigma = auxiliary(regression, values)["sigma"]
            rss = self.reduced.residual_sum_of_squares(*self._linear(values))
            n = self.reduced.rows
            return np.asarray(-0.5 * rss / sigma**2 - n * (np.log(sigma) + 0.5 * np.log(2 * np.pi)))
        shape = self._shape(values)
        flat = {k: np.reshape(v, (-1, *np.shape(v)[len(shape) :])) for k, v in values.items()}
        count = int(np.prod(shape, dtype=int))
        step = max(_BLOCK_VALUES // self.data.rows, 1)
        total = np.empty(count)
        for start in range(0, count, step):
            part = {k: v[start : start + step] for k, v in flat.items()}
            eta = linear_predictor(regression, self.data.x, part)
            terms = family.log_prob(self.data.observed, eta, auxiliary(regression, part))
            total[start : start + step] = np.sum(terms, axis=-1)
        return total.reshape(shape)

    def gradient(self, values: Values) -> dict[str, Array]:
        """Derivatives in each site's constrained values, at one point."""
        regression = self.regression
        gradient = prior_gradient(regression, values)
        if not self.prior:
            gradient = {name: np.zeros_like(slope) for name, slope in gradient.items()}
        if self.reduced is None:
            _add_rows(gradient, regression, self.data, values)
            return gradient
        sigma = auxiliary(regression, values)["sigma"]
        linear = self._linear(values)
        in_intercept, in_beta = self.reduced.gradient(*linear)
        rss = self.reduced.residual_sum_of_squares(*linear)
        in_sigma = rss / sigma**3 - self.reduced.rows / sigma
        _add_likelihood(gradient, -in_intercept / sigma**2, -in_beta / sigma**2, {"sigma": in_sigma})
        return gradient

    def _shape(self, values: Values) -> tuple[int, ...]:
        site = self.regression.sites[0]
        shape = np.shape(values[site.name])
        return shape[: len(shape) - len(site.shape)]

    def _linear(self, values: Values) -> tuple[Array, Array]:
        shape = self._shape(values)
        intercept = values.get("intercept", np.zeros(shape))
        beta = values.get("beta", np.zeros((*shape, 0)))
        return np.asarray(intercept), np.asarray(beta)
