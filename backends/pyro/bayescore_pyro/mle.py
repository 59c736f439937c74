"""Maximum likelihood: a plain ``nn.Linear`` and its loss, as one trains it in torch."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from bayescore.backend import Progress
from bayescore.coordinates import Coordinates
from bayescore.data import Data
from bayescore.distributions import Array
from bayescore.methods import MLE
from bayescore.regression import Regression
from bayescore_pyro.outcome import Outcome, point
from bayescore_pyro.translation import response

_REPORT_EVERY = 50


def fit(regression: Regression, data: Data, coordinates: Coordinates, method: MLE, progress: Progress) -> Outcome:
    """Train the module on the coordinates' columns, in units of the response.

    The linear predictor is offset + unit (bias + inputs weight): what the coordinates
    make of intercept and beta. The losses are the mean over rows, in these units.
    """
    bias = int(regression.intercept is not None)
    p = len(regression.columns)
    k = bias + p
    design = np.column_stack([np.ones((data.rows, bias)), data.x])
    unit = regression.family.response_scale(data.observed)[1] if method.standardize else 1.0
    dtype = torch.get_default_dtype()
    inputs = torch.tensor(design @ coordinates.matrix[:k, bias:k] / unit, dtype=dtype)
    offset = torch.tensor(design @ coordinates.centre[:k] / unit, dtype=dtype)
    target = torch.tensor(data.observed / unit, dtype=dtype)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")  # where there are no columns
        linear = nn.Linear(p, 1, bias=bool(bias))
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.zero_()
    loss = response(regression.family).loss

    def mean_loss() -> Tensor:
        return loss(offset + linear(inputs).squeeze(-1), target)

    losses = _train(linear, mean_loss, method, progress)
    weights = torch.cat([parameter.detach().flatten() for parameter in (linear.bias, linear.weight)[1 - bias :]])
    least = mean_loss().detach()
    for name in regression.family.free:
        estimate = response(regression.family).auxiliary[name](least) * unit
        weights = torch.cat([weights, (estimate.log() - coordinates.centre[len(weights)])[None]])
    return point(coordinates, weights.double().numpy(), losses)


def _train(module: nn.Module, mean_loss: Callable[[], Tensor], method: MLE, progress: Progress) -> Array:
    optimizer = torch.optim.Adam(module.parameters(), lr=method.rate)
    losses = np.empty(method.steps)
    for step, rate in enumerate(method.rates):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = mean_loss()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses[step] = loss.item()
        if step % _REPORT_EVERY == 0 or step + 1 == method.steps:
            progress(step + 1, method.steps, loss=float(losses[step]), rate=rate)
    return losses
