"""A regression and its data as the target of a comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bayescore.backend import LogDensity
from bayescore.density.coordinates import Coordinates, for_method
from bayescore.density.mode import unconstrained_density
from bayescore.density.specification import LogJoint, log_density
from bayescore.density.target import Guided, Quantities, Target, Values
from bayescore.density.terms import Term
from bayescore.methods import Estimand, Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.sites import Site
from bayescore.model.transforms import NOTHING
from bayescore.regressions import likelihood_mistakes, outputs, prior_mistakes
from bayescore.regressions.point_scale import point_scale


@dataclass(frozen=True, eq=False)
class RegressionTarget(Target):
    """A regression, the data that it is conditioned on, and the rows that it is to predict."""

    regression: Regression
    data: Data
    rows: Data

    @property
    def sites(self) -> tuple[Site, ...]:
        return self.regression.sites

    @property
    def identified(self) -> bool:
        return self.regression.identified

    @property
    def interchangeable(self) -> frozenset[str]:
        return frozenset(name for name in self.parameters if name.startswith(("beta", "intercept")))

    @cached_property
    def joint(self) -> LogJoint:
        """The specification's density of many draws."""
        return LogJoint(self.regression, self.data)

    def log_density(self, values: Values) -> LogDensity:
        return log_density(self.regression, self.data, values)

    def log_joint(self, posterior: Posterior) -> Array:
        return self.joint(posterior.draws)

    def gradient(self, shares: Values = NOTHING) -> Callable[[Array], Array]:
        return unconstrained_density(self.joint, shares=shares)[1]

    def coordinates(self, method: Method) -> Coordinates:
        return for_method(self.regression, self.joint.data, method)

    def mistake(self, term: str, values: Values, found: Term) -> str:
        if term == "likelihood":
            return likelihood_mistakes.name(self.regression, self.data, values, found)
        return prior_mistakes.name(self._site(term), values, found)

    def remark(self, term: str, found: Term) -> str | None:
        return None if term == "likelihood" else prior_mistakes.unfolded(self._site(term), found)

    def _site(self, name: str) -> Site:
        return next(site for site in self.sites if site.name == name)

    def point_scale(self, estimand: Estimand, points: Sequence[Posterior]) -> Array | None:
        return point_scale(self, self.regression, self.data, estimand, points)

    @property
    def quantities(self) -> Quantities:
        return super().quantities if self.identified else self._outputs.quantities

    def judged(self, posterior: Posterior, guided: Guided | None = None) -> Posterior:
        return posterior if self.identified else self._outputs.of(posterior, guided)

    def flat(self, values: Values) -> Array:
        return super().flat(values) if self.identified else self._outputs.flat(values)

    @cached_property
    def _outputs(self) -> outputs.Outputs:
        return outputs.Outputs(self.regression, self.rows)
