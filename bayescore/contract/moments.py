"""Are the moments that a backend claims those of its own draws?

Only an exact posterior and a guide have any, and their draws are independent, so that the
Monte Carlo error of every difference is known: `FALSE_ALARMS` is the rate of false alarms for
all of them together. A difference that could move no verdict is let pass (`SLACK` sds), and so
is the spread of what has tails too heavy for its error to be estimated.
"""

import numpy as np

from bayescore.contract.predictions import Offence, critical
from bayescore.model.arrays import Array
from bayescore.model.posterior import Moments, Posterior, to_judged
from bayescore.model.transforms import Bounds

FALSE_ALARMS = 1e-4
SLACK = 0.01
FEWEST = 100
"""Fewer draws say nothing."""
_HEAVY = 20.0
"""Kurtosis over which the error of an sd is not known from draws."""
_DIRECTIONS = 50
"""More parameters than this have their correlations left to the judgement of posteriors."""


def offence(posterior: Posterior, bounds: tuple[Bounds, ...]) -> Offence | None:
    """What is wrong with a posterior's moments."""
    m = posterior.moments
    if m is None or np.prod(posterior.shape) < FEWEST:
        return None
    draws = np.stack([v.ravel() for v in posterior.parameters().values()], axis=-1)
    judged = to_judged(draws, bounds)
    limit = critical(FALSE_ALARMS, 4 * len(m.names) + len(m.names) ** 2)
    with np.errstate(all="ignore"):  # equal draws have no kurtosis, and no logarithm of their sd
        return (
            _of_each("unconstrained ", m.names, judged, m.unconstrained_mean, np.sqrt(np.diag(m.unconstrained_cov)),
                     m.unconstrained_mean_error, m.unconstrained_sd_error, limit)
            or _of_each("", m.names, draws, m.mean, m.sd, m.mean_error, m.sd_error, limit)
            or _of_correlations(m, judged, limit)
        )  # fmt: skip


def log_joint_offence(moments: Moments, log_joint: Array) -> Offence | None:
    """What is wrong with the mean log joint that is claimed, given that of the draws, shape (draw,)."""
    if moments.log_joint is None or log_joint.size < FEWEST:
        return None
    limit = critical(FALSE_ALARMS, 1)
    sd = float(log_joint.std())
    error = float(np.hypot(sd / np.sqrt(log_joint.size), _known(np.array(moments.log_joint_error))))
    if abs(log_joint.mean() - moments.log_joint) <= limit * error + SLACK * sd:
        return None
    return Offence(
        f"the mean log joint of the draws, {log_joint.mean():.6g} ± {error:.2g}",
        f"{moments.log_joint:.6g}",
        "another density, or its constants are left out",
    )


def _of_each(
    scale: str,
    names: tuple[str, ...],
    draws: Array,
    mean: Array,
    sd: Array,
    mean_error: Array,
    sd_error: Array,
    limit: float,
) -> Offence | None:
    """Means and sds, one parameter after the other."""
    n = len(draws)
    centre, own = draws.mean(axis=0), draws.std(axis=0)
    unit = np.maximum(own, sd)  # a heavy tail's draws have too small an sd, a false claim may have
    apart = np.abs(centre - mean) - limit * np.hypot(unit / np.sqrt(n), _known(mean_error)) - SLACK * unit
    if np.any(apart > 0):
        j = int(np.argmax(apart / unit))
        return Offence(
            f"the {scale}means of its own draws, {centre[j]:.6g} for {names[j]}",
            f"{mean[j]:.6g} ({abs(centre[j] - mean[j]) / unit[j]:.2g} sds off)",
            "moments and draws are of different fits, scales or orders of parameters",
        )
    kurtosis = np.mean((draws - centre) ** 4, axis=0) / own**4
    error = np.hypot(np.sqrt(np.maximum(kurtosis - 1.0, 0.0) / (4 * n)), _known(sd_error) / sd)
    apart = np.where(kurtosis < _HEAVY, np.abs(np.log(own / sd)) - limit * error - SLACK, 0.0)
    if np.any(apart > 0) or np.any(own == 0):
        j = int(np.argmax(np.where(own == 0, np.inf, apart)))
        return Offence(
            f"the {scale}sds of its own draws, {own[j]:.6g} for {names[j]}",
            f"{sd[j]:.6g} ({sd[j] / own[j] if own[j] else np.inf:.3g} times)",
            "a variance or a precision for an sd" if _power(own[j], sd[j]) else "sds of another scale, or of the mean",
        )
    return None


def _power(own: float, claimed: float) -> bool:
    return own > 0 and any(abs(np.log(claimed / own**power)) < 0.05 for power in (2, 0.5, -1, -2))


def _of_correlations(m: Moments, judged: Array, limit: float) -> Offence | None:
    """Draws whitened by the claimed covariance have none left."""
    d = len(m.names)
    if not 1 < d <= _DIRECTIONS:
        return None
    sd = np.sqrt(np.diag(m.unconstrained_cov))
    try:
        root = np.linalg.cholesky(m.unconstrained_cov / np.outer(sd, sd))
    except np.linalg.LinAlgError:
        return Offence("a covariance of a distribution", "one that is not positive definite", "variances for sds")
    white = np.linalg.solve(root, ((judged - m.unconstrained_mean) / sd).T).T
    squares = white**2
    left = white.T @ white / len(white) - np.eye(d)
    error = np.sqrt(np.maximum(squares.T @ squares / len(white) - (left + np.eye(d)) ** 2, 0.0) / len(white))
    shares = _known(m.unconstrained_sd_error) / sd
    tails = np.maximum.outer(*(2 * [np.mean(squares**2, axis=0)])) > _HEAVY
    apart = np.where(tails, 0.0, np.abs(left) - limit * error - 2 * (np.add.outer(shares, shares) * limit + SLACK))
    if not np.any(apart > 0):
        return None
    i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
    own, said = float(np.corrcoef(judged[:, i], judged[:, j])[0, 1]), m.unconstrained_cov[i, j] / (sd[i] * sd[j])
    return Offence(
        f"the covariance of its own draws, whose {m.names[i]} and {m.names[j]} correlate by {own:.3f}",
        f"{said:.3f}",
        "the correlations are left out" if abs(said) < 1e-9 else "a precision for a covariance, or another order",
    )


def _known(error: Array) -> Array:
    """Errors that are known; a guide of a few steps gives NaN for its own."""
    return np.nan_to_num(np.asarray(error, dtype=np.float64), nan=0.0, posinf=np.inf)
