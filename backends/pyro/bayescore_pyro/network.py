"""The core's network as a torch module."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from bayescore.model.sites import Independent


class Perceptron(nn.Module):
    """A multilayer perceptron; its parameters are named and shaped as the sites it is made for."""

    def __init__(self, sites: Iterable[Independent]) -> None:
        super().__init__()
        for site in sites:
            layer, _, parameter = site.name.partition(".")
            if parameter == "weight":
                wide_out, wide_in = site.shape
                self.add_module(layer, nn.Linear(wide_in, wide_out))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (row, 1) of rows x (row, column)."""
        *hidden, last = self.children()
        for layer in hidden:
            x = torch.tanh(layer(x))
        out: Tensor = last(x)
        return out
