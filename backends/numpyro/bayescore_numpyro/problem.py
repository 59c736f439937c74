"""A regression with its data, carried over: what the verbs hand around."""

from dataclasses import dataclass
from typing import NamedTuple

from bayescore.coordinates import Coordinates, for_method
from bayescore.data import Data
from bayescore.methods import Method
from bayescore.regression import Regression
from bayescore_numpyro.form import Affine, Form, Numbers, affine_of, form_of, numbers_of


@dataclass(frozen=True)
class Problem:
    """A regression's form and numbers, and the data that they came from."""

    data: Data
    form: Form
    numbers: Numbers


class Place(NamedTuple):
    """The numbers of a problem and of its coordinates: a compiled program's arguments."""

    numbers: Numbers
    affine: Affine


def build(regression: Regression, data: Data) -> Problem:
    """Carry a regression and its data over, in the current precision."""
    return Problem(data, form_of(regression), numbers_of(regression, data))


def locate(regression: Regression, problem: Problem, method: Method) -> tuple[Coordinates, Place]:
    """The coordinates that a method works in, and the problem in them."""
    coordinates = for_method(regression, problem.data, method)
    return coordinates, Place(problem.numbers, affine_of(coordinates))
