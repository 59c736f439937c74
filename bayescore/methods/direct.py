"""What needs no iterations that could fail to converge: the exact posterior, and Laplace's approximation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bayescore.methods.method import Beginning, GuideFamily, Kind, Method, Need, Optimum, Standard
from bayescore.methods.settings import flag, whole


@dataclass(frozen=True)
class Direct(Method):
    """What Laplace and Exact share: independent draws from a distribution that is found in one go.

    Attributes
    ----------
    draws
        Their number.
    """

    standard: ClassVar[Standard] = "construction"
    draws: int = whole(10_000, smoke=2)

    def needs(self, parameters: int, rows: int, outputs: int) -> Iterator[Need]:
        yield from super().needs(parameters, rows, outputs)
        yield Need(f"the covariance of {parameters} parameters", parameters**2, f"use another method than {self.name}")


@dataclass(frozen=True)
class Laplace(Direct):
    """The Laplace approximation: a Gaussian at the mode, with the Hessian's inverse as covariance.

    The mode is that of the unconstrained parameters' density (Tierney and Kadane 1986).
    """

    name: ClassVar[str] = "laplace"
    kinds: ClassVar[tuple[Kind, ...]] = ("guide",)
    centred: bool = flag(False)

    @property
    def guide_family(self) -> GuideFamily:
        return "full_rank"

    @property
    def optimum(self) -> Optimum:
        return "mode"

    @property
    def begins(self) -> Beginning:
        return "mode"


@dataclass(frozen=True)
class Exact(Direct):
    """The exact posterior, by closed form or quadrature, and independent draws from it."""

    name: ClassVar[str] = "exact"
    kinds: ClassVar[tuple[Kind, ...]] = ("exact", "independent")
