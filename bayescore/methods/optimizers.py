"""What is found by Adam: MLE and MAP, and what SVI shares with them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bayescore.methods.method import Beginning, Kind, Method, Need
from bayescore.methods.settings import choice, flag, positive, whole

SCHEDULES = ("constant", "cosine", "exponential")


def _rate_factor(schedule: str, progress: float) -> float:
    """Learning rate at ``progress`` in [0, 1], as a share of the first: down to 1 % at the end."""
    if schedule == "cosine":
        return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * progress))
    return 0.01**progress if schedule == "exponential" else 1.0


@dataclass(frozen=True)
class Optimizer(Method):
    """What MLE, MAP and SVI share: Adam for a number of steps.

    Attributes
    ----------
    steps
        Number of Adam steps.
    rate
        Learning rate, in units of the coordinates that the method works in.
    schedule
        ``constant``, or ``cosine`` or ``exponential`` decay to 1 % of the rate.
    standardize
        Work on centred and scaled columns (`bayescore.density.coordinates`); the regression's
        sites and priors stay what they are.
    """

    steps: int = whole(1000, smoke=2)
    rate: float = positive(0.05)
    schedule: str = choice("constant", *SCHEDULES)
    standardize: bool = flag(True)

    @property
    def rates(self) -> list[float]:
        """The learning rate of each step."""
        last = max(self.steps - 1, 1)
        return [self.rate * _rate_factor(self.schedule, step / last) for step in range(self.steps)]

    @property
    def begins(self) -> Beginning:
        return "start"

    def needs(self, parameters: int, rows: int, outputs: int) -> Iterator[Need]:
        yield from super().needs(parameters, rows, outputs)
        what = f"{self.steps} steps of {self.name} with {parameters} parameters"
        yield Need(what, self.steps * self._kept(parameters), "ask for fewer steps")

    def _kept(self, parameters: int) -> int:
        """Numbers that are kept of each step: its loss and its rate."""
        return 2


@dataclass(frozen=True)
class MLE(Optimizer):
    """Maximum likelihood; the priors are left out. For a Gaussian: least squares."""

    name: ClassVar[str] = "mle"
    kinds: ClassVar[tuple[Kind, ...]] = ("mle",)
    schedule: str = choice("cosine", *SCHEDULES)


@dataclass(frozen=True)
class MAP(Optimizer):
    """Mode of the posterior density in the constrained space, without Jacobian."""

    name: ClassVar[str] = "map"
    kinds: ClassVar[tuple[Kind, ...]] = ("map",)
    schedule: str = choice("cosine", *SCHEDULES)
