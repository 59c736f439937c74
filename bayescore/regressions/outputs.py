"""What a posterior is judged on: its parameters, or what they predict where they are not identified."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescore.agreement.contestant import Parametrization
from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import moments_by_draws
from bayescore.model.data import Data, Indices, spread
from bayescore.model.distributions import Array
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.response import linear_predictor
from bayescore.model.sites import Site
from bayescore.model.transforms import REAL, Bounds

_ROWS = 10


@dataclass(frozen=True)
class Quantities:
    """Names of scalar quantities other than parameters, and the ends of their supports."""

    parameters: tuple[str, ...]
    bounds: tuple[Bounds, ...]


@dataclass(frozen=True)
class Judge:
    """What posteriors of a regression are judged on.

    That is the parameters. A network's weights can be permuted and flipped without
    changing anything: it is judged on its output ``eta`` at ten rows, and on the
    auxiliary parameters.

    Parameters
    ----------
    rows
        The predicted rows, from which those ten are taken.
    """

    regression: Regression
    rows: Data

    @cached_property
    def _chosen(self) -> Indices:
        return spread(self.rows.rows, _ROWS)

    @cached_property
    def _auxiliary(self) -> tuple[Site, ...]:
        return tuple(site for site in self.regression.sites if site.name in self.regression.family.free)

    @cached_property
    def quantities(self) -> Parametrization:
        """Their names and supports."""
        if self.regression.identified:
            return self.regression
        names = tuple(f"eta[row {row + 1}]" for row in self._chosen) + tuple(site.name for site in self._auxiliary)
        return Quantities(names, (REAL,) * len(self._chosen) + tuple(site.bounds[0] for site in self._auxiliary))

    def of(self, posterior: Posterior, guide: "tuple[Coordinates, Mapping[str, Array], bool] | None") -> Posterior:
        """A posterior's draws of the quantities.

        Parameters
        ----------
        guide
            A guide's coordinates, its iterates, and whether they are averaged: its moments
            are then found with their errors.
        """
        if self.regression.identified:
            return posterior
        by_chain = [{name: values[c] for name, values in posterior.draws.items()} for c in range(posterior.shape[0])]
        flat = np.stack([self.flat(values) for values in by_chain])
        names, bounds = self.quantities.parameters, self.quantities.bounds
        moments = None
        if guide is not None and guide[1]:
            moments = moments_by_draws(names, bounds, self.flat, guide[0], guide[1], average=guide[2])
        draws = {name: flat[..., k] for k, name in enumerate(names)}
        kind = "independent" if posterior.kind == "exact" else posterior.kind  # its moments were those of parameters
        return Posterior(draws, {}, posterior.sample_stats, moments, kind)

    def flat(self, values: Mapping[str, Array]) -> Array:
        """The quantities of values (draw, *site shape), shape (draw, k)."""
        if self.regression.identified:
            by_site = (np.reshape(values[site.name], (-1, site.size)) for site in self.regression.sites)
            return np.concatenate(list(by_site), axis=1)
        eta = np.asarray(linear_predictor(self.regression, self.rows.take(self._chosen), values))
        return np.column_stack([eta, *(values[site.name] for site in self._auxiliary)])
