"""What a network is judged on: its weights can be permuted and flipped without changing anything."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescore.density.guide import moments_by_draws
from bayescore.density.target import Guided, Quantities, Values
from bayescore.model.arrays import Array, Indices
from bayescore.model.data import Data, spread
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.response import linear_predictor
from bayescore.model.sites import Site
from bayescore.model.transforms import REAL

_ROWS = 10


@dataclass(frozen=True, eq=False)
class Outputs:
    """The output ``eta`` of a network at ten rows, and the auxiliary parameters.

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
    def quantities(self) -> Quantities:
        """Their names and supports."""
        names = tuple(f"eta[row {row + 1}]" for row in self._chosen) + tuple(site.name for site in self._auxiliary)
        return Quantities(names, (REAL,) * len(self._chosen) + tuple(site.bounds[0] for site in self._auxiliary))

    def of(self, posterior: Posterior, guided: Guided | None) -> Posterior:
        """A posterior's draws of them, and for a guide their moments."""
        by_chain = [{name: values[c] for name, values in posterior.draws.items()} for c in range(posterior.shape[0])]
        flat = np.stack([self.flat(values) for values in by_chain])
        names, bounds = self.quantities
        moments = None
        if guided is not None and guided.iterates:
            moments = moments_by_draws(
                names, bounds, self.flat, guided.coordinates, guided.iterates, average=guided.averaged
            )
        draws = {name: flat[..., k] for k, name in enumerate(names)}
        kind = "independent" if posterior.kind == "exact" else posterior.kind  # its moments were those of parameters
        return Posterior(draws, {}, posterior.sample_stats, moments, kind)

    def flat(self, values: Values) -> Array:
        """Of values (draw, *site shape), shape (draw, k)."""
        eta = np.asarray(linear_predictor(self.regression, self.rows.take(self._chosen), values))
        return np.column_stack([eta, *(values[site.name] for site in self._auxiliary)])
