"""What is remarkable about the data of a regression, before any fit.

Legitimate but delicate data give warnings that name the columns; a posterior that does
not exist is an error.
"""

import numpy as np

from bayescore.density.reduction import Reduced, reduce, triangular_factor
from bayescore.errors import DataError
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.distributions import AtMeans, Distribution
from bayescore.model.regression import Regression
from bayescore.tables import conflict, separation

_DEPENDENT = 1e-10
_NEARLY = 0.1
_SCALES = 1e4


def check(regression: Regression, data: Data) -> list[str]:
    """Return warnings about the data.

    Raises
    ------
    DataError
        y lies outside the family's support, or the posterior is improper.
    """
    regression.family.check_response(data)
    if regression.network is not None:
        return []
    if not data.columns:
        return separation.check(regression, data) + conflict.check(regression, data)
    reduced = reduce(data)
    centred = regression.intercept is not None or bool(regression.thresholds)
    triangle = reduced.r[:-1, :-1]
    if not centred:
        triangle = triangular_factor(np.vstack([np.sqrt(reduced.rows) * reduced.mean, triangle]))
    warnings = []
    spread = np.linalg.norm(triangle, axis=0) / np.sqrt(reduced.rows)
    constant = spread <= 1e-12 * np.abs(reduced.mean) if centred else spread == 0
    names = np.array(data.columns, dtype=object)
    if constant.any():
        warnings.append(
            f"constant columns: {', '.join(names[constant])}; the prior alone tells their coefficients apart"
        )
    for beta, intercept in _predictors(regression):
        _check_proper(beta, intercept, regression.columns, data.stands_for, reduced, triangle, constant)
    varying = names[~constant]
    warnings += _dependence(varying, triangle[:, ~constant])
    sds = spread[~constant]
    if sds.size > 1 and sds.max() > _SCALES * sds.min():
        low, high = int(np.argmin(sds)), int(np.argmax(sds))
        warnings.append(
            f"columns on very different scales: {varying[low]} (sd {sds[low]:.3g}) "
            f"and {varying[high]} (sd {sds[high]:.3g})"
        )
    return warnings + separation.check(regression, data) + conflict.check(regression, data)


def _dependence(names: "np.ndarray", triangle: Array) -> list[str]:
    """Columns that the ones before them determine, wholly or nearly."""
    if not names.size:
        return []
    norms = np.linalg.norm(triangle, axis=0)
    rest = triangular_factor(triangle / norms)
    own = np.zeros(names.size)
    own[: min(rest.shape)] = np.abs(np.diag(rest))
    warnings = []
    for j in np.flatnonzero(own < _NEARLY):
        weights = np.linalg.lstsq(rest[:, :j], rest[:, j], rcond=None)[0]
        others = names[:j][np.abs(weights) > 0.05 * np.max(np.abs(weights), initial=0.0)]
        how = "is a linear combination of" if own[j] < _DEPENDENT else "is nearly a linear combination of"
        warnings.append(f"collinear columns: {names[j]} {how} {', '.join(others)}")
    return warnings


def _predictors(regression: Regression) -> list[tuple[tuple[Distribution, ...], Distribution | None]]:
    """The priors of each linear predictor: coefficients, and the intercept or what stands for it."""
    p = len(regression.columns)
    levels = [regression.beta[start : start + p] for start in range(0, len(regression.beta), p)]
    intercepts = regression.intercept if isinstance(regression.intercept, tuple) else (regression.intercept,)
    if regression.thresholds:  # one that is not flat holds all of them, one at zero the best
        intercepts = (min(regression.thresholds, key=lambda prior: (not prior.proper, isinstance(prior, AtMeans))),)
    return list(zip(levels, intercepts if len(intercepts) == len(levels) else intercepts * len(levels), strict=True))


def _check_proper(
    beta: tuple[Distribution, ...],
    intercept: Distribution | None,
    columns: tuple[str, ...],
    rows: int,
    reduced: Reduced,
    triangle: Array,
    constant: "np.ndarray",
) -> None:
    """Refuse flat priors in directions that the data say nothing about."""
    flat = np.array([not prior.proper for prior in beta], dtype=bool)
    if not flat.any():
        return
    advice = "give them a Normal prior, or leave some out"
    names = np.array(columns, dtype=object)
    flat_intercept = intercept is not None and not intercept.proper
    centred = flat_intercept or isinstance(intercept, AtMeans)  # it says nothing about the columns' means
    unknowns = int(flat.sum()) + flat_intercept
    if unknowns > rows:
        raise DataError(
            f"the posterior is improper: {unknowns} coefficients with Flat() priors and only {rows} rows; {advice}"
        )
    if centred and (flat & constant).any():
        both = "both have Flat() priors" if flat_intercept else "it has a Flat() prior"
        raise DataError(
            f"the posterior is improper: {', '.join(names[flat & constant])} is constant like the intercept, "
            f"and {both}; {advice}"
        )
    if intercept is not None and not centred:
        triangle = triangular_factor(np.vstack([np.sqrt(reduced.rows) * reduced.mean, triangle]))
    part = triangle[:, flat]
    norms = np.linalg.norm(part, axis=0)
    if not norms.all():
        raise DataError(
            f"the posterior is improper: {', '.join(names[flat][norms == 0])} is zero in every row "
            f"and has a Flat() prior; {advice}"
        )
    singular = np.linalg.svd(triangular_factor(part / norms), compute_uv=False)
    if min(part.shape) < part.shape[1] or singular[-1] < _DEPENDENT * singular[0]:
        raise DataError(
            f"the posterior is improper: the columns {', '.join(names[flat])} have Flat() priors "
            f"and are linearly dependent; {advice}"
        )
