"""What a comparison is of: whoever has another thing to compare than a regression states it by these."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Backend, BackendInfo, Precision
from bayescore.comparison.meeting import Meet
from bayescore.contract.kept import Kept
from bayescore.contract.refit import Fitting
from bayescore.density.target import Target
from bayescore.methods import Method
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions


class Session(Fitting, Protocol):
    """A backend at work on a subject, in a contender's process."""

    def build(self) -> None:
        """Carry the data over."""

    def check(self, name: str, meet: Meet) -> ModelCheck:
        """Hold its log density against what it should be, before any fit; ``name`` is the contender's."""

    @property
    def settled(self) -> bool:
        """Whether a fit could change nothing any more, once that is checked."""

    def review(self, posterior: Posterior, model: ModelCheck, meet: Meet) -> tuple[Posterior, ModelCheck]:
        """What the draws tell of the log densities beside."""

    def predict(self, fit: Any, posterior: Posterior, *, seed: int) -> Predictions | None:
        """What it predicts for the subject's rows, where there are any."""

    @property
    def told(self) -> Any:
        """What the subject is to know of it in the end; None where that is nothing."""


class Work(Protocol):
    """A contender's share of a comparison; it travels to a process."""

    def refusal(self, info: BackendInfo, method: Method, precision: Precision) -> str | None:
        """Why a backend can't do it, or None if it can."""

    def open(self, backend: Backend, info: BackendInfo, precision: Precision) -> Session:
        """Set a backend to it."""


@runtime_checkable
class Subject(Protocol):
    """What a comparison is of."""

    @property
    def meets(self) -> bool:
        """Whether contenders tell one another what they found, so that all run at once."""

    def judged(self, told: Mapping[str, Any]) -> Target:
        """What is judged, by what contenders told (`Session.told`)."""

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

    def prepare(self, *, reduce: bool) -> Callable[[str, BackendInfo, Method], Work]:
        """What makes each contender's work of its name, once all that they share is found."""

    def described(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part ``problem`` of the document, by what contenders told."""

    def feed(self, digest: Any) -> None:
        """Give a hash all that a fit depends on in it."""

    def recheck(self, info: BackendInfo, method: Method, kept: Kept) -> Posterior:
        """What was kept of a fit, once it has passed the checks of a fresh one.

        Raises
        ------
        BayescoreError
            It doesn't.
        """
