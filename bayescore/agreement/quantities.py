"""What a posterior is judged on: its parameters, or what they predict where they are not identified."""

from dataclasses import dataclass

import numpy as np

from bayescore.agreement.contestant import Parametrization
from bayescore.data import Data
from bayescore.density import linear_predictor
from bayescore.distributions import Array
from bayescore.posterior import Posterior
from bayescore.regression import Regression
from bayescore.transforms import REAL, Bounds

_ROWS = 10


@dataclass(frozen=True)
class Quantities:
    """Names of scalar quantities, and the ends of their supports."""

    parameters: tuple[str, ...]
    bounds: tuple[Bounds, ...]


def judged(regression: Regression, posterior: Posterior, rows: Data) -> tuple[Parametrization, Posterior]:
    """The quantities of a regression, and a posterior's draws of them.

    They are the parameters. A network's weights can be permuted and flipped without
    changing anything: it is judged on its output ``eta`` at ten rows, and on the
    auxiliary parameters.
    """
    if regression.identified:
        return regression, posterior
    chosen = np.unique(np.linspace(0, rows.rows - 1, _ROWS).round().astype(np.intp))
    eta = _predictors(regression, posterior, rows.take(chosen))
    draws = {f"eta[row {row + 1}]": eta[..., k] for k, row in enumerate(chosen)}
    auxiliary = [site for site in regression.sites if site.name in regression.family.free]
    draws |= {site.name: np.asarray(posterior.draws[site.name]) for site in auxiliary}
    bounds = (REAL,) * len(chosen) + tuple(site.bounds[0] for site in auxiliary)
    found = Posterior(draws, {}, posterior.sample_stats, None, posterior.estimand)
    return Quantities(tuple(draws), bounds), found


def _predictors(regression: Regression, posterior: Posterior, rows: Data) -> Array:
    """Linear predictor chain by chain, shape (chain, draw, row)."""
    chains = [{name: values[chain] for name, values in posterior.draws.items()} for chain in range(posterior.shape[0])]
    return np.stack([np.asarray(linear_predictor(regression, rows, values)) for values in chains])
