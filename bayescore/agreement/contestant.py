"""A finished contender, as the decision sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bayescore.agreement.estimates import (
    Estimates,
    Marginals,
    SingleEstimate,
    marginals,
    of_series,
    unconstrained_draws,
)
from bayescore.agreement.health import Health
from bayescore.coordinates import Coordinates
from bayescore.distributions import Array
from bayescore.methods import SVI, Exact, Method
from bayescore.posterior import Posterior


class Parametrization(Protocol):
    """What the decision has to know of a regression: its scalar parameters, and which are positive."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names."""

    @property
    def positive(self) -> tuple[bool, ...]:
        """Which are judged as logarithms."""


@dataclass(frozen=True)
class Contestant:
    """A finished contender.

    Attributes
    ----------
    regression
        Names and supports of its parameters.
    coordinates
        Those that its guide worked in; only a mean-field guide's are looked at.
    log_joint
        Log p(y, theta) of its draws, computed by the core, shape (chain, draw); or None.
    """

    name: str
    regression: Parametrization
    method: Method
    posterior: Posterior
    health: Health
    coordinates: Coordinates | None = None
    log_joint: Array | None = None

    @property
    def exact(self) -> bool:
        """Whether its moments are exact."""
        return isinstance(self.method, Exact) and self.posterior.moments is not None

    @property
    def mean_field(self) -> bool:
        """Whether its guide's family may be unable to reach the posterior's sds."""
        return isinstance(self.method, SVI) and self.method.guide == "mean_field"

    @property
    def point(self) -> bool:
        """Whether it is a point estimate."""
        return self.posterior.estimand != "posterior"

    @property
    def positive(self) -> "np.ndarray":
        """Which parameters are judged as logarithms, shape (d,)."""
        return np.array(self.regression.positive, dtype=bool)

    @cached_property
    def marginals(self) -> Marginals:
        """Its posterior on the unconstrained scale."""
        return marginals(self.posterior, self.positive)

    @cached_property
    def own(self) -> Estimates:
        """Of its parameters, one by one, on the unconstrained scale."""
        return self.marginals.along(np.eye(len(self.regression.parameters)))

    @cached_property
    def of_log_joint(self) -> SingleEstimate | None:
        """Mean and sd of its log joint density.

        A guide's moments are off by their own Monte Carlo error, beside that of the draws:
        a relative error e of each sd moves the mean by about e.
        """
        if self.log_joint is None:
            return None
        found = of_series(self.log_joint)
        moments = self.posterior.moments
        if moments is None:
            return found
        if moments.log_joint is not None:
            return SingleEstimate(moments.log_joint, moments.log_joint_error, found.sd)
        sd = np.sqrt(np.diag(moments.unconstrained_cov))
        own = float(np.sqrt(np.sum((moments.unconstrained_sd_error / sd) ** 2)))
        return SingleEstimate(found.mean, float(np.hypot(found.mean_error, own)), found.sd)

    def at(self) -> Array:
        """A point estimate's unconstrained parameters, shape (d,)."""
        return np.asarray(unconstrained_draws(self.posterior, self.positive)[0, 0])
