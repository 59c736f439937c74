"""The density that samplers and guides work on: the stated model in their coordinates."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from pyro import poutine
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from bayescore.density.coordinates import Coordinates
from bayescore.model.transforms import constrain
from bayescore_pyro.rows import Rows
from bayescore_pyro.shortening import shortened
from bayescore_pyro.stated import Stated

Program = Callable[..., tuple[Tensor, Tensor]]
"""Value and gradient at z, of shapes (...) and (..., d), and at whatever else the density depends on."""


@dataclass(frozen=True)
class Density:
    """Log p(y, theta) as a density of z, where u = centre + matrix z holds theta.

    Attributes
    ----------
    stated, rows
        The model, and the data it is conditioned on.
    coordinates
        The map from z.
    jacobian
        Whether it is a density of z; otherwise it is theta's own, as its mode needs it.
    """

    stated: Stated
    rows: Rows
    coordinates: Coordinates
    jacobian: bool = True

    @property
    def size(self) -> int:
        """Length of z."""
        return self.coordinates.size

    def log_joint(self, z: Tensor, batch: Tensor | None = None) -> Tensor:
        """Log density at z of shape (d,), from all rows or scaled up from a minibatch."""
        centre = torch.as_tensor(self.coordinates.centre, dtype=z.dtype)
        u = centre + torch.as_tensor(self.coordinates.matrix, dtype=z.dtype) @ z
        shares = {name: torch.as_tensor(share, dtype=z.dtype) for name, share in self.coordinates.shares.items()}
        values, log_det = constrain(self.coordinates.slots, u, torch, shares)
        model = poutine.condition(self.stated.model, data=values)
        total: Tensor = poutine.trace(model).get_trace(self.rows, batch).log_prob_sum()
        return total + log_det + self.coordinates.log_det if self.jacobian else total

    def at(self, coordinates: Coordinates) -> "Density":
        """The same density in other coordinates."""
        return replace(self, coordinates=coordinates)


def compile_density(density: Callable[..., Tensor], z: Tensor, *rest: Tensor) -> Callable[..., Tensor]:
    """Trace a log density and its gradient once, as one straight-line program.

    Running it costs a quarter of running a Pyro model and its backward pass.

    Parameters
    ----------
    density
        Takes z of shape (..., d), and what ``rest`` exemplifies; returns shape (...).
    z, rest
        Example arguments; all later ones have their shapes.

    Returns
    -------
    callable
        The same function, differentiable once in z.
    """
    return differentiable(_trace(density, z, *rest))


def packed_density(density: Callable[..., Tensor], z: Tensor) -> bytes:
    """A density's program as bytes, for `unpack` in this process or another: the same to the last bit."""
    file = io.BytesIO()
    with _without_deprecations():
        torch.jit.save(_trace(density, z), file)
    return file.getvalue()


def unpack(packed: bytes) -> Program:
    """The program that `packed_density` packed."""
    with _without_deprecations():
        program: Program = torch.jit.load(io.BytesIO(packed))  # type: ignore[no-untyped-call]
        return program


def _trace(density: Callable[..., Tensor], z: Tensor, *rest: Tensor) -> Program:
    """A program of TorchScript."""

    def value_and_gradient(z: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
        z = z.detach().requires_grad_()
        value = density(z, *rest)
        return value.detach(), torch.autograd.grad(value.sum(), z)[0]

    with _without_deprecations():
        graph = shortened(make_fx(value_and_gradient)(z, *rest), z, *rest)
        program: Program = torch.jit.freeze(  # what does not depend on z is worked out once
            torch.jit.trace(graph, (z, *rest), check_trace=False)  # type: ignore[no-untyped-call]
        )
        return program


def differentiable(program: Program) -> Callable[..., Tensor]:
    """A program's value, which autograd differentiates by its gradient."""

    class Compiled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Tensor, *rest: Tensor) -> Tensor:
            value, gradient = program(z, *rest)
            ctx.save_for_backward(gradient)
            ctx.others = len(rest)
            result: Tensor = value
            return result

        @staticmethod
        def backward(ctx: Any, slope: Tensor) -> Any:
            return slope.unsqueeze(-1) * ctx.saved_tensors[0], *(None,) * ctx.others

    return Compiled.apply


@contextmanager
def _without_deprecations() -> Iterator[None]:
    """TorchScript is to go one day; until then nothing else does the same as quickly."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        yield
