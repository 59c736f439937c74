"""A finished contender, as the decision sees it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayescore.agreement.estimates import (
    Estimates,
    FromDraws,
    FromMoments,
    Marginals,
    SingleEstimate,
    judged_draws,
    of_series,
)
from bayescore.agreement.health import Health
from bayescore.agreement.quantiles import Standardized
from bayescore.density.coordinates import Coordinates
from bayescore.density.target import Quantities, Target
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior


@dataclass(frozen=True)
class Candidate:
    """A finished contender.

    Attributes
    ----------
    target
        What it is a posterior of.
    posterior
        Of what is judged.
    coordinates
        Those that its guide worked in; None for what has no guide.
    log_joint
        Log p(y, theta) of its draws, computed by the core, shape (chain, draw); or None.
    at_optimum
        For a guide, whether it is the best of its family by the core's own density; for a
        Laplace approximation, whether it has the mode and the curvature that the core finds.
        None where that was not looked at.
    """

    name: str
    target: Target
    method: Method
    posterior: Posterior
    health: Health
    coordinates: Coordinates | None = None
    log_joint: Array | None = None
    at_optimum: bool | None = None

    @property
    def quantities(self) -> Quantities:
        """What is judged of it."""
        return self.target.quantities

    @property
    def exact(self) -> bool:
        """Whether its moments are exact."""
        return self.posterior.kind == "exact"

    @property
    def mean_field(self) -> bool:
        """Whether its guide's family may be unable to reach the posterior's sds."""
        return self.method.guide_family == "diagonal"

    @property
    def gaussian(self) -> bool:
        """Whether it is of a Gaussian family, in the coordinates that it worked in."""
        return self.method.guide_family in {"diagonal", "full_rank"}

    @property
    def laplace(self) -> bool:
        """Whether it is the Laplace approximation."""
        return self.method.optimum == "mode"

    @property
    def point(self) -> bool:
        """Whether it is a point estimate."""
        return self.posterior.estimand != "posterior"

    @cached_property
    def draws(self) -> Array:
        """Its draws on the unconstrained scale, shape (chain, draw, d)."""
        return judged_draws(self.posterior, self.quantities.bounds)

    @cached_property
    def marginals(self) -> Marginals:
        """Its posterior on the unconstrained scale."""
        moments = self.posterior.moments
        return FromDraws(self.draws) if moments is None else FromMoments(moments)

    @cached_property
    def own(self) -> Estimates:
        """Of its parameters, one by one, on the unconstrained scale."""
        return self.marginals.along(np.eye(len(self.quantities.parameters)))

    @cached_property
    def shapes(self) -> Standardized:
        """Of the draws of its parameters, one by one, on the unconstrained scale."""
        return Standardized.of(np.moveaxis(self.draws, -1, 0))

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
            return replace(found, mean=moments.log_joint, mean_error=moments.log_joint_error)
        sd = np.sqrt(np.diag(moments.unconstrained_cov))
        own = float(np.sqrt(np.sum((moments.unconstrained_sd_error / sd) ** 2)))
        return replace(found, mean_error=float(np.hypot(found.mean_error, own)))

    def at(self) -> Array:
        """A point estimate's unconstrained parameters, shape (d,)."""
        return np.asarray(self.draws[0, 0])
