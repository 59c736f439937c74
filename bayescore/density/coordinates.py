"""The coordinates that samplers and guides work in.

The unconstrained vector u holds a regression's parameters through their transforms
(`bayescore.model.transforms`). A method works on z with u = centre + matrix z, so that every
coordinate has scale about 1. The regression's sites and priors stay as stated: its
density is evaluated at the mapped point, plus the log determinant where it matters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bayescore.density import centring
from bayescore.density.empirical_bayes import approximate
from bayescore.density.mode import laplace, start_of
from bayescore.density.reduction import column_moments, triangular_factor
from bayescore.density.specification import LogJoint
from bayescore.methods import Method
from bayescore.model import transforms
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent
from bayescore.model.transforms import Slot


@dataclass(frozen=True)
class Coordinates:
    """The affine map u = centre + matrix z, and where each site lies in u.

    Attributes
    ----------
    centre
        Shape (d,): the point z = 0.
    matrix
        Shape (d, d).
    slots
        One a site, in order.
    shares
        How centred the offsets of groups are, level by level (`bayescore.model.transforms.GroupOffsets`).
    """

    centre: Array
    matrix: Array
    slots: tuple[Slot, ...]
    shares: Mapping[str, Array] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """d, the number of scalar parameters."""
        return int(self.centre.size)

    @property
    def log_det(self) -> float:
        """Log |det matrix|: what the density of z adds to that of u."""
        return float(np.linalg.slogdet(self.matrix)[1])

    def unconstrained(self, z: Array) -> Array:
        """u of z, both of shape (..., d)."""
        return self.centre + z @ self.matrix.T

    def inverse(self, values: Mapping[str, Array]) -> Array:
        """The z (..., d) of each site's values (..., *site shape)."""
        u = transforms.unconstrain(self.slots, values, np, self.shares)
        return np.asarray((u - self.centre) @ np.linalg.inv(self.matrix).T)

    def constrained(self, z: Array) -> dict[str, Array]:
        """Each site's values at z of shape (..., d): (..., *site shape)."""
        return self.mapped(z)[0]

    def mapped(self, z: Array) -> tuple[dict[str, Array], Array]:
        """The same, and log |d values / d z|, shape (...)."""
        values, log_det = transforms.constrain(self.slots, self.unconstrained(z), np, self.shares)
        return values, np.asarray(log_det + self.log_det)


def constrain(slots: Sequence[Slot], u: Array) -> dict[str, Array]:
    """Each site's values at u of shape (..., d)."""
    return transforms.constrain(slots, u, np)[0]


def for_method(regression: Regression, data: Data, method: Method) -> Coordinates:
    """The coordinates a method works in, the same for every backend.

    Without ``standardize`` they are the raw unconstrained parameters, scaled one by one
    at most. With it, by where the method says that it begins:

    - at the start (MLE, MAP): that of the intercept alone, and orthogonal columns in units of
      the response;
    - at the mode (Laplace) or in the mass (SVI, NUTS): the Cholesky factor of the Laplace
      approximation's covariance; but for a mean-field guide, whose family is another one in
      other coordinates, centred and scaled columns, each in units of the sd that such a
      guide reaches there.

    With group effects the mass is about the sds' own mode, the others integrated out
    (`bayescore.density.empirical_bayes`): where all are taken together the sds are far too large.
    Offsets are then centred level by level as the data ask for (`bayescore.density.centring`).
    Where no mode is found, the start and the centred and scaled columns serve.
    """
    slots = regression.slots()
    d = len(regression.parameters)
    if method.begins == "zero":
        return Coordinates(np.zeros(d), np.eye(d), slots)
    joint = LogJoint(regression, data)
    standardize = bool(getattr(method, "standardize", True))
    basis = standardizing_matrix(regression, data) if standardize else np.eye(d)
    start = start_of(regression, data)
    if method.begins == "start":
        return Coordinates(start, orthogonal_matrix(joint, data, basis) if standardize else basis, slots)
    centred: bool | None = getattr(method, "centred", None)
    shares = {} if centred is None else centring.alike(regression, float(centred))
    at_mode = method.begins == "mode"
    found = laplace(joint, start, basis, shares=shares) if at_mode else approximate(joint, start, basis)
    if found is None:
        return Coordinates(start, basis, slots, shares)
    mode, precision = found
    if regression.groups and not at_mode:
        if centred is None:
            back = np.linalg.inv(basis)
            shares = centring.by_level(slots, np.einsum("ji,jk,ki->i", back, precision, back))
        mode, precision = centring.recentred(slots, basis, mode, precision, shares)
    dense = method.guide_family == "full_rank" or (method.guide_family == "none" and standardize)
    return Coordinates(mode, _of_scale_one(basis, precision, dense=dense), slots, shares)


