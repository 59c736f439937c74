"""A multilayer perceptron as the linear predictor, with tanh between its layers.

Its sites are named and shaped as torch names them: ``layer0.weight`` (out, in),
``layer0.bias`` (out,). Weights are not identified (units permute, signs flip), so that
agreement is judged on predictions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bayescore.errors import RequestError
from bayescore.model.distributions import AtMeans, Distribution
from bayescore.model.sites import Independent, Shift
from bayescore.printable import shown


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron with a prior for every weight.

    Attributes
    ----------
    hidden
        Units of each hidden layer.
    priors
        For each layer one prior of the weights (an element each, in C order) and one of
        the biases.
    """

    hidden: tuple[int, ...]
    priors: Mapping[str, tuple[Distribution, ...]]

    def sites(self, columns: tuple[str, ...], means: tuple[float, ...] | None = None) -> list[Independent]:
        """Its sites for these inputs, whose means may be where the first layer's biases have their priors."""
        found = []
        for name, shape in shapes(self.hidden, len(columns)).items():
            labels = [""]
            for axis in shape:
                labels = [f"{label},{i}".lstrip(",") for label in labels for i in range(axis)]
            priors, shift = self.priors[name], None
            if name == "layer0.bias" and means is not None and any(isinstance(prior, AtMeans) for prior in priors):
                rows = tuple(means if isinstance(prior, AtMeans) else (0.0,) * len(means) for prior in priors)
                shift = Shift("layer0.weight", tuple(range(len(priors))), rows)
            found.append(Independent(name, shape, tuple(labels), "real", priors, shift))
        return found


MOST_WEIGHTS = 100_000
"""Of a network; its posterior's draws fill the memory long before."""
_MOST_LAYERS = 100


def check_hidden(hidden: tuple[int, ...], inputs: int) -> None:
    """Raise `RequestError` for layers that make no network, or too large a one."""
    if not hidden or any(isinstance(h, bool) or not isinstance(h, int) or h < 1 for h in hidden):
        raise RequestError(f"a network's hidden layers are whole numbers of at least 1, not {shown(list(hidden))}")
    wide = [inputs, *hidden, 1]
    weights = sum(before * after + after for before, after in pairwise(wide))
    if len(hidden) > _MOST_LAYERS or weights > MOST_WEIGHTS:
        raise RequestError(
            f"a network has at most {_MOST_LAYERS} layers and {MOST_WEIGHTS} weights, "
            f"not {len(hidden)} and {shown(weights)}: take fewer units"
        )


def shapes(hidden: tuple[int, ...], inputs: int) -> dict[str, tuple[int, ...]]:
    """Shape of each site, layer by layer."""
    found: dict[str, tuple[int, ...]] = {}
    for layer, (wide_in, wide_out) in enumerate(pairwise([inputs, *hidden, 1])):
        found[f"layer{layer}.weight"] = (wide_out, wide_in)
        found[f"layer{layer}.bias"] = (wide_out,)
    return found


def predict(layers: int, values: Mapping[str, Any], x: Any, xp: Any) -> Any:
    """The network's output for values (..., *site shape) and rows x: shape (..., row)."""
    out = x
    for layer in range(layers):
        weight, bias = values[f"layer{layer}.weight"], values[f"layer{layer}.bias"]
        out = xp.matmul(out, xp.swapaxes(weight, -1, -2)) + bias[..., None, :]
        if layer + 1 < layers:
            out = xp.tanh(out)
    return out[..., 0]
