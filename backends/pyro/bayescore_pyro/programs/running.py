"""A program is run at values of its latent sites, and what it does is recorded."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NoReturn

import numpy as np
import pyro.distributions as dist
import torch
from pyro import poutine
from pyro.poutine.messenger import Messenger
from pyro.poutine.subsample_messenger import _Subsample
from torch import Tensor
from torch.distributions import biject_to

from bayescore.errors import DataError, UnsupportedError

WRAPPERS = (torch.distributions.Independent, dist.MaskedDistribution, dist.torch_distribution.ExpandedDistribution)
"""Distributions around others, whose ``base_dist`` says what they are."""
Function = Callable[..., Any]
Node = Mapping[str, Any]


def to_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """A program's arguments: arrays as tensors of their own, whatever else as it is."""
    return {name: _tensor(value) if isinstance(value, np.ndarray) else value for name, value in data.items()}


def _tensor(array: np.ndarray) -> Any:
    match array.dtype.kind:
        case "f":
            return torch.tensor(array, dtype=torch.get_default_dtype())
        case "i" | "u":
            return torch.tensor(array.astype(np.int64))
        case "b":
            return torch.tensor(array)
    return array.copy()


class At(Messenger):  # type: ignore[misc]
    """Gives sites their values; those not given are drawn."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.values = values

    def _pyro_sample(self, msg: Any) -> None:
        if msg["name"] in self.values and not msg["is_observed"]:
            msg["value"] = self.values[msg["name"]]

    def _pyro_post_sample(self, msg: Any) -> None:
        if (
            not msg["is_observed"] and msg["value"].is_floating_point()
        ):  # a prior may have been made in another precision
            msg["value"] = msg["value"].to(torch.get_default_dtype())


class AtUnconstrained(At):
    """Gives sites values by numbers without constraints, each through its support's own bijection.

    The support is that of the run: it may depend on other sites.

    Attributes
    ----------
    log_det
        Sum of log |d value / d number| so far.
    """

    def __init__(self, numbers: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
        super().__init__(values)
        self.numbers = numbers
        self.log_det = torch.zeros(())

    def _pyro_sample(self, msg: Any) -> None:
        super()._pyro_sample(msg)
        numbers = self.numbers.get(msg["name"])
        if numbers is not None and not msg["is_observed"]:
            transform = biject_to(msg["fn"].support)
            msg["value"] = transform(numbers)
            self.log_det = self.log_det + transform.log_abs_det_jacobian(numbers, msg["value"]).sum()


class Parallel(Messenger):  # type: ignore[misc]
    """All that is to be enumerated is enumerated in parallel: the sums are the same."""

    def _pyro_sample(self, msg: Any) -> None:
        if msg["infer"].get("enumerate") == "sequential":
            msg["infer"]["enumerate"] = "parallel"


def run(function: Function, arguments: Mapping[str, Any], at: Messenger, nesting: int | None = None) -> Any:
    """The trace of a run.

    Parameters
    ----------
    nesting
        To sum out enumerated sites, how many dimensions to leave for batches; None to draw them.
    """
    with ExitStack() as handlers:
        handlers.enter_context(poutine.block())  # a guide's fit runs programs inside handlers of its own
        if nesting is not None:
            handlers.enter_context(poutine.enum(first_available_dim=-1 - nesting))
            handlers.enter_context(Parallel())
        handlers.enter_context(at)
        recorder = handlers.enter_context(
            poutine.trace()
        )  # called, it would write its table into what a program raises
        function(**arguments)
    return recorder.trace


def sites_of(trace: Any) -> dict[str, Node]:
    """The sample statements of a run, in their order, without those by which plates choose rows."""
    return {
        name: node
        for name, node in trace.nodes.items()
        if node["type"] == "sample" and not isinstance(node["fn"], _Subsample)
    }


def is_deterministic(node: Node) -> bool:
    """Whether a site has no density of its own: one that is stated so, or that a reparametrization leaves."""
    if node["infer"].get("_deterministic"):
        return True
    law, masked = node["fn"], False
    while isinstance(law, WRAPPERS):
        masked = masked or getattr(law, "_mask", None) is False
        law = law.base_dist
    return bool(node["is_observed"]) and masked and isinstance(law, dist.Delta)


def is_latent(node: Node) -> bool:
    """Whether a site's value is unknown."""
    return not node["is_observed"] and not is_deterministic(node)


def is_enumerated(node: Node) -> bool:
    """Whether a site is to be summed out."""
    return is_latent(node) and node["infer"].get("enumerate") in ("parallel", "sequential")


def check_comparable(trace: Any) -> None:
    """Refuse a program with something that has no density to compare.

    Raises
    ------
    UnsupportedError
        It has learnable parameters, or takes some rows of a plate only.
    """
    learnable = [name for name, node in trace.nodes.items() if node["type"] == "param"]
    if learnable:
        raise UnsupportedError(
            f"the program has a learnable parameter, {learnable[0]!r}, which has no posterior: "
            "give it a prior, or pass its value as data"
        )
    for name, node in trace.nodes.items():
        for frame in node.get("cond_indep_stack", ()):
            if frame.full_size is not None and frame.size != frame.full_size:
                raise UnsupportedError(
                    f"the program's plate {frame.name!r} takes {frame.size} of {frame.full_size} rows at "
                    f"the site {name!r}: a subsample's density is another at each run; take all rows"
                )


def check_same_sites(first: Any, other: Any) -> None:
    """Refuse a program that has other sites at another run.

    Raises
    ------
    UnsupportedError
        Its sites, or their shapes, depend on what is drawn.
    """
    one, two = sites_of(first), sites_of(other)
    for name in [*one, *two]:
        if name not in one or name not in two:
            what = "is there or not"
        elif is_latent(one[name]) != is_latent(two[name]):
            what = "is observed or not"
        elif _shape(one[name]) != _shape(two[name]):
            what = "changes its shape"
        else:
            continue
        refuse_other_sites(name, what)


def refuse_other_sites(name: str, what: str = "is there or not") -> NoReturn:
    """Say that a site is not what it was at another run."""
    raise UnsupportedError(f"the program's site {name!r} {what} as its draws fall: it has no fixed set of sites")


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(node["value"].shape)


def fitting(name: str, value: Any, like: Tensor) -> Tensor:
    """A value of a site as a tensor.

    Raises
    ------
    DataError
        It has another shape.
    """
    array = np.asarray(value)
    if array.shape != tuple(like.shape):
        raise DataError(f"the site {name!r} has the shape {tuple(like.shape)}, its values {array.shape}")
    return torch.tensor(array, dtype=torch.get_default_dtype() if like.is_floating_point() else like.dtype)
