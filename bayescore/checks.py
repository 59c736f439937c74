"""What is remarkable about the data of a regression, before any fit.

Legitimate but delicate data give warnings that name the columns; a posterior that does
not exist is an error.
"""

import numpy as np

from bayescore.data import Data
from bayescore.distributions import Array, Distribution
from bayescore.errors import DataError
from bayescore.families import Bernoulli, Binomial
from bayescore.reduction import Reduced, reduce, triangular_factor
from bayescore.regression import Regression

_DEPENDENT = 1e-10
_NEARLY = 0.1
_SCALES = 1e4
_LARGEST_PROGRAM = 2_000_000


def check(regression: Regression, data: Data) -> list[str]:
    """Return warnings about the data.

    Raises
    ------
    DataError
        y lies outside the family's support, or the posterior is improper.
    """
    regression.family.check_response(data)
    if not data.columns or regression.network is not None:
        return []
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
    if isinstance(regression.family, Bernoulli | Binomial):
        warnings += _separation(regression, data)
    return warnings


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
    if regression.thresholds:  # one that is not flat holds all of them
        intercepts = (next((prior for prior in regression.thresholds if prior.proper), regression.thresholds[0]),)
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
    unknowns = int(flat.sum()) + flat_intercept
    if unknowns > rows:
        raise DataError(
            f"the posterior is improper: {unknowns} coefficients with Flat() priors and only {rows} rows; {advice}"
        )
    if flat_intercept and (flat & constant).any():
        raise DataError(
            f"the posterior is improper: {', '.join(names[flat & constant])} is constant like the intercept, "
            f"and both have Flat() priors; {advice}"
        )
    if intercept is not None and not flat_intercept:
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


def _separation(regression: Regression, data: Data) -> list[str]:
    """Whether a linear predictor tells all failures from all successes (Albert and Anderson 1984, Biometrika 71)."""
    failures = (1.0 if data.trials is None else data.trials) - data.observed
    which = np.concatenate([np.flatnonzero(data.observed > 0), np.flatnonzero(failures > 0)])
    signs = np.repeat([1.0, -1.0], [np.count_nonzero(data.observed > 0), np.count_nonzero(failures > 0)])
    if which.size * data.x.shape[1] > _LARGEST_PROGRAM:
        return []
    x = data.x / np.where(np.ptp(data.x, axis=0) > 0, np.std(data.x, axis=0), 1.0)
    intercept = regression.intercept if isinstance(regression.intercept, Distribution) else None
    found = _separator(x[which], signs, np.ones(x.shape[1], dtype=bool), intercept is not None)
    if found is None:
        return []
    names = [c for c, w in zip(data.columns, found, strict=True) if w > 0.05 * found.max(initial=0.0)]
    parts = "the zeros of {y} from the ones" if data.trials is None else "the failures of {y} from the successes"
    sentence = f"separation: {', '.join(names) or 'the intercept'} tells {parts.format(y=repr(data.response))}"
    flat = np.array([not prior.proper for prior in regression.beta], dtype=bool)
    if _separator(x[which], signs, flat, intercept is not None and not intercept.proper) is not None:
        raise DataError(f"the posterior is improper: {sentence}, and priors are Flat(); give them Normal priors")
    return [f"{sentence}; the likelihood has no maximum, and the priors set the size of the coefficients"]


def _separator(x: Array, signs: Array, free: "np.ndarray", intercept: bool) -> Array | None:
    """Sizes of weights with which no row lies on its wrong side and some lie on the right one, or None.

    Weights that are not free are 0.
    """
    from scipy.optimize import linprog

    if not (free.any() or intercept):
        return None
    centred = np.column_stack([np.ones(len(x)), x - x.mean(axis=0)]) if intercept else x
    rows = signs[:, None] * centred
    ends = np.outer([True, *free] if intercept else free, [-1.0, 1.0])
    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=ends)
    if found.status != 0 or -found.fun < 1e-7 * len(rows):
        return None
    return np.asarray(np.abs(found.x[1:] if intercept else found.x))
