"""Stochastic variational inference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from bayescore.methods.method import Beginning, GuideFamily, Kind, Need, Optimum, Standard
from bayescore.methods.optimizers import Optimizer
from bayescore.methods.settings import choice, flag, positive, whole


@dataclass(frozen=True)
class SVI(Optimizer):
    """Stochastic variational inference with a Gaussian guide on the unconstrained parameters.

    The estimate is the average of the guide's locations and log-scales over the last
    half of the steps, at a constant rate: the last iterate of Adam is off by a few
    tenths of a posterior sd whatever the number of steps.

    Attributes
    ----------
    guide
        ``mean_field``, ``full_rank``, or (in a backend that declares
        ``feature:own_guide``) a callable.
    rate
        Learning rate, in units of the guide's initial scales.
    particles
        Samples of the ELBO's gradient a step, vectorized.
    batch_size
        Rows of a minibatch, or None for all.
    init
        ``mode``: the guide starts at the posterior mode with the scales of its Laplace
        approximation. ``random``: as the tutorial does, locations Normal(0, 1),
        scales softplus(-3 + 0.05 Normal(0, 1)).
    average
        Average the last half of the iterates; otherwise the last one is taken.
    draws
        Independent draws from the fitted guide.
    centred
        Work on the offsets of groups as they are, or (False) on standard normal ones. None:
        on something in between, level by level, as the data ask for (`bayescore.density.centring`).
    """

    name: ClassVar[str] = "svi"
    kinds: ClassVar[tuple[Kind, ...]] = ("guide",)
    standard: ClassVar[Standard] = "iterates"
    guides: ClassVar[tuple[str, ...]] = ("mean_field", "full_rank")
    guide: str | Callable[..., object] = choice("mean_field", *guides, function=True)
    rate: float = positive(0.1)
    particles: int = whole(32, most=10**6)
    batch_size: int | None = whole(None, none=True)
    init: str = choice("mode", "mode", "random")
    average: bool = flag(True)
    draws: int = whole(10_000)
    centred: bool | None = flag(None, none=True)

    @property
    def guide_family(self) -> GuideFamily:
        if callable(self.guide):
            return "own"
        return "full_rank" if self.guide == "full_rank" else "diagonal"

    @property
    def optimum(self) -> Optimum:
        return "unknown" if callable(self.guide) else "elbo"

    @property
    def averaged(self) -> bool:
        return self.average

    @property
    def begins(self) -> Beginning:
        return "zero" if self.init == "random" else "mass"

    @property
    def requirements(self) -> frozenset[str]:
        guide = "feature:own_guide" if callable(self.guide) else f"guide:{self.guide}"
        batches = {"feature:minibatch"} if self.batch_size is not None else set()
        return super().requirements | {guide} | batches

    def needs(self, parameters: int, rows: int, outputs: int) -> Iterator[Need]:
        yield from super().needs(parameters, rows, outputs)
        batch = min(self.batch_size or rows, rows)
        what = f"{self.particles} particles of {self.name} at {batch} rows a step"
        yield Need(what, self.particles * batch * outputs, "ask for fewer particles, or a smaller batch_size")
        if self.guide_family == "full_rank":
            yield Need.square(self.name, parameters, "use the mean-field guide")

    def _kept(self, parameters: int) -> int:
        """Numbers that are kept of each step: its loss, its rate and the guide's locations."""
        return parameters + 2

    def __str__(self) -> str:
        return "svi(tutorial)" if self == SVI.tutorial() else super().__str__()

    @classmethod
    def tutorial(cls) -> "SVI":
        """The old tutorial's settings, which do not converge: for comparison."""
        return cls(steps=1000, rate=0.05, particles=1, standardize=False, init="random", average=False)
