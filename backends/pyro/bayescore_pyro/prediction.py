"""Predictions from draws, in bounded memory."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch

from bayescore.distributions import Array
from bayescore_pyro.stated import Stated

_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once: 8 MB a tensor."""


def predict(stated: Stated, draws: Mapping[str, Array], x: Array, kind: Literal["mean", "response"]) -> Array:
    """Means or new responses for draws (chain, draw, *site shape) and rows x: (chain, draw, row)."""
    first = stated.slots[0]
    chains_draws = draws[first.site].shape[:2]
    dtype = torch.get_default_dtype()
    flat = {slot.site: torch.tensor(draws[slot.site], dtype=dtype).reshape(-1, *slot.shape) for slot in stated.slots}
    rows = torch.tensor(x, dtype=dtype)
    count = int(np.prod(chains_draws))
    predicted = np.empty((count, len(x)))
    block = max(_BLOCK_VALUES // max(len(x), 1), 1)
    with torch.no_grad():
        for start in range(0, count, block):
            part = {name: value[start : start + block] for name, value in flat.items()}
            distribution = stated.response(part, rows)
            values = distribution.mean if kind == "mean" else distribution.sample()
            predicted[start : start + block] = values.numpy()
    return predicted.reshape(*chains_draws, len(x))
