"""A program of one's own in Pyro, behind the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from bayescore.backend import LogDensity, Progress, no_progress
from bayescore.errors import UnsupportedError
from bayescore.methods import NUTS, SVI, Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import Program, ProgramFit, ProgramSite
from bayescore_pyro.isolation import isolated
from bayescore_pyro.programs import guided, running, sampling, svi
from bayescore_pyro.programs.description import describe
from bayescore_pyro.programs.sited import Sited


@dataclass(frozen=True)
class PyroProgram(Program):
    """A program that Pyro runs, and perhaps a guide of one's own for SVI."""

    sited: Sited
    guide: running.Function | None = None

    def sites(self, values: Mapping[str, Array] | None = None, *, seed: int = 0) -> tuple[ProgramSite, ...]:
        with isolated(self.sited.precision, seed):
            nodes = running.sites_of(self.sited.run_at(values or {}))
            untold = self.sited.latent.untold  # with what they depend on summed out, there are no such sites
            return tuple(describe(name, node) for name, node in nodes.items() if name not in untold)

    def log_density(self, values: Mapping[str, Array]) -> LogDensity:
        with isolated(self.sited.precision), torch.no_grad():
            terms = self.sited.terms_at(values)
        by_site = {name: float(term.total) for name, term in terms.items()}
        rows = {name: term.rows.double().numpy().copy() for name, term in terms.items() if term.rows is not None}
        return LogDensity(sum(by_site.values()), by_site, by_row=rows)

    def fit(self, method: Method, *, seed: int, progress: Progress = no_progress) -> ProgramFit:
        with isolated(self.sited.precision, seed):
            match method:
                case NUTS():
                    found = sampling.fit(self.sited, method, seed, progress)
                    return found if self.guide is None else replace(found, notes=(*found.notes, guided.UNUSED))
                case SVI() if self.guide is not None:
                    return guided.fit(self.sited, self.guide, method, progress)
                case SVI():
                    return svi.fit(self.sited, method, progress)
        raise UnsupportedError(f"programs are fitted by nuts or svi, not by {method.name}")

    def sample_posterior(self, fit: ProgramFit, *, seed: int) -> Posterior:
        with isolated(self.sited.precision, seed):
            if isinstance(fit.native, guided.Ran):
                return guided.posterior(fit.native)
            if isinstance(fit.method, SVI):
                return svi.posterior(fit.native, fit.method, seed)
            return sampling.posterior(fit.native)
