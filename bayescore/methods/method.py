"""A method: its settings, and what it says of itself to whoever fits, checks and judges with it."""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, NamedTuple, Self

from bayescore import notation
from bayescore.errors import RequestError
from bayescore.methods.settings import Values
from bayescore.options import of_python
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
Beginning = Literal["zero", "start", "mode", "mass"]
"""Where a method's coordinates have their zero (`bayescore.density.coordinates`).

At ``zero`` of the unconstrained parameters; at the ``start``, where all but an intercept is
nil; at the ``mode`` of their density; or in the middle of its ``mass``, which is the mode
unless there are groups.
"""


class Need(NamedTuple):
    """Something that a fit has to keep in memory: what it is, of how many numbers, and how to do with fewer."""

    what: str
    numbers: int
    remedy: str

    @classmethod
    def square(cls, method: str, parameters: int, remedy: str) -> "Need":
        """A matrix of parameters by parameters."""
        return cls(f"a matrix of {parameters} by {parameters} parameters of {method}", parameters**2, remedy)


def estimand_of(kind: Kind) -> Estimand:
    """What a kind of posterior estimates."""
    points: dict[Kind, Estimand] = {"mle": "mle", "map": "map"}
    return points.get(kind, "posterior")


@dataclass(frozen=True)
class Method(ABC):
    """What to do with a regression.

    A settings class states its settings by `bayescore.methods.settings`. Those of some names
    mean the same in every method: ``chains``, ``draws`` (of each chain, or in all),
    ``max_tree_depth``, ``standardize`` and ``centred``.

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
        for setting in fields(self):
            value = of_python(getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)
            values: Values | None = setting.metadata.get("values")
            wanted = None if values is None else values.wanted_for(value)
            if wanted is not None:
                raise RequestError(f"{self.name}: {setting.name} must be {wanted}, not {shown(value)}")

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
    def begins(self) -> Beginning:
        """Where its coordinates have their zero."""
        return "mass"

    @property
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare to carry it out."""
        return frozenset({f"method:{self.name}"})

    @property
    def shape(self) -> tuple[int | None, int | None]:
        """How many chains and draws a chain come out.

        Without a number of chains it is of all draws, which may be cut into chains; None where
        that is open, too.
        """
        one = None if self.estimand == "posterior" else 1
        return getattr(self, "chains", one), getattr(self, "draws", one)

    def needs(self, parameters: int, rows: int, outputs: int) -> Iterator[Need]:
        """The largest things that a fit keeps, each looked at by itself.

        Parameters
        ----------
        parameters
            Number of scalar parameters.
        outputs
            Linear predictors a row.
        """
        chains, draws = self.shape
        total = (chains or 1) * (draws or 1)
        what = f"{total} draws of {self.name} of {parameters} parameters"
        yield Need(what, total * parameters, "ask for fewer draws or chains")

    def smoke(self) -> Self:
        """The same with two iterations, for trying out the plumbing."""
        few = {setting.name: setting.metadata.get("smoke") for setting in fields(self)}
        return replace(self, **{name: value for name, value in few.items() if value is not None})

    def __str__(self) -> str:
        return notation.write(self.name, self).removesuffix("()")
