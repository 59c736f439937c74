"""What a Gaussian guide of a program says about the free entries of its sites, with errors.

The guide's own coordinates are its backend's affair; so moments are its draws', which are independent,
and to their error comes that of the averaged iterates: of all coordinates the largest, in guide sds.
"""

from collections.abc import Mapping

import numpy as np

from bayescore.density.guide import mean_error
from bayescore.model.arrays import Array
from bayescore.model.posterior import Moments, Posterior, to_judged
from bayescore.programs.sides import Sites
from bayescore.programs.target import free_entries


def moments_of(posterior: Posterior, sites: Sites, iterates: Mapping[str, Array], *, average: bool = True) -> Moments:
    """Moments by a guide's draws, on the scale that entries are judged on.

    Parameters
    ----------
    iterates
        ``loc`` and ``log_scale`` at each step of the averaged half, or at some evenly spaced, shape (step, d).
        The mean of some is off by more than that of all, so that the error is never too small.
    average
        Whether the estimate is the iterates' mean. The last iterate's error is the sd of the iterates.
    """
    names, bounds, columns = [], [], []
    for site in sites:
        if site.name not in posterior.draws:
            continue
        labels = Posterior({site.name: posterior.draws[site.name]}).parameters()
        for k, ends in zip(*free_entries(site), strict=True):
            name = list(labels)[k]
            if np.ptp(labels[name]) > 0:
                names.append(name)
                bounds.append(ends)
                columns.append(labels[name].ravel())
    values = np.stack(columns, axis=-1)
    of_loc, of_scale = _errors(iterates, average)
    judged = to_judged(values, bounds)
    cov = np.atleast_2d(np.cov(judged, rowvar=False))
    sd, own_sd = np.sqrt(np.diag(cov)), values.std(axis=0)
    count = len(values)
    to_mean, to_sd = np.hypot(count**-0.5, of_loc), np.hypot(_relative_sd_error(judged), of_scale)
    return Moments(
        tuple(names),
        judged.mean(axis=0),
        sd * to_mean,
        cov,
        sd * to_sd,
        values.mean(axis=0),
        own_sd * to_mean,
        own_sd,
        own_sd * np.hypot(_relative_sd_error(values), of_scale),
    )


def _errors(iterates: Mapping[str, Array], average: bool) -> tuple[float, float]:
    """Largest errors of the locations, in guide sds, and of the log scales."""
    scale = np.exp(iterates["log_scale"].mean(axis=0))
    of_loc, of_scale = (_error(iterates[name], average) for name in ("loc", "log_scale"))
    return float(np.max(of_loc / scale)), float(np.max(of_scale))


def _error(series: Array, average: bool) -> Array:
    return mean_error(series) if average else np.asarray(series.std(axis=0, ddof=1))


def _relative_sd_error(values: Array) -> Array:
    """Of the sds of independent draws (draw, k), as a share of them."""
    centred = values - values.mean(axis=0)
    m2, m4 = np.mean(centred**2, axis=0), np.mean(centred**4, axis=0)
    return np.asarray(np.sqrt((m4 - m2**2) / len(values)) / (2.0 * m2))
