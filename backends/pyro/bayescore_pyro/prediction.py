"""Predictions from draws, in bounded memory."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch

from bayescore.model.arrays import Array
from bayescore_pyro.rows import Rows
from bayescore_pyro.stated import Stated
from bayescore_pyro.translation import expected

_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once: 8 MB a tensor."""


def predict(stated: Stated, draws: Mapping[str, Array], rows: Rows, kind: Literal["mean", "response"]) -> Array:
    """Means or new responses for draws (chain, draw, *site shape): (chain, draw, row).

    The means of a response with categories are their probabilities, (chain, draw, row, category).
    """
    dtype = torch.get_default_dtype()
    chains, count = next(iter(draws.values())).shape[:2]
    flat = {name: torch.tensor(v, dtype=dtype).reshape(-1, *v.shape[2:]) for name, v in draws.items()}
    block = max(_BLOCK_VALUES // rows.count, 1)
    parts = []
    with torch.no_grad():
        for start in range(0, chains * count, block):
            part = {name: value[start : start + block] for name, value in flat.items()}
            response = stated.respond_each(part, rows)
            values = expected(stated.family, response) if kind == "mean" else response.sample()
            parts.append(values.double().numpy())
    predicted = np.concatenate(parts)
    return predicted.reshape(chains, count, *predicted.shape[1:])
