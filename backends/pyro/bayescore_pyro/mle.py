"""Maximum likelihood: a plain ``nn.Linear`` and its loss, as one trains it in torch."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from bayescore.backend import Progress
from bayescore.density.coordinates import Coordinates
from bayescore.errors import UnsupportedError
from bayescore.methods import MLE
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.families import Gaussian
from bayescore.model.regression import Regression
from bayescore.model.transforms import Slot, constrain
from bayescore_pyro.found import Found, point
from bayescore_pyro.rows import Rows
from bayescore_pyro.stated import state

_REPORT_EVERY = 50


@dataclass(frozen=True)
class Inputs:
    """What the module is trained on: the coordinates' columns.

    The linear predictor is base + unit linear(columns), (row, output); a categorical
    response has an output a level, others have one. A bias stands for the intercept, but
    where the intercept's column is not 1: then that is an input like the others.

    Attributes
    ----------
    centre
        Intercept and coefficients at the start, (output, k).
    matrix
        Shape (k, k): they are centre + matrix z for each output.
    bias
        Whether the module has one.
    unit
        Of the module's output.
    base, columns
        Of all rows.
    """

    centre: Array
    matrix: Array
    bias: bool
    unit: float
    base: Tensor
    columns: Tensor

    def module(self) -> nn.Linear:
        """The module at its start, zero."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # where there are no columns
            linear = nn.Linear(self.columns.shape[1], len(self.centre), bias=self.bias)
        with torch.no_grad():
            for parameter in linear.parameters():
                parameter.zero_()
        return linear

    def predict(self, linear: nn.Linear) -> Tensor:
        """The linear predictor, (row,) or (row, output)."""
        eta: Tensor = self.base + self.unit * linear(self.columns)
        return eta.squeeze(-1) if len(self.centre) == 1 else eta

    def coefficients(self, linear: nn.Linear) -> Array:
        """What the module has learned, (output, k)."""
        z = linear.weight.detach().double().numpy()
        if self.bias:
            first = linear.bias.detach().double().numpy() * self.unit / self.matrix[0, 0]
            z = np.column_stack([first, z])
        return np.asarray(self.centre + z @ self.matrix.T)


def _inputs(regression: Regression, data: Data, coordinates: Coordinates, method: MLE) -> Inputs:
    slots = {slot.site: slot for slot in coordinates.slots}
    parts = [slots[name] for name in ("intercept", "beta") if name in slots]
    outputs = regression.family.predictors
    centre = np.column_stack(
        [np.empty((outputs, 0)), *(coordinates.centre[s.start : s.stop].reshape(outputs, -1) for s in parts)]
    )
    one = [position for s in parts for position in range(s.start, s.start + (s.stop - s.start) // outputs)]
    matrix = coordinates.matrix[np.ix_(one, one)]
    columns = data.x
    if regression.intercept is not None:
        columns = np.column_stack([np.ones(data.rows) if data.ones is None else data.ones, columns])
    bias = regression.intercept is not None and data.ones is None
    unit = regression.family.scale(data)[1] if method.standardize else 1.0
    base = columns @ centre.T + (0.0 if data.offset is None else data.offset[:, None])
    scaled = columns @ matrix[:, int(bias) :] / unit
    dtype = torch.get_default_dtype()
    return Inputs(centre, matrix, bias, unit, torch.tensor(base, dtype=dtype), torch.tensor(scaled, dtype=dtype))


def fit(
    regression: Regression, data: Data, rows: Rows, coordinates: Coordinates, method: MLE, progress: Progress
) -> Found:
    """Train the module, by least squares for a Gaussian and otherwise by the mean negative log likelihood.

    A Gaussian's losses are in units of the response; its sigma is the root of the last one.
    Other parameters of a family are trained with the module.
    """
    inputs = _inputs(regression, data, coordinates, method)
    linear = inputs.module()
    stated = state(regression)
    slots = _own_slots(coordinates, inputs.centre.size)
    own = torch.tensor(coordinates.centre[inputs.centre.size :], dtype=rows.x.dtype, requires_grad=True)
    y = rows.x.new_tensor(data.observed)
    weights = torch.ones_like(y) if rows.weights is None else rows.weights
    weights = weights / weights.sum()
    least_squares = isinstance(regression.family, Gaussian)

    def loss() -> Tensor:
        eta = inputs.predict(linear)
        if least_squares:
            return weights @ ((eta - y) / inputs.unit) ** 2
        likelihoods: Tensor = stated.respond(eta, constrain(slots, own, torch)[0], rows).log_prob(y)
        return -weights @ likelihoods

    trained = [*linear.parameters(), *([own] if slots and not least_squares else [])]
    losses = _train(trained, loss, method, progress)
    values = {name: value.detach().double().numpy() for name, value in constrain(slots, own, torch)[0].items()}
    if least_squares:
        values = dict.fromkeys(regression.family.free, loss().detach().sqrt().double().numpy() * inputs.unit)
    coefficients = inputs.coefficients(linear)
    if regression.intercept is not None:
        values["intercept"], coefficients = coefficients[:, 0], coefficients[:, 1:]
    values["beta"] = coefficients
    found = {site.name: values[site.name].reshape(site.shape) for site in regression.sites}
    _check_support(regression, found)
    return point(found, losses)


def _check_support(regression: Regression, values: Mapping[str, Array]) -> None:
    """Refuse an estimate that the priors exclude: it is no point of the stated model."""
    for site in regression.sites:
        for name, value, (low, high) in zip(site.parameters, values[site.name].flat, site.bounds, strict=True):
            if not low < value < high:
                raise UnsupportedError(
                    f"mle: the likelihood is greatest at {name} = {value:.4g}, which its prior excludes: "
                    f"give it a prior whose support is wider than {low:g} to {high:g}"
                )


def _own_slots(coordinates: Coordinates, first: int) -> list[Slot]:
    """Where the family's own parameters lie in a vector of their own."""
    slots = [slot for slot in coordinates.slots if slot.start >= first]
    return [replace(slot, start=slot.start - first, stop=slot.stop - first) for slot in slots]


def _train(parameters: list[Tensor], loss: Callable[[], Tensor], method: MLE, progress: Progress) -> Array:
    optimizer = torch.optim.Adam(parameters, lr=method.rate)
    losses = np.empty(method.steps)
    for step, rate in enumerate(method.rates):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses[step] = value.item()
        if step % _REPORT_EVERY == 0 or step + 1 == method.steps:
            progress(step + 1, method.steps, loss=float(losses[step]), rate=rate)
    return losses
