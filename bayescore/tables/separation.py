"""Separation: a direction in which the likelihood never falls, so that only priors bound the coefficients.

Albert and Anderson 1984, Biometrika 71, for successes and categories; the same for counts,
whose zeros may lie on one side of all others. A family says on which side of 0 each linear
predictor has to stay (`bayescore.model.families.Family.sides`), and a linear program finds
whether coefficients can keep all of them there.
"""

import numpy as np

from bayescore.errors import DataError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions import Distribution
from bayescore.model.families import Sides
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent, Thresholds

_LARGEST_PROGRAM = 2_000_000
_LEAST = 1e-7
"""Of how far predictors move on average, in sds of the columns."""
_STEPS = 25
_PRIORS_DECIDE = "the likelihood has no maximum, and the priors set the size of the coefficients"


def check(regression: Regression, data: Data) -> list[str]:
    """Return a warning where the data are separated.

    Raises
    ------
    DataError
        They are, in a direction in which all priors are flat.
    """
    present = data if data.weights is None else data.take(np.flatnonzero(data.weights))
    sides = regression.family.sides(present)
    if sides is None:
        return []
    proper = np.array([prior.proper for prior in (*_intercepts(regression), *regression.beta)])
    width = proper.size
    one_sided = _one_sided(present)
    if sides.row.size * width > _LARGEST_PROGRAM:
        if proper.all():
            return [f"{one_sided}; {_PRIORS_DECIDE}"] if one_sided and _intercepts(regression) else []
        return [f"whether {data.response!r} is separated was not looked for: {present.rows} rows are too many"]
    found = _direction(regression, present, sides, np.ones(width, dtype=bool))
    if found is None:
        return []
    sizes = found.reshape(regression.family.predictors, len(data.columns)).max(axis=0)
    names = [c for c, size in zip(data.columns, sizes, strict=True) if size > 0.05 * sizes.max(initial=0.0)]
    told = (
        one_sided
        or f"separation: {', '.join(names) or 'the intercept'} tells {sides.parts.format(y=repr(data.response))}"
    )
    if _direction(regression, present, sides, ~proper) is not None:
        raise DataError(f"the posterior is improper: {told}, and priors are Flat(); give them Normal priors")
    return [f"{told}; {_PRIORS_DECIDE}"]


def _one_sided(data: Data) -> str | None:
    """Say so where nothing but failures, or nothing but successes, was observed."""
    y = data.observed
    most = 1.0 if data.trials is None else data.trials
    if data.categories or not (np.all(y == 0) or np.all(y == most)):
        return None
    what = f"{y[0]:g}" if data.trials is None or y[0] == 0 else "the number of trials"
    return f"the response {data.response!r} is {what} in every row"


def _intercepts(regression: Regression) -> tuple[Distribution, ...]:
    """Priors of what does not multiply a column."""
    if regression.thresholds:
        return regression.thresholds
    if regression.intercept is None:
        return ()
    return regression.intercept if isinstance(regression.intercept, tuple) else (regression.intercept,)


def _direction(regression: Regression, data: Data, sides: Sides, free: "np.ndarray") -> Array | None:
    """Sizes of coefficients that keep every predictor on its side and move some, or None.

    ``free`` are the intercepts or thresholds, then the coefficients level by level; the others are 0.
    """
    if not free.any():
        return None
    constants = free.size - len(regression.beta)
    x = _columns(regression, data, free[:constants])
    slopes = (sides.eta[:, :, None] * x[sides.row]).reshape(len(sides.row), -1)
    rows = np.column_stack([sides.threshold if regression.thresholds else sides.eta[:, :constants], slopes])
    if overlapping(rows[:, free]):
        return None
    from scipy.optimize import linprog  # half a second, which most data do without

    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=np.outer(free, [-1.0, 1.0]))
    if found.status != 0 or -found.fun < _LEAST * len(rows):
        return None
    return np.asarray(np.abs(found.x[constants:]))


def overlapping(rows: Array) -> bool:
    """Whether it is certain that no d within [-1, 1] has rows d >= 0 with a sum that counts; False where it is not.

    Weights w > 0 with rows' w = 0 show that there is none: the sum is at most |rows' w|_1 / min w.
    Where there is none, such weights are those of the score of a logistic regression at its
    maximum, which Newton's steps find.
    """
    d = np.zeros(rows.shape[1])
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            w = 1.0 / (1.0 + np.exp(rows @ d))
            slope = rows.T @ w
            if np.abs(slope).sum() < _LEAST * len(rows) * w.min():
                return True
            d = d + np.linalg.pinv((rows * (w * (1.0 - w))[:, None]).T @ rows, hermitian=True) @ slope
            if not np.isfinite(rows @ d).all():
                return False
    return False


def _columns(regression: Regression, data: Data, free: "np.ndarray") -> Array:
    """What a coefficient alone moves, in sds, for each linear predictor: (row, predictor, column).

    Where a prior holds the predictor at the columns' means, these are the point that stays.
    """
    sites = {site.name: site for site in regression.sites if isinstance(site, Independent | Thresholds)}
    count, p = regression.family.predictors, len(data.columns)
    x = np.repeat(data.x[:, None, :], count, axis=1)
    own = sites.get("threshold", sites.get("intercept"))
    if own is not None and own.shift is not None:
        means = np.array(regression.means["1"])
        held = np.any(own.shift.means, axis=1) if count > 1 else np.ones(1)
        x = x - held[:, None] * means
    elif free.size and free.all():
        x = x - data.x.mean(axis=0)
    beta = sites.get("beta")
    if beta is not None and beta.shift is not None:
        x = x - np.einsum("rk,lkj->rlj", data.x, np.reshape(beta.shift.means, (count, p, p)))
    return np.asarray(x / np.where(np.ptp(data.x, axis=0) > 0, np.std(data.x, axis=0), 1.0))
