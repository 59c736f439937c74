"""A regression with its data, carried over: what the verbs hand around."""

from dataclasses import dataclass
from functools import partial

import jax

from bayescore.density.coordinates import Coordinates, for_method
from bayescore.methods import Method
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.transforms import Slot
from bayescore_numpyro.form import Form, Numbers, form_of, numbers_of
from bayescore_numpyro.rows import floats


@dataclass(frozen=True)
class Native:
    """A regression's form and numbers, and the data that they came from."""

    data: Data
    form: Form
    numbers: Numbers


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("numbers", "centre", "matrix", "log_det", "shares"),
    meta_fields=("form", "slots"),
)
@dataclass(frozen=True)
class Place:
    """A problem in its coordinates, as a compiled program takes it: form and slots are compiled, the rest is not.

    Attributes
    ----------
    centre, matrix, log_det
        u = centre + matrix z, with log |det matrix|.
    slots
        Where each site lies in u.
    """

    form: Form
    numbers: Numbers
    centre: jax.Array
    matrix: jax.Array
    log_det: jax.Array
    shares: dict[str, jax.Array]
    slots: tuple[Slot, ...]

    @property
    def size(self) -> int:
        """The number of scalar parameters, d."""
        return int(self.centre.shape[0])


@dataclass(frozen=True)
class Density:
    """What a method works on: the regression, and its density in the method's coordinates."""

    regression: Regression
    coordinates: Coordinates
    place: Place


def build(regression: Regression, data: Data) -> Native:
    """Carry a regression and its data over, in the current precision."""
    return Native(data, form_of(regression), numbers_of(regression, data))


def locate(regression: Regression, native: Native, method: Method) -> Density:
    """The regression in the coordinates that a method works in."""
    coordinates = for_method(regression, native.data, method)
    return Density(regression, coordinates, place(native.form, native.numbers, coordinates))


def place(form: Form, numbers: Numbers, coordinates: Coordinates) -> Place:
    """A form and its numbers in these coordinates."""
    centre, matrix, log_det = floats([coordinates.centre, coordinates.matrix, coordinates.log_det])
    return Place(form, numbers, centre, matrix, log_det, floats(dict(coordinates.shares)), coordinates.slots)
