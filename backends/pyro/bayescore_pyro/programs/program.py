"""A program of one's own in Pyro, behind the contract."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from bayescore.backend import LogDensity, Progress, no_progress
from bayescore.errors import UnsupportedError
from bayescore.methods import NUTS, Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import Program, ProgramFit, ProgramSite
from bayescore_pyro.isolation import isolated
from bayescore_pyro.programs import running, sampling
from bayescore_pyro.programs.description import describe
from bayescore_pyro.programs.sited import Sited


@dataclass(frozen=True)
class PyroProgram(Program):
    """A program that Pyro runs."""

    sited: Sited

    def sites(self, values: Mapping[str, Array] | None = None, *, seed: int = 0) -> tuple[ProgramSite, ...]:
        with isolated(self.sited.precision, seed):
            trace = self.sited.run_at(values or {})
            return tuple(describe(name, node) for name, node in running.sites_of(trace).items())

    def log_density(self, values: Mapping[str, Array]) -> LogDensity:
        with isolated(self.sited.precision), torch.no_grad():
            terms = self.sited.terms_at(values)
        by_site = {name: float(term.total) for name, term in terms.items()}
        rows = {name: term.rows.double().numpy().copy() for name, term in terms.items() if term.rows is not None}
        return LogDensity(sum(by_site.values()), by_site, by_row=rows)

    def fit(self, method: Method, *, seed: int, progress: Progress = no_progress) -> ProgramFit:
        if not isinstance(method, NUTS):
            raise UnsupportedError(f"not yet: Pyro's programs of one's own are not fitted by {method.name}")
        with isolated(self.sited.precision, seed):
            return sampling.fit(self.sited, method, seed, progress)

    def sample_posterior(self, fit: ProgramFit, *, seed: int) -> Posterior:
        with isolated(self.sited.precision, seed):
            return sampling.posterior(fit.native)
