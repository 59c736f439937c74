"""The inference methods: settings as frozen dataclasses, the same for every backend.

Whatever two libraries set differently by default (initial values, scales, warm-up,
step-size search, target acceptance, mass matrix) is set here, and means the same in
both.
"""

import math
import sys
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

from bayescore import notation
from bayescore.errors import RequestError
from bayescore.printable import shown

Kind = Literal["chains", "independent", "exact", "guide", "mle", "map"]
"""What a `bayescore.model.posterior.Posterior` is, which says how far its numbers can be believed.

``chains`` of a sampler, whose draws depend on one another; ``independent`` draws from the
posterior; the ``exact`` posterior, with moments to prove it; a ``guide``: independent draws
from a distribution that stands for the posterior, as SVI's and Laplace's do; or a point:
``mle``, ``map``.
"""
Estimand = Literal["posterior", "mle", "map"]
Standard = Literal["chains", "iterates", "construction", "unknown"]
"""By what a fit is seen to be healthy (`bayescore.agreement.health`).

``chains``: R-hat, ESS, divergences and energy; ``iterates``: those of an optimizer have
settled; ``construction``: nothing can have failed to converge, as in an integral or at a mode
that the fit itself has proved; ``unknown``: nobody knows, so that it never is,
but chains are judged as chains.
"""
GuideFamily = Literal["none", "diagonal", "full_rank", "own"]
"""The distributions that a guide is chosen from: Gaussians with independent coordinates, all
Gaussians, or the user's own; ``none`` where there is no guide."""
Optimum = Literal["elbo", "mode", "unknown"]
"""What a guide is when it is fitted: the best of its family by the ELBO, or the Laplace approximation."""


def _of_python(value: object) -> object:
    """A number of NumPy's as Python's own; where NumPy is not imported there is none."""
    numpy = sys.modules.get("numpy")  # a listing of backends does without it
    return value.item() if numpy is not None and isinstance(value, numpy.generic) else value


def estimand_of(kind: Kind) -> Estimand:
    """What a kind of posterior estimates."""
    points: dict[Kind, Estimand] = {"mle": "mle", "map": "map"}
    return points.get(kind, "posterior")


@dataclass(frozen=True)
class Method(ABC):
    """What to do with a regression.

    Attributes
    ----------
    kinds
        The kinds that its posteriors can be, the usual one first.
    standard
        By what its fits are seen to be healthy.

    Raises
    ------
    RequestError
        A setting has a value that makes no sense.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    standard: ClassVar[Standard] = "unknown"

    def __post_init__(self) -> None:
        for setting, value in list(self.__dict__.items()):
            plain = _of_python(value)
            object.__setattr__(self, setting, plain)
            self._check(setting, plain)

    def _check(self, setting: str, value: object) -> None:
        """Refuse a value that no setting of this name can have."""
        if setting in _WHOLE and not (setting == "batch_size" and value is None):
            least, most = 0 if setting == "warmup" else 1, _WHOLE[setting]
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                self._refuse(setting, value, f"a whole number of at least {least}")
            elif value > most:
                self._refuse(setting, value, f"at most {most}")
        elif setting in _FLAGS and not isinstance(value, bool) and not (setting == "centred" and value is None):
            self._refuse(setting, value, "True or False")
        elif setting in _CHOICES and not (setting == "guide" and callable(value)):
            if not isinstance(value, str) or value not in _CHOICES[setting]:
                self._refuse(setting, value, "one of " + ", ".join(_CHOICES[setting]))
        elif setting in _POSITIVE:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 < cast(float, value) <= sys.float_info.max:
                self._refuse(setting, value, "a positive number")

    def _refuse(self, setting: str, value: object, wanted: str) -> None:
        raise RequestError(f"{self.name}: {setting} must be {wanted}, not {shown(value)}")

    @property
    def estimand(self) -> Estimand:
        """What it estimates."""
        return estimand_of(self.kinds[0])

    @property
    def guide_family(self) -> GuideFamily:
        """The family of its guide, in the coordinates that it works in."""
        return "none"

    @property
    def optimum(self) -> Optimum:
        """What its guide is when it is fitted."""
        return "unknown"

    @property
    def averaged(self) -> bool:
        """Whether its estimate is the average of its iterates, not the last of them."""
        return False

    @property
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare to carry it out."""
        return frozenset({f"method:{self.name}"})

    def smoke(self) -> "Method":
        """The same with two iterations, for trying out the plumbing."""
        return self

    def __str__(self) -> str:
        return notation.write(self.name, self).removesuffix("()")


_WHOLE = {
    "steps": 10**9,
    "particles": 10**6,
    "batch_size": 10**9,
    "draws": 10**9,
    "chains": 1000,
    "warmup": 10**9,
    "max_tree_depth": 20,
}
"""Whole numbers, and the most that each can sensibly be; what memory allows is looked at with the data."""
_POSITIVE = {"rate"}
_FLAGS = {"standardize", "average", "dense_mass", "centred"}
_CHOICES: dict[str, tuple[str, ...]] = {
    "guide": ("mean_field", "full_rank"),
    "schedule": ("constant", "cosine", "exponential"),
    "init": ("mode", "random"),
}


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

    steps: int = 1000
    rate: float = 0.05
    schedule: str = "constant"
    standardize: bool = True

    @property
    def rates(self) -> list[float]:
        """The learning rate of each step."""
        last = max(self.steps - 1, 1)
        return [self.rate * _rate_factor(self.schedule, step / last) for step in range(self.steps)]

    def smoke(self) -> "Method":
        return replace(self, steps=2)


