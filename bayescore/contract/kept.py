"""A fit that was kept passes the checks that a fresh one passes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bayescore.backend import Backend, BackendInfo, Fit, NativeData, Progress, no_limits, no_progress
from bayescore.contract.checked import Checked
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.model.regression import Regression


class Kept(Protocol):
    """What is left of a fit: its parts as in `bayescore.backend.Fit`."""

    @property
    def posterior(self) -> Posterior | None: ...

    @property
    def losses(self) -> Array | None: ...

    @property
    def iterates(self) -> Mapping[str, Array]: ...

    @property
    def predictions(self) -> Predictions | None: ...


def again(regression: Regression, info: BackendInfo, method: Method, kept: Kept) -> Posterior:
    """The posterior, once it has been checked.

    Raises
    ------
    BayescoreError
        It is not what the contract asks for.
    """
    backend = Checked(_Stored(kept), replace(info, limits=no_limits))  # it was asked already
    backend.fit(regression, None, method, seed=0)
    return backend.sample_posterior(Fit(regression, method, None), seed=0)


@dataclass(frozen=True)
class _Stored(Backend):
    """A backend that gives back what was kept, so that it passes the checks that every fit passes."""

    kept: Kept

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
        return Fit(regression, method, None, self.kept.losses, self.kept.iterates)

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        assert self.kept.posterior is not None
        return self.kept.posterior
