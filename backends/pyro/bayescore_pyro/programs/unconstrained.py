"""A program's log density over a vector without constraints, which samplers and guides work on."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.distributions import biject_to
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from bayescore.errors import UnsupportedError, in_one_line
from bayescore_pyro.density import Program, packed_density, unpack
from bayescore_pyro.programs import density, running
from bayescore_pyro.programs.sited import Sited

_LONGEST = 200
"""Characters that are told of why a program isn't traced."""
_POINTS = 5
"""Points of Uniform(-2, 2) at which a traced density is held against the plain one."""


@dataclass(frozen=True)
class Unconstrained:
    """A program's density in the numbers z of shape (d,) that `torch.distributions.biject_to` makes its values of.

    Attributes
    ----------
    arguments
        What the program is called with.
    shapes
        For each latent site that is not enumerated, the shape of its numbers.
    """

    sited: Sited
    arguments: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        """Length of z."""
        return sum(map(math.prod, self.shapes.values()))

    def run(self, z: Tensor) -> tuple[Any, Tensor]:
        """The trace at z with enumerated sites at all their values, and log |d values / d z|."""
        at = self._at(z)
        return running.run(self.sited.called, self.arguments, at, self.sited.latent.nesting), at.log_det

    def replayed(self, z: Tensor) -> tuple[Any, Tensor]:
        """The same with enumerated sites at some value: what the draws have doesn't depend on it."""
        at = self._at(z, {name: node["value"] for name, node in self.sited.latent.summed.items()})
        return running.run(self.sited.called, self.arguments, at), at.log_det

    def _at(self, z: Tensor, values: Mapping[str, Tensor] = MappingProxyType({})) -> running.AtUnconstrained:
        parts = torch.split(z, [math.prod(shape) for shape in self.shapes.values()])
        named = zip(self.shapes.items(), parts, strict=True)
        return running.AtUnconstrained({name: part.reshape(shape) for (name, shape), part in named}, values)

    def log_density(self, z: Tensor) -> Tensor:
        """Log density of z; the values made of it are in their support."""
        trace, log_det = self.run(z)
        terms = density.terms(trace, self.sited.latent.nesting, check=lambda node: node["is_observed"])
        return torch.stack([term.total for term in terms.values()]).sum() + log_det

    def plain(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Potential energy, minus the log density, and its gradient, by a run of the program."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            potential = -self.log_density(z)
            (gradient,) = torch.autograd.grad(potential, z)
        return potential.detach(), gradient

    def traced(self) -> tuple[bytes | None, str]:
        """The potential energy, packed, or None where it can't be traced; and a note of which."""
        try:
            return self.packed(), "its density is traced"
        except UnsupportedError as error:
            return None, f"its density is not traced: {error}"

    def potential(self) -> tuple[Program, str]:
        """The potential energy and its gradient, traced where they can be; and a note of which."""
        packed, note = self.traced()
        return (self.plain if packed is None else unpack(packed)), note

    def packed(self, particles: int | None = None) -> bytes:
        """The potential energy traced once, as `bayescore_pyro.density.packed_density` does.

        Parameters
        ----------
        particles
            To take as many points at a time; None for one.

        Raises
        ------
        UnsupportedError
            It can't be, or has other values, in words.
        """

        def potential(z: Tensor) -> Tensor:
            with _Factorizing():
                return -self.log_density(z)

        one = torch.zeros(self.size)
        shape = (self.size,) if particles is None else (particles, self.size)
        try:
            if particles is None:
                packed = packed_density(potential, one)
            else:  # Pyro enumerates no sites where many points are taken at a time, but what it did is a plain program
                packed = packed_density(torch.vmap(make_fx(potential)(one)), torch.zeros(shape))
        except Exception as error:  # whatever a tracer says of a person's code
            told = in_one_line(error)
            by_values = "data-dependent" in told or "_local_scalar_dense" in told
            raise UnsupportedError("what it runs depends on values" if by_values else told[:_LONGEST]) from error
        self._hold(unpack(packed), shape)
        return packed

    def _hold(self, traced: Program, shape: tuple[int, ...]) -> None:
        for _ in range(_POINTS):
            z = 4.0 * torch.rand(self.size) - 2.0
            try:
                expected = self.plain(z)
            except RuntimeError:  # as from a singular matrix, which a traced program takes for an impossible point
                continue
            value, gradient = traced(z.expand(shape))
            found = value.reshape(-1)[-1], gradient.reshape(-1, self.size)[-1]
            if expected[0].isfinite() and not all(map(_same, expected, found)):
                raise UnsupportedError("traced, it has other values")

    @property
    def notes(self) -> tuple[str, ...]:
        """Of each deterministic site that has no draws."""
        untold = self.sited.latent.untold
        return tuple(f"{name} has no draws: it depends on a site that is summed out" for name in untold)


def unconstrained(sited: Sited) -> Unconstrained:
    """The density of a program that can be sampled.

    Raises
    ------
    UnsupportedError
        It has a discrete site that is not enumerated, one whose support has no bijection, or no unknown at all.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name, node in sited.latent.drawn.items():
        support = node["fn"].support
        if support.is_discrete:
            raise UnsupportedError(
                f"the site {name!r} is discrete, and not enumerated: "
                'sum it out with infer={"enumerate": "parallel"}, or give it as data'
            )
        try:
            shapes[name] = tuple(biject_to(support).inverse_shape(node["value"].shape))
        except NotImplementedError as error:
            raise UnsupportedError(f"the support of the site {name!r} has no bijection to real numbers") from error
    if not shapes:
        raise UnsupportedError("the program has no unknown to fit: all its sites are observed, or summed out")
    target = Unconstrained(sited, sited.arguments(), shapes)
    _check_repeatable(target)
    return target


def _check_repeatable(target: Unconstrained) -> None:
    with torch.no_grad():
        z = torch.zeros(target.size)
        first, second = target.log_density(z), target.log_density(z)
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise UnsupportedError(
            "the program's density is another at each run, at the same values: it draws random numbers "
            "beside its sites, or changes its data"
        )


def _same(expected: Tensor, found: Tensor) -> bool:
    """Equal to rounding, by the largest of them."""
    rounding = 1e-9 if expected.dtype == torch.float64 else 1e-3
    return bool(((expected - found).abs() <= rounding * (1.0 + expected.abs().max())).all())


class _Factorizing(TorchFunctionMode):
    """Cholesky factors that are NaN where there are none: a traced program has lost the error."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.linalg.cholesky:
            return func(*args, **(kwargs or {}))
        factor, info = torch.linalg.cholesky_ex(*args, **(kwargs or {}))
        return torch.where((info == 0)[..., None, None], factor, factor.new_full((), math.nan))
