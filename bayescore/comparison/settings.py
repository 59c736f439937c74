"""How a comparison is run."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from bayescore import methods
from bayescore.agreement.rule import ALPHA, MARGIN
from bayescore.backend import Precision
from bayescore.errors import RequestError
from bayescore.methods import Method
from bayescore.printable import shown

SEEDS = 2**63
"""Seeds are whole numbers under this one."""
_MOST_MARGIN = 1e6
_MOST_JOBS = 1000


@dataclass(frozen=True)
class Settings:
    """How a comparison is run.

    Attributes
    ----------
    reference
        ``auto`` adds the exact posterior where there is one; ``none``; or a contender.
    margin, alpha
        Of the decision rule (`bayescore.agreement.rule`).
    seed
        Seeds every contender, each by its name.
    jobs
        Processes at a time; by default one a core.
    timeout
        Seconds for each contender, or None.
    smoke
        Two iterations each: tries out the plumbing, and concludes nothing.
    model_only
        Compare log densities, and fit nothing.
    reduce
        Take rows together where that leaves the likelihood as it is (`bayescore.density.reduction`).
    """

    method: Method | str | None = None
    reference: str = "auto"
    margin: float = MARGIN
    alpha: float = ALPHA
    seed: int = 0
    precision: Precision = "float64"
    jobs: int | None = None
    timeout: float | None = None
    smoke: bool = False
    model_only: bool = False
    reduce: bool = True

    def __post_init__(self) -> None:
        for name, value in list(vars(self).items()):
            object.__setattr__(self, name, value.item() if isinstance(value, np.generic) else value)
        if self.method is not None:
            object.__setattr__(self, "method", methods.parse(self.method))
        for name, good, wanted in (
            ("reference", isinstance(self.reference, str), "auto, none, or a contender as a text"),
            ("margin", _number(self.margin) and 0 < self.margin <= _MOST_MARGIN, "a positive number, at most 1e6"),
            ("alpha", _number(self.alpha) and 0 < self.alpha < 1, "between 0 and 1"),
            ("seed", _whole(self.seed) and 0 <= self.seed < SEEDS, "a whole number of at least 0, under 2**63"),
            ("precision", isinstance(self.precision, str) and self.precision in get_args(Precision),
             "float64 or float32"),
            ("jobs", self.jobs is None or (_whole(self.jobs) and 1 <= self.jobs <= _MOST_JOBS),
             f"at least 1, at most {_MOST_JOBS}"),
            ("timeout", self.timeout is None or (_number(self.timeout) and 0 < self.timeout <= threading.TIMEOUT_MAX),
             f"a positive number of seconds, at most {threading.TIMEOUT_MAX:g} (without it, there is no limit)"),
            ("smoke", isinstance(self.smoke, bool), "True or False"),
            ("model_only", isinstance(self.model_only, bool), "True or False"),
            ("reduce", isinstance(self.reduce, bool), "True or False"),
        ):  # fmt: skip
            if not good:
                raise RequestError(f"{name} must be {wanted}, not {shown(getattr(self, name))}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return _whole(value) or isinstance(value, float)


def describe(settings: Settings) -> Mapping[str, Any]:
    """The settings as JSON."""
    return {**vars(settings), "method": None if settings.method is None else str(settings.method)}
