"""Modules of one's own, lifted: what does not depend on the library that they are written in.

Every parameter of a module becomes a site under the parameter's own name, and the
module's output is the linear predictor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from bayescore.errors import DataError, RequestError, suggest
from bayescore.model import distributions
from bayescore.model.arrays import Array
from bayescore.model.data import Data, from_arrays
from bayescore.model.distributions import Distribution
from bayescore.model.families import Family
from bayescore.model.sites import Independent
from bayescore.model.transforms import Slot, unconstrain

Prior = Distribution | str


def lift(shapes: Mapping[str, tuple[int, ...]], prior: Prior | Mapping[str, Prior]) -> tuple[Independent, ...]:
    """A site for each parameter.

    Parameters
    ----------
    shapes
        Of the parameters, by name.
    prior
        One for all elements of all parameters, or one for each parameter by name.

    Raises
    ------
    RequestError
        A name is no parameter, or a parameter has no prior.
    """
    names, known = list(shapes), ", ".join(shapes)
    priors = prior if isinstance(prior, Mapping) else dict.fromkeys(names, prior)
    for name in priors:
        if name not in names:
            raise RequestError(f"no parameter {name!r}{suggest(name, names)} (parameters: {known})")
    absent = [name for name in names if name not in priors]
    if absent:
        raise RequestError(f"no prior for {' and '.join(absent)} (parameters: {known})")
    return tuple(_site(name, shape, distributions.parse(priors[name])) for name, shape in shapes.items())


def _site(name: str, shape: tuple[int, ...], prior: Distribution) -> Independent:
    """All elements under one prior, whose support is the site's."""
    labels = tuple(",".join(map(str, index)) for index in np.ndindex(shape)) if shape else ()
    support: Literal["real", "positive"] = "positive" if prior.support == "positive" else "real"
    return Independent(name, shape, labels, support, (prior,) * max(len(labels), 1))


def rows(x: object, *, offset: object = None, trials: object = None) -> Data:
    """Rows without a response, to predict.

    Raises
    ------
    DataError
        Wrong shapes, NaN or infinity.
    """
    data = replace(from_arrays(x), offset=_floats("offset", offset), trials=_floats("trials", trials))
    data.check()
    return data


def observations(
    x: object,
    y: object,
    family: Family,
    *,
    offset: object = None,
    trials: object = None,
    weights: object = None,
) -> Data:
    """Rows with a response of the family.

    Raises
    ------
    RequestError
        The family needs more than one number a row.
    DataError
        Wrong shapes, NaN or infinity, or y outside the family's support.
    """
    if family.categorical:
        raise RequestError(f"a lifted module gives one number a row: {family.name} needs more")
    data = replace(rows(x, offset=offset, trials=trials), y=from_arrays(x, y).y, weights=_floats("weights", weights))
    data.check()
    family.check_response(data)
    return data


def _floats(name: str, values: object) -> Array | None:
    try:
        return None if values is None else np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name!r} must be made of numbers: {error}") from error


def auxiliary_priors(family: Family, priors: Mapping[str, Prior] | None) -> dict[str, Distribution]:
    """The priors of the family's free auxiliary parameters, all of which have to be given.

    Raises
    ------
    RequestError
        One is missing, or there is one too many.
    """
    given = {name: distributions.parse(prior) for name, prior in (priors or {}).items()}
    if set(given) != set(family.free):
        raise RequestError(f"{family} needs priors for {list(family.free)}, not {list(given)}")
    return given


def start(slots: Sequence[Slot], parameters: Mapping[str, Array]) -> Array:
    """The unconstrained vector of a module's own parameters; what lies outside its prior's support starts at 0."""
    vector = np.zeros(slots[-1].stop)
    for slot in slots:
        if slot.site in parameters:
            with np.errstate(all="ignore"):
                own = unconstrain([slot], {slot.site: np.asarray(parameters[slot.site], np.float64)}, np)
            vector[slot.start : slot.stop] = np.where(np.isfinite(own), own, 0.0)
    return vector


def check_output(shape: tuple[int, ...], count: int) -> None:
    """Raise `RequestError` for a module whose output is not one number for each of so many rows."""
    if shape not in ((count,), (count, 1)):
        raise RequestError(f"the module must return shape ({count}, 1) or ({count},) for {count} rows, not {shape}")
