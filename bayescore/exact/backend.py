"""The four verbs of the exact backend."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayescore.backend import Backend, Fit, LogDensity, NativeData, Progress, entry_of, no_progress
from bayescore.density import specification
from bayescore.density.coordinates import constrain, standardizing_matrix
from bayescore.density.mode import laplace, start_of
from bayescore.errors import UnsupportedError
from bayescore.exact import posterior as gaussian
from bayescore.exact import quadrature
from bayescore.exact.closed_form import closed_form
from bayescore.exact.frame import kinks
from bayescore.methods import Exact, Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior, label
from bayescore.model.regression import Regression


@dataclass(frozen=True)
class Mode:
    """A maximum: each site's values."""

    values: Mapping[str, Array]


class ExactBackend(Backend):
    """Closed forms, quadrature, and Newton's method for point estimates."""

    def build_data(self, regression: Regression, data: Data) -> NativeData:
        """Take the data as they are."""
        return data

    def fit(
        self,
        regression: Regression,
        data: NativeData,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        """Solve for the posterior, or for the mode."""
        if isinstance(method, Exact):
            solve = gaussian.solve if closed_form(regression) else quadrature.solve
            return Fit(regression, method, solve(regression, data))
        prior = entry_of({"mle": False, "map": True}, method.name, f"the method {method.name}")
        return Fit(regression, method, find_mode(regression, data, prior=prior))

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        """Independent draws in one chain, with exact moments; a mode is one draw."""
        if isinstance(fit.method, Exact):
            drawn: Posterior = fit.native.sample(fit.method.draws, seed)
            return drawn
        point = {name: np.asarray(value)[None, None] for name, value in fit.native.values.items()}
        return label(fit.regression, point, kind=fit.method.kinds[0])

    def log_density(self, regression: Regression, data: NativeData, values: Mapping[str, Array]) -> LogDensity:
        """The specification itself."""
        return specification.log_density(regression, data, values)


def find_mode(regression: Regression, data: Data, *, prior: bool) -> Mode:
    """The maximum of the posterior density, or of the likelihood, in the constrained space.

    Raises
    ------
    UnsupportedError
        There is none.
    """
    joint = specification.LogJoint(regression, data, prior=prior)
    basis = standardizing_matrix(regression, data)
    found = laplace(joint, start_of(regression, data), basis, jacobian=False)
    if found is None:
        what = "posterior density" if prior else "likelihood"
        kink = ", or it lies at the kink of a Laplace prior" if prior and kinks(regression) else ""
        raise UnsupportedError(
            f"Newton's method finds no maximum of the {what}: columns are linearly dependent, "
            f"or they separate the classes{kink}"
        )
    return Mode(constrain(regression.slots(), found[0]))
