"""The contract of a backend that takes programs of one's own: read `bayescore.backend` first.

A program is a function of a person's, in the backend's library, with its data. What is asked
of it is small: its sites as they stand at a point, its log density there, and draws.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayescore.backend import LogDensity, Progress, no_progress
from bayescore.errors import UnsupportedError
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior

Role = Literal["latent", "observed", "deterministic"]
Support = Literal[
    "real", "positive", "interval", "simplex", "ordered", "correlation_cholesky", "correlation_matrix",
    "covariance_cholesky", "covariance_matrix", "boolean", "integers", "other",
]  # fmt: skip
"""Where values lie: real numbers, each by itself; numbers between ends, ``positive`` those above an end
(`ProgramSite.ends`); vectors and matrices; whole numbers, between ends."""


@dataclass(frozen=True)
class ProgramSite:
    """A site of a program of one's own, as it stands at one point.

    Attributes
    ----------
    name
        As the program has it.
    role
        ``latent``, ``observed`` or ``deterministic``.
    value
        In its whole shape, plates and events together.
    distribution
        Name of its distribution as the field writes it, as ``Gamma``, whatever the library
        wraps around it or calls its variants (``Bernoulli`` for one of logits, too); empty for a
        deterministic one.
    parameters
        The distribution's at this point, by their names, as ``concentration`` and ``rate``, each
        broadcast against the batch shape; one of logits or probabilities is ``probs``.
    event_dim
        How many of the last dimensions are one event; those before it are rows.
    support
        Of its values; ``other`` where no word fits.
    ends
        Least and largest value of a support that has ends, the same for all elements, or else
        infinities: ``positive`` begins at the first, ``interval`` and ``integers`` lie between.
    enumerated
        Whether it is a discrete site that is summed out.
    """

    name: str
    role: Role
    value: Array
    distribution: str = ""
    parameters: Mapping[str, Array] = field(default_factory=dict)
    event_dim: int = 0
    support: Support = "real"
    ends: tuple[float, float] = (-math.inf, math.inf)
    enumerated: bool = False


@dataclass(frozen=True)
class ProgramFit:
    """What a fit of a program leaves behind.

    Attributes
    ----------
    method
        How it was fitted.
    native, losses, iterates, seconds
        As in `bayescore.backend.Fit`; iterates in the backend's own numbers without constraints, those of a
        guide of one's own by `looks` and `iterate_of`.
    notes
        What the user should know of it, as how its density was taken.
    """

    method: Method
    native: Any
    losses: Array | None = None
    iterates: Mapping[str, Array] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Program(ABC):
    """A program of one's own with its data, in a backend.

    Values are by the program's own names, NumPy arrays in its own shapes and in the
    constrained space. The same seed gives the same result, and outside a call no global
    state is left changed.
    """

    @abstractmethod
    def sites(self, values: Mapping[str, Array] | None = None, *, seed: int = 0) -> tuple[ProgramSite, ...]:
        """Its sites in the order in which it runs, at these values of latent ones; those not given are drawn.

        Raises
        ------
        UnsupportedError
            It has something that the backend can't compare, as a learnable parameter, in words.
        """

    @abstractmethod
    def log_density(self, values: Mapping[str, Array]) -> LogDensity:
        """Log density at values of all latent sites that are not enumerated, without Jacobian.

        ``by_site`` has each latent and observed site's term. Sites that an enumerated one takes part
        in, itself among them, are summed out into one term, which has the name of the last of them.
        """

    @abstractmethod
    def fit(self, method: Method, *, seed: int, progress: Progress = no_progress) -> ProgramFit:
        """Fit by one of the methods that the backend declares for programs, MCMC draws included.

        Raises
        ------
        UnsupportedError
            It can't, as with a discrete site that is not enumerated, in words.
        """

    @abstractmethod
    def sample_posterior(self, fit: ProgramFit, *, seed: int) -> Posterior:
        """Draws of all latent sites that are not enumerated, and of deterministic ones.

        Its statistics have ``log_joint``, the log density of each draw as `log_density` gives it.
        """


def check_usual(method: Method, *names: str) -> None:
    """Refuse settings that mean something for regressions only, and are not at their defaults.

    Raises
    ------
    UnsupportedError
        One is not.
    """
    usual = type(method)()
    for name in names:
        if getattr(method, name) != getattr(usual, name):
            raise UnsupportedError(
                f"{name} is for regressions: a program is fitted with all its rows, in the coordinates that it has"
            )


_LOOKS = 200
"""How often a guide of one's own is looked at: of fewer settled iterates, R-hat is at times over its limit."""


def looks(steps: int) -> frozenset[int]:
    """The steps, from 0, after which a guide of one's own is looked at: evenly spaced over the averaged half."""
    begins = steps // 2
    return frozenset(np.linspace(begins, steps - 1, min(_LOOKS, steps - begins)).round().astype(int).tolist())


def iterate_of(numbers: Array) -> dict[str, Array]:
    """An iterate of a guide of one's own, by its draws (draw, d) in numbers without constraints.

    ``loc`` are their means and ``log_scale`` the logarithms of their sds. A guide's parameters may be anything;
    draws by the same random numbers at each look change only as it does. A number that is the same in all
    draws has no sd, and counts as one of sd 1.
    """
    with np.errstate(invalid="ignore"):  # an infinite number has no sd: such a guide is not healthy
        sd = numbers.std(axis=0)
        return {"loc": numbers.mean(axis=0), "log_scale": np.log(np.where(sd == 0, 1.0, sd))}


class ProgramBackend(ABC):
    """What a `bayescore.backend.Backend` is, too, that declares ``feature:programs``."""

    @abstractmethod
    def program(
        self, function: Callable[..., Any], data: Mapping[str, Any], *, guide: Callable[..., Any] | None = None
    ) -> Program:
        """Take up a program of one's own.

        Parameters
        ----------
        function
            As the backend's library takes it.
        data
            Its arguments by name: NumPy arrays, which are carried over in the backend's precision
            (whole numbers stay whole), and anything else as it is.
        guide
            A guide of one's own for SVI, called with the same arguments, or a class that makes one of the
            program. Only where ``program:own_guide`` is declared there is one.
        """

    def loading(self) -> AbstractContextManager[object]:
        """What a program's file is run under, so that constants beside the program have the backend's precision."""
        return nullcontext()