def for_density(
    slots: tuple[Slot, ...], start: Array, method: Method, mode: Callable[[Coordinates], tuple[Array, Array] | None]
) -> Coordinates:
    """The same, of a density that only a backend's library knows; ``standardize`` has no meaning here.

    Parameters
    ----------
    start
        An unconstrained vector to search the mode from, shape (d,).
    mode
        Finds that of the density of z in coordinates that begin at the start, (d,), and the
        precision there, (d, d); None where there is no proper maximum, and the start serves.
    """
    raw = Coordinates(start, np.eye(start.size), slots)
    if method.begins == "zero":
        return replace(raw, centre=np.zeros(start.size))
    found = mode(raw)
    if found is None:
        return raw
    shift, precision = found
    dense = method.guide_family in {"none", "full_rank"}
    return replace(raw, centre=start + shift, matrix=_of_scale_one(raw.matrix, precision, dense=dense))


def _of_scale_one(basis: Array, precision: Array, *, dense: bool) -> Array:
    """The basis (d, d) in units of the covariance's Cholesky factor, or of each coordinate's sd, the others fixed."""
    return basis @ np.linalg.inv(np.linalg.cholesky(precision)).T if dense else basis / np.sqrt(np.diag(precision))


@dataclass(frozen=True)
class _Predictor:
    """Where a linear predictor's coefficients lie in u, and what shifts all of it.

    Attributes
    ----------
    coefficients
        Positions, shape (p,).
    constant
        That of the intercept, or of the first threshold, which the others follow; or None.
    sign
        1 where the predictor grows with the constant, and -1 for a threshold.
    """

    coefficients: "np.ndarray"
    constant: int | None
    sign: float


def _predictors(regression: Regression) -> list[_Predictor]:
    """One, or one a level; none where the coefficients are not one a column, or don't range over all numbers."""
    slots = {slot.site: slot for slot in regression.slots()}
    free = np.array([np.isinf(low) for low, _ in regression.bounds], dtype=bool)
    sites = {site.name: site for site in regression.sites}
    if not isinstance(sites.get("beta"), Independent):
        return []
    columns, first = len(regression.columns), slots["beta"].start
    levels = sites["beta"].size // columns
    found = []
    for level in range(levels):
        index = first + level * columns + np.arange(columns)
        if not free[index].all():
            return []
        if "threshold" in slots:
            found.append(_Predictor(index, slots["threshold"].start, -1.0))
        else:
            constant = slots["intercept"].start + level if "intercept" in slots else None
            found.append(_Predictor(index, constant, 1.0))
    return found


def _units(regression: Regression) -> list[_Predictor]:
    """The units of a network's first layer, where their weights and biases range over all numbers."""
    slots = {slot.site: slot for slot in regression.slots()}
    if regression.network is None or "layer0.weight" not in slots:
        return []
    weight, bias, p = slots["layer0.weight"], slots["layer0.bias"], len(regression.columns)
    real = all(np.isinf(low) for low, _ in regression.bounds[weight.start : bias.stop])
    units = range(regression.network.hidden[0]) if real else ()
    return [_Predictor(weight.start + unit * p + np.arange(p), bias.start + unit, 1.0) for unit in units]


def standardizing_matrix(regression: Regression, data: Data) -> Array:
    """T of centred (where something constant is added) and scaled columns: u = T z, shape (d, d)."""
    matrix = np.eye(len(regression.parameters))
    mean, scale = column_moments(data)
    for predictor in [*_predictors(regression), *_units(regression)]:
        index, constant = predictor.coefficients, predictor.constant
        own = np.hypot(scale, mean) if constant is None else np.where(scale > 1e-12 * np.abs(mean), scale, 0.0)
        own = np.where(own > 0, own, np.where(mean != 0, np.abs(mean), 1.0))
        matrix[index, index] = 1.0 / own
        if constant is not None:
            matrix[constant, index] = -predictor.sign * mean / own
    return matrix


def orthogonal_matrix(joint: LogJoint, data: Data, basis: Array) -> Array:
    """Columns made orthogonal, in units of the linear predictor's scale, shape (d, d)."""
    regression = joint.regression
    matrix, total = np.eye(len(regression.parameters)), data.rows if data.weights is None else data.weights.sum()
    for predictor in _predictors(regression):
        index, constant = predictor.coefficients, predictor.constant
        mixed = data.x @ basis[np.ix_(index, index)]
        if constant is not None:
            ones = 1.0 if data.ones is None else data.ones[:, None]
            mixed = mixed + predictor.sign * ones * basis[constant, index]
        if data.weights is not None:
            mixed = mixed * np.sqrt(data.weights)[:, None]
        triangle = triangular_factor(mixed) / np.sqrt(total)
        if min(mixed.shape) == index.size and np.min(np.abs(np.diag(triangle))) > 1e-8:
            matrix[np.ix_(index, index)] = np.linalg.inv(triangle)
        linear = index if constant is None else np.append(index, constant)
        matrix[np.ix_(linear, linear)] *= regression.family.scale(data)[1]
    return basis @ matrix
