"""What a guide's family can reach: the best mean-field sds, the best shapes, and whether a guide is its family's best.

A converged guide may still differ from the posterior, since its family holds no such
distribution. That is told from a backend's fault by the core's own density: at the
optimum of the ELBO neither the guide's locations nor its scales want to move.
"""

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.quantiles import Standardized
from bayescore.density.coordinates import Coordinates
from bayescore.density.guide import flatten
from bayescore.density.target import Target
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior, to_judged
from bayescore.model.special_functions import ndtri

_DRAWS = 4000
_STEP = 0.1
_QUANTILE = 1.645


def at_optimum(target: Target, coordinates: Coordinates, posterior: Posterior, *, diagonal: bool) -> bool | None:
    """Whether a Gaussian guide with these draws is the best of its family; None where nobody can tell.

    The slopes may not be known, or the draws be too few for a covariance.

    With whitened coordinates e = L^-1 (z - m) of the guide Normal(m, L L'), Newton's steps
    for the ELBO are E[L' g] for the location, in sds, and (1 + E[e_j (L' g)_j]) / 2 for the
    log scales, g the gradient of the log density (Opper and Archambeau 2009, *The
    variational Gaussian approximation revisited*, equations 7 and 8). Both have to be under
    0.1 with their Monte Carlo errors.

    Parameters
    ----------
    diagonal
        Whether L is diagonal, as for a mean-field guide.
    """
    z = _coordinates(coordinates, posterior)
    gradient = target.gradient(coordinates.shares)
    if gradient is None or len(z) <= z.shape[1]:
        return None
    slopes = gradient(coordinates.unconstrained(z)) @ coordinates.matrix
    centred = z - z.mean(axis=0)
    if diagonal:
        root = np.diag(centred.std(axis=0))
    else:
        root = np.linalg.cholesky(np.atleast_2d(np.cov(centred, rowvar=False)))
    whitened = np.linalg.solve(root, centred.T).T
    steps = slopes @ root
    scale_steps = (1.0 + whitened * steps) / 2.0
    return all(_small(values) for values in (steps, scale_steps))


def at_laplace(coordinates: Coordinates, posterior: Posterior) -> bool:
    """Whether draws are those of the Laplace approximation, by the core's own mode and curvature.

    Its coordinates are such that it is Normal(0, I) there (`bayescore.density.coordinates.for_method`): every
    mean has to lie within 0.1, and every variance and covariance within 0.2.
    """
    z = _coordinates(coordinates, posterior)
    if len(z) < 2:
        return False
    cov = np.atleast_2d(np.cov(z, rowvar=False))
    return bool(np.all(np.abs(z.mean(axis=0)) < _STEP) and np.all(np.abs(cov - np.eye(len(cov))) < 2 * _STEP))


def _small(steps: Array) -> bool:
    """Whether the mean step of every coordinate is small beyond its Monte Carlo error; steps (draw, d)."""
    reach = np.abs(steps.mean(axis=0)) + _QUANTILE * steps.std(axis=0) / np.sqrt(len(steps))
    return bool(np.all(reach < _STEP))


def _coordinates(coordinates: Coordinates, posterior: Posterior) -> Array:
    """Some of the draws in the guide's coordinates, shape (draw, d)."""
    return coordinates.inverse({name: v[:_DRAWS] for name, v in posterior.flat().items()})


def best_shape(guide: Candidate, other: Candidate, axes: Array) -> Standardized | None:
    """The shape that the best of a Gaussian family has along directions; known, or by draws.

    Where the parameters are the guide's own coordinates, one by one, it is a Gaussian's.
    Elsewhere the posterior's mean and covariance in those coordinates are carried to the
    parameters. None where parameters are not what is judged.

    Parameters
    ----------
    axes
        Shape (k, d), over the parameters on the scale they are judged on.
    """
    target = guide.target
    if not target.identified:
        return None
    if target.elementwise:
        grid = ndtri((np.arange(_DRAWS) + 0.5) / _DRAWS)
        return Standardized.of(np.broadcast_to(grid, (len(axes), 1, _DRAWS)), known=True)
    if guide.coordinates is None:
        return None
    drawn = _best_draws(target, guide.coordinates, other.posterior, diagonal=guide.mean_field)
    return Standardized.of((drawn @ axes.T).T[:, None, :])


def best_mean_field_sd(target: Target, coordinates: Coordinates, cov: Array, other: Posterior) -> Array:
    """The sds that the best guide of a mean-field family reaches, shape (d,).

    In the guide's coordinates they are 1 / sqrt(precision_jj) (Bishop, *Pattern Recognition
    and Machine Learning*, section 10.1.2), for a Gaussian posterior; the guide's map carries
    them to the parameters.

    Parameters
    ----------
    cov
        The posterior's covariance of the unconstrained parameters; used where these are
        the parameters themselves, one by one.
    other
        The posterior; its draws serve where they are not.
    """
    matrix = coordinates.matrix
    if target.elementwise:
        precision = matrix.T @ np.linalg.solve(cov, matrix)
        return np.asarray(np.sqrt(matrix**2 @ (1.0 / np.diag(precision))))
    return np.asarray(_best_draws(target, coordinates, other, diagonal=True).std(axis=0))


def _best_draws(target: Target, coordinates: Coordinates, other: Posterior, *, diagonal: bool) -> Array:
    """Draws of the best Gaussian guide of a posterior, on the scale that is judged, shape (draw, d)."""
    z = _coordinates(coordinates, other)
    cov = np.atleast_2d(np.cov(z, rowvar=False))
    root = np.diag(1.0 / np.sqrt(np.diag(np.linalg.inv(cov)))) if diagonal else np.linalg.cholesky(cov)
    drawn = z.mean(axis=0) + np.random.default_rng(0).standard_normal(z.shape) @ root.T
    return to_judged(flatten(target, coordinates.constrained(drawn)), target.bounds)
