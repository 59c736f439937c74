"""What a comparison is of: whoever has another thing to compare than a regression states it by these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, Precision
from bayescore.contract.kept import Kept
from bayescore.contract.refit import Fitting
from bayescore.density.target import Target, Values
from bayescore.methods import Method
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions


class Session(Fitting, Protocol):
    """A backend at work on a subject, in a contender's process."""

    def build(self) -> None:
        """Carry the data over."""

    def densities(self) -> tuple[Sequence[LogDensity], Sequence[LogDensity] | None] | None:
        """Log densities at the work's points, and for float32 those in float64; None where it gives none."""

    def predict(self, fit: Fit, posterior: Posterior, *, seed: int) -> Predictions | None:
        """What it predicts for the subject's rows, where there are any."""


class Work(Protocol):
    """A contender's share of a comparison; it travels to a process."""

    @property
    def target(self) -> Target:
        """What is judged."""

    @property
    def points(self) -> Sequence[Values]:
        """Where log densities are compared."""

    def refusal(self, info: BackendInfo, method: Method, precision: Precision) -> str | None:
        """Why a backend can't do it, or None if it can."""

    def open(self, backend: Backend, info: BackendInfo, precision: Precision) -> Session:
        """Set a backend to it."""


@runtime_checkable
class Subject(Protocol):
    """What a comparison is of."""

    @property
    def target(self) -> Target:
        """What is judged."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of what predictions are probabilities of, if they are."""

    def refusal(self, info: BackendInfo, method: Method, precision: Precision = "float64") -> str | None:
        """Why a backend can't serve it with a method, or None if it can."""

    def check_size(self, method: Method) -> None:
        """Refuse a fit that this machine's memory doesn't allow.

        Raises
        ------
        RequestError
            It doesn't.
        """

    def prepare(self, *, reduce: bool) -> Callable[[BackendInfo, Method], Work]:
        """What makes each contender's work, once all that they share is found."""

    def described(self) -> Mapping[str, Any]:
        """The part ``problem`` of the document."""

    def feed(self, digest: Any) -> None:
        """Give a hash all that a fit depends on in it."""

    def recheck(self, info: BackendInfo, method: Method, kept: Kept) -> Posterior:
        """What was kept of a fit, once it has passed the checks of a fresh one.

        Raises
        ------
        BayescoreError
            It doesn't.
        """
