"""What became of a contender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Precision
from bayescore.comparison.contender import Contender
from bayescore.comparison.subject import Work
from bayescore.contract.refit import Attempt
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.plugins.registry import Origin
from bayescore.report.document import Status


@dataclass(frozen=True)
class Task:
    """What a worker process has to do: load a plugin, check the model at the points, and unless that is all, fit.

    Attributes
    ----------
    refit
        Make a fit that diverges again (`bayescore.contract.refit`).
    kept
        Its fit, where it is there already and only has to be held against the others'.
    """

    contender: Contender
    work: Work
    seed: int
    precision: Precision
    origin: Origin
    model_only: bool = False
    refit: bool = True
    kept: "Outcome | None" = None


@dataclass(frozen=True)
class Outcome:
    """A contender's row: its results, or why there are none.

    Attributes
    ----------
    error
        One sentence, for every status but ``ok``.
    seconds
        Wall time by phase.
    peak_memory_bytes
        Of its process; None where unknown.
    losses, iterates
        As in `bayescore.backend.Fit`.
    model
        How its log density compares with the specification.
    origin
        The plugin that ran, or was to run; None where there is none that could.
    attempts
        Every fit, where one was made again; the last one is missing where it could not be finished.
    told
        What the subject is to know of it (`bayescore.comparison.subject.Session.told`).
    mistaken
        Whether the request is wrong, as only a contender could find out.
    drawn_on
        Which draws left the verdict open, and which are judged, where it was fitted again with more
        (`bayescore.comparison.settling`); its contender then has the method with more.
    """

    contender: Contender
    status: Status
    error: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    posterior: Posterior | None = None
    predictions: Predictions | None = None
    losses: Array | None = None
    iterates: Mapping[str, Array] = field(default_factory=dict)
    model: ModelCheck | None = None
    origin: Origin | None = None
    attempts: tuple[Attempt, ...] = ()
    told: Any = None
    mistaken: bool = False
    drawn_on: str = ""
