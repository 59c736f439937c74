"""A regression taken apart: its form, which is compiled, and its numbers, which are not.

Only the form is a constant of a compiled program. Data, priors' parameters, fixed
values and coordinates are arguments, so that other numbers need no other program.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from bayescore.coordinates import Coordinates
from bayescore.data import Data
from bayescore.distributions import stack
from bayescore.regression import Regression, Site

Tree = TypeVar("Tree")


@dataclass(frozen=True)
class Variable:
    """A site's form: where it lies in the unconstrained vector, and its kinds of priors.

    Attributes
    ----------
    priors
        Each kind with the positions of its elements.
    """

    name: str
    shape: tuple[int, ...]
    support: str
    start: int
    priors: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def size(self) -> int:
        """How many scalar parameters it has."""
        return sum(len(positions) for _, positions in self.priors)


@dataclass(frozen=True)
class Form:
    """All of a regression but its numbers; hashable, as jit wants its static arguments."""

    family: str
    link: str
    auxiliaries: tuple[str, ...]
    variables: tuple[Variable, ...]

    @property
    def size(self) -> int:
        """The number of scalar parameters, d."""
        return sum(variable.size for variable in self.variables)


class Numbers(NamedTuple):
    """All of a regression and its data but the form.

    Attributes
    ----------
    x, y
        Shapes (row, column) and (row,).
    priors
        For each site its kinds' parameters by field, each of shape (element,).
    fixed
        The family's fixed auxiliary parameters.
    """

    x: Any
    y: Any
    priors: dict[str, list[dict[str, Any]]]
    fixed: dict[str, Any]


class Affine(NamedTuple):
    """u = centre + matrix z, with log |det matrix|."""

    centre: Any
    matrix: Any
    log_det: Any


def form_of(regression: Regression) -> Form:
    """The form of a regression."""
    variables, start = [], 0
    for site in regression.sites:
        variables.append(_variable(site, start))
        start += site.size
    family = regression.family
    return Form(family.name, getattr(family, "link", "identity"), family.auxiliaries, tuple(variables))


def _variable(site: Site, start: int) -> Variable:
    kinds = tuple((type(b.prior).__name__, tuple(map(int, b.positions))) for b in stack(site.priors))
    return Variable(site.name, site.shape, site.support, start, kinds)


def numbers_of(regression: Regression, data: Data) -> Numbers:
    """The numbers of a regression and its data, as JAX arrays of the current precision."""
    priors = {site.name: [vars(block.prior) for block in stack(site.priors)] for site in regression.sites}
    return _arrays(Numbers(data.x, data.observed, priors, regression.family.fixed))


def affine_of(coordinates: Coordinates) -> Affine:
    """The coordinates' map, as JAX arrays of the current precision."""
    return _arrays(Affine(coordinates.centre, coordinates.matrix, coordinates.log_det))


def _arrays(tree: Tree) -> Tree:
    arrays: Tree = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=float), tree)
    return arrays
