"""Rows with equal covariates, taken together, with the same log likelihood to rounding.

Rows that are equal in everything count once, with the sum of their weights. Where a row's
log likelihood is y a(eta) + b(eta) + c(y) with c concave, as a Poisson's, or a binomial's
at equal trials, three sums say all about the rows with equal covariates: those of the
weights, of the responses, and of c. Four responses that lie among theirs can be weighted
to have the same sums: the neighbours of the mean, whose mean c is the largest that there
is, and the two ends, whose mean c is the smallest (Jensen's inequality). So no backend
needs a second likelihood, and no constant is lost.
"""

from dataclasses import replace

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families import Family

_SAMPLE = 2000
_WORTH_IT = 0.5
"""Share of different rows above which nothing is gained by taking equal ones together."""


def aggregate(family: Family, data: Data) -> Data:
    """Fewer, weighted rows that have the same log likelihood; the data where few rows are equal."""
    sample = _covariates(data.take(slice(_SAMPLE)), with_response=not family.linear)
    if len(np.unique(sample, axis=0)) > _WORTH_IT * len(sample):
        return data
    few = _merge(_condense(family, data) if family.linear else data)
    return few if few.rows <= _WORTH_IT * data.rows else data


def _merge(data: Data) -> Data:
    """Rows that are equal in everything once, with the sum of their weights."""
    _, first, inverse = np.unique(_covariates(data), axis=0, return_index=True, return_inverse=True)
    summed = np.asarray(np.bincount(inverse.ravel(), _weights(data), len(first)), np.float64)
    return replace(data.take(first), weights=summed)


def _condense(family: Family, data: Data) -> Data:
    """At most four rows for each set of equal covariates."""
    table = _covariates(data, with_response=False)
    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    cell, cells, y, w = inverse.ravel(), len(first), data.observed, _weights(data)

    def sums(of: Array) -> Array:
        return np.asarray(np.bincount(cell, of, cells), np.float64)

    def density(response: Array, trials: Array | None) -> Array:
        given = {} if trials is None else {"trials": trials}
        return np.asarray(family.log_prob(response, np.zeros(len(response)), given))

    low, high = np.full(cells, np.inf), np.full(cells, -np.inf)
    np.minimum.at(low, cell, y)
    np.maximum.at(high, cell, y)
    total = sums(w)
    known = np.where(total > 0.0, total, 1.0)
    mean = np.clip(sums(w * y) / known, low, high)
    responses = np.stack([np.floor(mean), np.minimum(np.floor(mean) + 1.0, high), low, high])
    trials = None if data.trials is None else data.trials[first]
    at = np.stack([density(response, trials) for response in responses])
    weights = total * _shares(responses, mean, at, sums(w * density(y, data.trials)) / known)
    rows = replace(data.take(np.tile(first, 4)), y=responses.ravel(), weights=weights.ravel())
    return rows.take(np.flatnonzero(weights.ravel()))


def _shares(responses: Array, mean: Array, density: Array, mean_density: Array) -> Array:
    """Shares of four responses that have the mean and the mean log density, shape (4, cell).

    ``responses`` and their ``density`` (4, cell) are those of the inner two, then of the outer.
    """

    def share(of: Array, low: Array, high: Array) -> Array:
        return np.clip((of - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)

    below, above, low, high = responses
    inner, outer = share(mean, below, above), share(mean, low, high)
    largest = density[0] * (1.0 - inner) + density[1] * inner
    smallest = density[2] * (1.0 - outer) + density[3] * outer
    weight = np.where(largest > smallest, share(mean_density, smallest, largest), 1.0)
    return np.stack([weight * (1.0 - inner), weight * inner, (1.0 - weight) * (1.0 - outer), (1.0 - weight) * outer])


def _weights(data: Data) -> Array:
    return np.ones(data.rows) if data.weights is None else data.weights


def _covariates(data: Data, *, with_response: bool = True) -> Array:
    """All that a row's likelihood depends on but its weight, shape (row, k)."""
    parts = [data.y if with_response else None, data.offset, data.trials, data.ones]
    parts += [part for m in data.groups.values() for part in (m.index.astype(np.float64), m.value)]
    return np.column_stack([data.x, *(part for part in parts if part is not None)])
