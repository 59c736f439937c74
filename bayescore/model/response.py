"""How a regression's response is distributed, given values of its sites: linear predictor and family.

Every density and every prediction of the core begins here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
from autograd import numpy as np

from bayescore.model import network
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression

Values = Mapping[str, Any]


def linear_predictor(regression: Regression, data: Data, values: Values) -> Any:
    """Of each row, for values (..., *site shape): (..., row), or (..., row, level) for a categorical response."""
    if regression.network is not None:
        eta = network.predict(len(regression.network.hidden) + 1, values, data.x, np)
    elif regression.family.by_level:
        eta = _by_level(regression, data, values)
    else:
        eta = np.zeros(data.rows)
        if regression.columns:
            eta = np.matmul(values["beta"], data.x.T)
        if regression.intercept is not None:
            ones = 1.0 if data.ones is None else data.ones
            eta = eta + values["intercept"][..., None] * ones
    for key, member in data.groups.items():
        eta = eta + values[f"offset({key})"][..., member.index] * member.value
    if data.offset is not None:
        eta = eta + (data.offset[:, None] if regression.family.by_level else data.offset)
    return eta


def _by_level(regression: Regression, data: Data, values: Values) -> Any:
    eta = np.zeros((data.rows, regression.family.predictors))
    if regression.columns:
        eta = np.matmul(data.x, np.swapaxes(values["beta"], -1, -2))
    if regression.intercept is not None:
        eta = eta + values["intercept"][..., None, :]
    return eta


def given(regression: Regression, data: Data, values: Values) -> dict[str, Any]:
    """What the family's density depends on beside the linear predictor, shaped to broadcast against rows."""
    found: dict[str, Any] = {name: numpy.asarray(value) for name, value in regression.family.fixed.items()}
    found |= {name: values[name][..., None] for name in regression.family.free}
    if regression.thresholds:
        found["threshold"] = values["threshold"][..., None, :]
    if data.trials is not None:
        found["trials"] = data.trials
    return found


@dataclass(frozen=True)
class Law:
    """How the responses of some rows are distributed, given draws.

    Attributes
    ----------
    eta
        Linear predictor, shape (..., row), or (..., row, level); the dots are the draws' axes.
    given
        As `given` has it.
    """

    regression: Regression
    eta: Array
    given: Mapping[str, Any]

    @classmethod
    def of(cls, regression: Regression, rows: Data, values: Values) -> "Law":
        """The law of rows at values of shape (..., *site shape)."""
        first = regression.sites[0]
        shape = numpy.shape(values[first.name])
        levels = (regression.family.predictors,) if regression.family.by_level else ()
        eta = linear_predictor(regression, rows, values)
        whole = numpy.broadcast_to(eta, (*shape[: len(shape) - len(first.shape)], rows.rows, *levels))
        return cls(regression, whole, given(regression, rows, values))

    @property
    def mean(self) -> Array:
        """Expected responses, shape (..., row), or (..., row, category)."""
        return numpy.asarray(self.regression.family.mean(self.eta, self.given))

    def sample(self, rng: numpy.random.Generator) -> Array:
        """New responses, shape (..., row)."""
        return numpy.asarray(self.regression.family.sample(rng, self.eta, self.given))
