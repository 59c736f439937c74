"""A fit that diverges is made again with smaller steps, as a person would, and that is kept and said.

A divergent transition says that the steps were too large for some part of the posterior,
which the draws may then have missed (Betancourt 2017, arXiv:1701.02434). The next higher
target of acceptance makes them smaller; what still diverges at the highest has to be mended
in the model.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from bayescore.backend import Progress, no_progress
from bayescore.errors import BackendContractError, DataError, RequestError
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior

TARGETS = (0.95, 0.99)
"""What is tried one after the other, above the method's own ``target_accept``."""


@dataclass(frozen=True)
class Attempt:
    """One fit of a contender that was made again.

    Attributes
    ----------
    target_accept
        Mean acceptance probability that its step size was adapted to.
    divergences
        Divergent transitions among its draws.
    seconds
        Wall time of ``fit``.
    taken
        Whether its draws are the contender's.

    Raises
    ------
    DataError
        These are no such figures.
    """

    target_accept: float
    divergences: int
    seconds: float
    taken: bool = False

    def __post_init__(self) -> None:
        numbers = all(isinstance(value, int | float) for value in (self.target_accept, self.seconds))
        if not numbers or type(self.divergences) is not int or type(self.taken) is not bool:
            raise DataError(f"no attempt has the figures {list(vars(self).values())!r}")


class Listener(Protocol):
    """Told of what begins."""

    def __call__(self, name: str, again: str = "") -> None:
        """A phase; for a fit that is made again at which target, and why."""


class Fitted(Protocol):
    """What is left of a fit, as in `bayescore.backend.Fit`."""

    @property
    def losses(self) -> Array | None: ...

    @property
    def iterates(self) -> Mapping[str, Array]: ...

    @property
    def seconds(self) -> Mapping[str, float]: ...


class Fitting(Protocol):
    """A backend at work on one thing to fit."""

    @property
    def name(self) -> str:
        """The backend's."""

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time of the last call of each phase."""

    def refusal(self, method: Method) -> str | None:
        """Why it can't fit with a method, or None if it can."""

    def fit(self, method: Method, *, seed: int, progress: Progress) -> Fitted:
        """As `bayescore.backend.Backend.fit`."""

    def sample_posterior(self, fit: Any, *, seed: int) -> Posterior:
        """As `bayescore.backend.Backend.sample_posterior`."""


def _unheard(name: str, again: str = "") -> None:
    """The `Listener` that keeps it to itself."""


def fit(
    fitting: Fitting,
    method: Method,
    *,
    seeds: tuple[int, int],
    attempts: list[Attempt] | None = None,
    again: bool = True,
    phase: Listener = _unheard,
    progress: Progress = no_progress,
) -> tuple[Fitted, Posterior]:
    """Fit and draw; while that diverges, again by the same seeds, with the next target that the backend takes.

    The fit with the fewest divergences is taken, of equal ones the last. Its
    seconds are then those of all fits together.

    Parameters
    ----------
    seeds
        Of the fit and of its draws.
    attempts
        Is given every fit, as soon as one is to be made again; none where the first is the only one.
    again
        Whether one may be made again at all.

    Raises
    ------
    BackendContractError
        As of the calls themselves; or a fit that was made again does not tell its divergences.
    """
    attempts = [] if attempts is None else attempts

    def once(method: Method, why: str = "") -> tuple[Fitted, Posterior]:
        phase("fit", why)
        told = partial(progress, target_accept=_target(method)) if why else progress
        made = fitting.fit(method, seed=seeds[0], progress=told)
        phase("sample_posterior")
        return made, fitting.sample_posterior(made, seed=seeds[1])

    def attempt(method: Method, posterior: Posterior) -> Attempt:
        count = posterior.divergences
        if count is None:
            told = "expected the statistic 'diverging', which the fit before had, got none"
            raise BackendContractError(f"{fitting.name}: sample_posterior: {told}")
        return Attempt(_target(method), count, fitting.seconds["fit"])

    last = best = once(method)
    taken, earlier = 0, Counter[str]()
    try:
        while again and last[1].divergences and (careful := _more_careful(fitting, method)) is not None:
            if not attempts:
                attempts.append(attempt(method, last[1]))
            method = careful
            parts = {"fit", "sample_posterior", *map(str, last[0].seconds)}
            earlier.update({part: fitting.seconds.pop(part) for part in parts})
            last = once(method, f"fitted again at {_target(method)} after {sentence(attempts)}")
            attempts.append(attempt(method, last[1]))
            if attempts[-1].divergences <= attempts[taken].divergences:
                taken, best = len(attempts) - 1, last
    finally:
        for part, seconds in earlier.items():
            fitting.seconds[part] = fitting.seconds.get(part, 0.0) + seconds
    if attempts:
        attempts[taken] = replace(attempts[taken], taken=True)
    return best


def _target(method: Any) -> float:
    return float(method.target_accept)


def _more_careful(fitting: Fitting, method: Any) -> Method | None:
    """The same with the next higher target; None where it has none, or the method or the backend takes no other."""
    own = getattr(method, "target_accept", None)
    higher = None if own is None else next((target for target in TARGETS if target > own), None)
    if higher is None:
        return None
    try:
        careful: Method = replace(method, target_accept=higher)
    except RequestError:  # a plugin's own method, whose target has other bounds
        return None
    return None if fitting.refusal(careful) else careful


def sentence(attempts: Sequence[Attempt]) -> str:
    """As ``3 divergences at 0.8, none at 0.95 (8.1 s and 12.4 s)``; empty where nothing was made again."""
    if not attempts:
        return ""
    counts = [f"{one.divergences or 'none'} at {one.target_accept}" for one in attempts]
    counts[0] = counts[0].replace(" ", " divergence " if attempts[0].divergences == 1 else " divergences ", 1)
    seconds = _list([f"{one.seconds:.1f} s" for one in attempts])
    chosen = [f"; that at {one.target_accept} is taken" for one in attempts[:-1] if one.taken]
    return f"{', '.join(counts)} ({seconds}){''.join(chosen)}"


def _list(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def check(attempts: Sequence[Attempt], posterior: Posterior) -> None:
    """Refuse attempts of which none, or another one, gave these draws.

    Raises
    ------
    DataError
        It is so.
    """
    taken = [one.divergences for one in attempts if one.taken]
    if attempts and taken != [posterior.divergences]:
        raise DataError(f"its divergences are {posterior.divergences}, and its attempts tell of {taken}")
