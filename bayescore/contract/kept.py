"""A fit that was kept passes the checks that a fresh one passes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayescore.backend import Backend, BackendInfo, Fit, NativeData, Progress, no_limits, no_progress
from bayescore.contract.checked import Checked
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression


def again(
    regression: Regression,
    info: BackendInfo,
    method: Method,
    posterior: Posterior,
    losses: Array | None,
    iterates: Mapping[str, Array],
) -> Posterior:
    """The posterior, once it has been checked.

    Raises
    ------
    BayescoreError
        It is not what the contract asks for.
    """
    kept = Checked(_Kept(posterior, losses, iterates), replace(info, limits=no_limits))  # it was asked already
    kept.fit(regression, None, method, seed=0)
    return kept.sample_posterior(Fit(regression, method, None), seed=0)


@dataclass(frozen=True)
class _Kept(Backend):
    """A backend that gives back what was kept, so that it passes the checks that every fit passes."""

    posterior: Posterior
    losses: Array | None
    iterates: Mapping[str, Array]

    def build_data(self, regression: Regression, data: Data) -> NativeData:
        raise NotImplementedError

    def fit(
        self,
        regression: Regression,
        data: NativeData,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        return Fit(regression, method, None, self.losses, self.iterates)

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        return self.posterior