@dataclass(frozen=True)
class MLE(Optimizer):
    """Maximum likelihood; the priors are left out. For a Gaussian: least squares."""

    name: ClassVar[str] = "mle"
    kinds: ClassVar[tuple[Kind, ...]] = ("mle",)
    schedule: str = "cosine"


@dataclass(frozen=True)
class MAP(Optimizer):
    """Mode of the posterior density in the constrained space, without Jacobian."""

    name: ClassVar[str] = "map"
    kinds: ClassVar[tuple[Kind, ...]] = ("map",)
    schedule: str = "cosine"


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
    guide: "str | Callable[..., object]" = "mean_field"
    rate: float = 0.1
    particles: int = 32
    batch_size: int | None = None
    init: str = "mode"
    average: bool = True
    draws: int = 10_000
    centred: bool | None = None

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
    def requirements(self) -> frozenset[str]:
        guide = "feature:own_guide" if callable(self.guide) else f"guide:{self.guide}"
        batches = {"feature:minibatch"} if self.batch_size is not None else set()
        return super().requirements | {guide} | batches

    def __str__(self) -> str:
        return "svi(tutorial)" if self == SVI.tutorial() else super().__str__()

    @classmethod
    def tutorial(cls) -> "SVI":
        """The old tutorial's settings, which do not converge: for comparison."""
        return cls(steps=1000, rate=0.05, particles=1, standardize=False, init="random", average=False)


@dataclass(frozen=True)
class NUTS(Method):
    """The No-U-Turn sampler (Hoffman and Gelman 2014).

    Attributes
    ----------
    chains, warmup, draws
        Number of chains, and of iterations a chain for adaptation and for keeping.
    target_accept
        Mean acceptance probability that the step size is adapted to.
    max_tree_depth
        At most 2 to this power leapfrog steps an iteration.
    dense_mass
        Adapt a dense mass matrix, not a diagonal one. The coordinates are whitened already.
    standardize
        Sample in the coordinates of `bayescore.density.coordinates`.
    centred
        Sample the offsets of groups as they are, or (False) standard normal ones. None:
        something in between, level by level, as the data ask for (`bayescore.density.centring`).
    """

    name: ClassVar[str] = "nuts"
    kinds: ClassVar[tuple[Kind, ...]] = ("chains",)
    standard: ClassVar[Standard] = "chains"
    chains: int = 4
    warmup: int = 1000
    draws: int = 2500
    target_accept: float = 0.8
    max_tree_depth: int = 10
    dense_mass: bool = False
    standardize: bool = True
    centred: bool | None = None

    def _check(self, setting: str, value: object) -> None:
        if setting == "target_accept":
            if isinstance(value, bool) or not isinstance(value, float) or not 0 < value < 1:
                self._refuse(setting, value, "a number between 0 and 1")
        else:
            super()._check(setting, value)

    def smoke(self) -> "Method":
        return replace(self, warmup=2, draws=2)


@dataclass(frozen=True)
class Laplace(Method):
    """The Laplace approximation: a Gaussian at the mode, with the Hessian's inverse as covariance.

    The mode is that of the unconstrained parameters' density (Tierney and Kadane 1986).
    """

    name: ClassVar[str] = "laplace"
    kinds: ClassVar[tuple[Kind, ...]] = ("guide",)
    standard: ClassVar[Standard] = "construction"
    draws: int = 10_000
    centred: bool = False

    @property
    def guide_family(self) -> GuideFamily:
        return "full_rank"

    @property
    def optimum(self) -> Optimum:
        return "mode"

    def smoke(self) -> "Method":
        return replace(self, draws=2)


@dataclass(frozen=True)
class Exact(Method):
    """The exact posterior, by closed form or quadrature, and independent draws from it."""

    name: ClassVar[str] = "exact"
    kinds: ClassVar[tuple[Kind, ...]] = ("exact", "independent")
    standard: ClassVar[Standard] = "construction"
    draws: int = 10_000

    def smoke(self) -> "Method":
        return replace(self, draws=2)


METHODS: dict[str, type[Method]] = {cls.name: cls for cls in (MLE, MAP, SVI, NUTS, Laplace, Exact)}


def parse(text: "str | Method | type[Method] | notation.Call") -> Method:
    """Read a method such as ``svi`` or ``"nuts(chains=4, draws=2500)"``.

    ``svi(tutorial)`` stands for `SVI.tutorial`, a class of METHODS for itself with its defaults.
    """
    if isinstance(text, Method):
        return text
    if isinstance(text, type) and text in METHODS.values():
        return text()
    call = text if isinstance(text, notation.Call) else notation.parse(cast(str, text))
    call = notation.lower(call)
    if call == notation.Call("svi", ("tutorial",)):
        return SVI.tutorial()
    if call.args:
        raise RequestError(f"{call.name}: write the settings by name, as in svi(steps=2000)")
    return notation.construct(call, METHODS, "method")
