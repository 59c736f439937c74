"""A regression taken apart: its form, which is compiled, and its numbers, which are not.

Only the form is a constant of a compiled program. Data, priors' parameters, fixed
values and coordinates are arguments, so that other numbers need no other program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from bayescore.model.data import Data
from bayescore.model.distributions import Distribution
from bayescore.model.regression import Regression
from bayescore.model.sites import Correlation, Independent, Site, Thresholds
from bayescore.model.transforms import Transform
from bayescore_numpyro import predictors
from bayescore_numpyro.rows import Rows, Values, floats, rows_of


@dataclass(frozen=True)
class Variable:
    """A site's form.

    Attributes
    ----------
    support
        ``real`` or ``positive``, for a flat prior.
    kinds
        Each kind of prior with the positions of its elements, in C order.
    given
        How the prior depends on other sites' values, or None for priors of its own.
    shift
        The site of the coefficients whose columns' means such priors are at, and the linear
        predictor of each element; or None.
    """

    name: str
    shape: tuple[int, ...]
    support: str = "real"
    kinds: tuple[tuple[str, tuple[int, ...]], ...] = ()
    given: Transform | None = None
    shift: tuple[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Form:
    """All of a regression but its numbers; hashable, as jit wants its static arguments.

    Attributes
    ----------
    given
        Names of the values that the response depends on beside the linear predictor.
    predictor
        The linear predictor but for group terms and offset, of the sites' values and the rows.
    """

    family: str
    link: str
    given: tuple[str, ...]
    variables: tuple[Variable, ...]
    predictor: Callable[[Values, Rows], jax.Array]


class Numbers(NamedTuple):
    """All of a regression and its data but the form.

    Attributes
    ----------
    priors
        For each site its kinds' parameters by field, each of shape (element,).
    means
        For each site whose priors are at the columns' means these, (element, column).
    fixed
        The family's fixed auxiliary parameters.
    """

    rows: Rows
    priors: dict[str, list[dict[str, Any]]]
    means: dict[str, Any]
    fixed: dict[str, Any]


def form_of(regression: Regression) -> Form:
    """The form of a regression."""
    family, network = regression.family, regression.network
    given = (*family.auxiliaries, *(["threshold"] if family.thresholds else []))
    predictor = predictors.linear if network is None else predictors.Perceptron(len(network.hidden) + 1)
    return Form(family.name, family.link_name, given, tuple(map(variable_of, regression.sites)), predictor)


def variable_of(site: Site) -> Variable:
    """The form of a site."""
    site = _unordered(site)
    if not isinstance(site, Independent):
        return Variable(site.name, site.shape, given=site.transform)
    kinds = tuple((type(block.prior).__name__, tuple(map(int, block.positions))) for block in site.blocks)
    shift = None if site.shift is None else (site.shift.coefficients, site.shift.predictor)
    return Variable(site.name, site.shape, site.support, kinds, shift=shift)


def _unordered(site: Site) -> Site:
    """Thresholds as independent numbers: their order is the transform's affair."""
    return site.independent if isinstance(site, Thresholds) else site


def numbers_of(regression: Regression, data: Data) -> Numbers:
    """The numbers of a regression and its data, as JAX arrays of the current precision."""
    priors = {site.name: prior_numbers(site) for site in regression.sites}
    shifts = {site.name: getattr(_unordered(site), "shift", None) for site in regression.sites}
    means = {name: np.array(shift.means) for name, shift in shifts.items() if shift is not None}
    return Numbers(rows_of(data, regression), priors, floats(means), floats(regression.family.fixed))


def prior_numbers(site: Site) -> list[dict[str, Any]]:
    """The parameters of a site's kinds of priors."""
    site = _unordered(site)
    if isinstance(site, Independent):
        priors: list[Distribution] = [block.prior for block in site.blocks]
    else:
        priors = [site.prior] if isinstance(site, Correlation) else []
    numbers: list[dict[str, Any]] = floats([vars(prior) for prior in priors])
    return numbers
