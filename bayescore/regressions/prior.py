"""What the priors alone say: draws of the parameters, and responses before any was seen."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior, label
from bayescore.model.regression import Regression
from bayescore.model.response import Law
from bayescore.model.sites import Site, Thresholds
from bayescore.printable import count, shortened, shown
from bayescore.system import memory

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "sd": np.std,
    "least": np.min,
    "median": np.median,
    "most": np.max,
}
MOST_DRAWS = 100_000
_MOST_TRIES = 10_000
_BLOCK_VALUES = 1 << 20
"""Draws times rows held at once: 8 MB."""


@dataclass(frozen=True, repr=False)
class PriorPredictive:
    """Responses that the priors expect, beside those that were observed.

    Attributes
    ----------
    prior
        The draws of the parameters that they are of.
    name
        The response's.
    drawn
        Responses in the problem's rows, shape (draw, row); categories as 0, 1, ...
    observed
        Shape (row,).
    categories
        Names of the response's categories, if it has any.
    """

    prior: Posterior
    name: str
    drawn: Array
    observed: Array
    categories: tuple[str, ...] = ()

    def __repr__(self) -> str:
        draws, rows = self.drawn.shape
        return shortened(f"PriorPredictive({count(draws, 'draw')} of {self.name} in {count(rows, 'row')})", 200)

    def summary(self) -> "pd.DataFrame":
        """Each statistic of the data beside its quantiles over the draws, and the share of draws below the data's.

        Of categories the statistics are their shares. A share near 0 or 1 says that the priors hardly
        expect such data; draws that equal the data's count half.
        """
        import pandas as pd

        rows = {}
        with np.errstate(all="ignore"):
            for name, of in _statistics(self.categories).items():
                data, drawn = float(of(self.observed)), np.asarray(of(self.drawn), dtype=np.float64)
                q05, q50, q95 = np.quantile(drawn, [0.05, 0.5, 0.95], method="inverted_cdf")
                below = float(np.mean(drawn < data) + 0.5 * np.mean(drawn == data))
                rows[name] = {"data": data, "q05": q05, "q50": q50, "q95": q95, "below": below}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(self.name)


def _statistics(categories: tuple[str, ...]) -> dict[str, Callable[[Array], Any]]:
    """Functions of responses (..., row), shape (...)."""
    if categories:
        return {f"share of {name}": partial(_share, k) for k, name in enumerate(categories)}
    return {name: partial(function, axis=-1) for name, function in _NUMBERS.items()}


def _share(k: int, values: Array) -> Any:
    return np.mean(values == k, axis=-1)


def draw(regression: Regression, count: int, seed: int) -> Posterior:
    """Draws from the priors, as a posterior of one chain that has seen no data.

    Raises
    ------
    RequestError
        A prior is no distribution, or the number of draws or the seed can't be used.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= MOST_DRAWS:
        raise RequestError(f"the number of draws is a whole number from 1 to {MOST_DRAWS}, not {shown(count)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise RequestError(f"a seed is a whole number of at least 0, not {shown(seed)}")
    improper = next((site for site in regression.sites if not site.proper), None)
    if improper is not None:
        raise RequestError(f"the prior of {improper.name} is no distribution that can be drawn from: state one for it")
    rng = np.random.default_rng([seed, 3])
    drawn: dict[str, list[Array]] = {site.name: [] for site in regression.sites}
    for _ in range(count):
        values: dict[str, Array] = {}
        for site in regression.sites:
            values[site.name] = _sample(site, rng, values)
            drawn[site.name].append(values[site.name])
    return label(regression, {name: np.stack(values)[None] for name, values in drawn.items()}, kind="independent")


def _sample(site: Site, rng: np.random.Generator, values: dict[str, Array]) -> Array:
    """A draw of a site; of thresholds whose priors differ one in order, since sorted each could be of any of them."""
    if not isinstance(site, Thresholds) or len(set(site.priors)) == 1:
        return site.sample(rng, values)
    for _ in range(_MOST_TRIES):
        drawn = site.independent.sample(rng, values)
        if site.check(drawn) is None:
            return drawn
    raise RequestError(f"draws of the priors of {site.name} are hardly ever in order: state ones that increase")


def predict(regression: Regression, data: Data, prior: Posterior, seed: int) -> PriorPredictive:
    """Responses in the rows of the data, given draws from the priors.

    Raises
    ------
    RequestError
        Each row stands for many.
    """
    if data.ones is not None:
        raise RequestError("the rows were taken together as the table was read: only of smaller tables are they drawn")
    memory.check(f"{prior.shape[1]} draws of {data.rows} rows", prior.shape[1] * data.rows, "ask for fewer draws")
    rng, values = np.random.default_rng([seed, 4]), prior.flat()
    count = prior.shape[1]
    drawn = np.empty((count, data.rows))
    step = max(_BLOCK_VALUES // (data.rows * regression.family.predictors), 1)
    with np.errstate(all="ignore"):  # wide priors reach beyond what exponentials can hold
        for start in range(0, count, step):
            at = slice(start, start + step)
            law = Law.of(regression, data, {name: value[at] for name, value in values.items()})
            drawn[at] = law.sample(rng)
    return PriorPredictive(prior, data.response, drawn, data.observed, data.categories)
