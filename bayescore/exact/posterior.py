"""The exact posterior of a Gaussian regression: moments, evidence, independent draws.

With sigma fixed it is Gaussian. With a prior on sigma, the coefficients given sigma
are, and log sigma is integrated by the trapezoidal rule, which converges
geometrically for a smooth density that vanishes at both ends (Trefethen and Weideman
2014, SIAM Review 56, 385-458).
"""

from dataclasses import dataclass

import numpy as np

from bayescore.density.reduction import reduce
from bayescore.errors import UnsupportedError
from bayescore.exact.gaussian import ConditionalGaussian, GivenSigma
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Moments, Posterior, label
from bayescore.model.regression import Regression

_NODES = 2001
_NATS = 45.0
"""How far the density has fallen at the ends of the grid: e^-45 is 3e-20."""
_WIDEST = 300.0


@dataclass(frozen=True)
class ExactPosterior:
    """A mixture over sigmas of Gaussians over the coefficients.

    Attributes
    ----------
    log_sigma, weights
        The grid and its posterior probabilities, shape (node,).
    given
        The coefficients at each node.
    """

    regression: Regression
    conditional: ConditionalGaussian
    log_sigma: Array
    weights: Array
    given: GivenSigma
    moments: Moments

    def sample(self, draws: int, seed: int) -> Posterior:
        """Independent draws, shape (1, draws, ...)."""
        rng = np.random.default_rng(seed)
        regression = self.regression
        u = _sample_grid(self.log_sigma, self.weights, rng, draws)
        at = self.conditional.at(np.exp(u))
        w = at.mean + rng.standard_normal((draws, at.mean.shape[-1])) / np.sqrt(at.precision)
        theta = w @ self.conditional.basis.T
        slots = [slot for slot in regression.slots() if slot.site != "sigma"]
        values = {s.site: theta[:, s.start : s.stop].reshape(1, draws, *s.shape) for s in slots}
        if regression.auxiliary:
            values["sigma"] = np.exp(u)[None]
        return label(regression, values, moments=self.moments, kind="exact")


def solve(regression: Regression, data: Data) -> ExactPosterior:
    """Compute the exact posterior of a Gaussian regression.

    Raises
    ------
    UnsupportedError
        The posterior, or the variance of one of its parameters, does not exist.
    """
    reduced = reduce(data)
    fixed = regression.family.fixed.get("sigma")
    if fixed is not None:
        conditional = ConditionalGaussian(regression, reduced, fixed)
        log_sigma = np.array([np.log(fixed)])
        weights, log_evidence, log_prior = np.ones(1), None, np.zeros(1)
    else:
        rest = abs(float(reduced.r[-1, -1])) / np.sqrt(max(reduced.rows - len(regression.columns) - 1, 1))
        spread = float(np.linalg.norm(reduced.r[:, -1])) / np.sqrt(reduced.rows)
        conditional = ConditionalGaussian(regression, reduced, rest if rest > 1e-8 * spread else spread or 1.0)
        log_sigma = _grid(regression, conditional)
        log_prior = regression.auxiliary["sigma"].log_prob(np.exp(log_sigma))
        density = conditional.at(np.exp(log_sigma)).log_marginal + log_prior + log_sigma
        top = float(np.max(density))
        mass = np.exp(density - top)
        step = float(log_sigma[1] - log_sigma[0])
        weights, log_evidence = mass / mass.sum(), top + float(np.log(mass.sum() * step))
    given = conditional.at(np.exp(log_sigma))
    if log_evidence is None:
        log_evidence = float(given.log_marginal[0])
    proper = all(site.proper for site in regression.sites)
    moments = _moments(
        regression,
        conditional,
        given,
        log_sigma,
        weights,
        log_joint=float(weights @ (given.log_joint + log_prior)),
        log_evidence=log_evidence if proper else None,
    )
    return ExactPosterior(regression, conditional, log_sigma, weights, given, moments)


def _grid(regression: Regression, conditional: ConditionalGaussian) -> Array:
    """Equally spaced log sigmas that hold all of the posterior, and of its second moments."""
    prior = regression.auxiliary["sigma"]

    def fallen(u: Array) -> Array:
        """How far the density and that of the second moment lie below their tops, the lesser."""
        density = conditional.at(np.exp(u)).log_marginal + prior.log_prob(np.exp(u)) + u
        return np.minimum(np.max(density) - density, np.max(density + 2 * u) - density - 2 * u)

    middle = float(np.log(conditional.sigma_0))
    low, high = middle - 5.0, middle + 5.0
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        while True:
            u = np.linspace(low, high, _NODES)
            below = fallen(u)
            if below[0] >= _NATS and below[-1] >= _NATS:
                break
            low, high = low - 5.0 * (not below[0] >= _NATS), high + 5.0 * (not below[-1] >= _NATS)
            if middle - low > _WIDEST:
                raise UnsupportedError(
                    "the posterior of sigma is improper at 0: the coefficients fit the response without "
                    "residual; fix sigma, or use fewer columns"
                )
            if high - middle > _WIDEST:
                raise UnsupportedError(
                    "the posterior of sigma is improper, or has no variance: too few rows for its prior "
                    f"({prior}); use one that falls off, as HalfNormal"
                )
        for _ in range(3):
            inside = np.flatnonzero(below < _NATS)
            low, high = u[max(inside[0] - 1, 0)], u[min(inside[-1] + 1, _NODES - 1)]
            u = np.linspace(low, high, _NODES)
            below = fallen(u)
    return u


def _moments(
    regression: Regression,
    conditional: ConditionalGaussian,
    given: GivenSigma,
    log_sigma: Array,
    weights: Array,
    *,
    log_joint: float,
    log_evidence: float | None,
) -> Moments:
    w_mean = weights @ given.mean
    shift = given.mean - w_mean
    basis = conditional.basis
    inner = np.diag(weights @ (1.0 / given.precision)) + (shift * weights[:, None]).T @ shift
    mean, cov = basis @ w_mean, basis @ inner @ basis.T
    constrained_mean, constrained_sd = mean, np.sqrt(np.diag(cov))
    if regression.auxiliary:
        u_mean = float(weights @ log_sigma)
        cross = basis @ (shift.T @ (weights * (log_sigma - u_mean)))
        u_var = float(weights @ (log_sigma - u_mean) ** 2)
        cov = np.block([[cov, cross[:, None]], [cross[None, :], np.array([[u_var]])]])
        mean = np.append(mean, u_mean)
        sigma = np.exp(log_sigma)
        sigma_mean = float(weights @ sigma)
        constrained_mean = np.append(constrained_mean, sigma_mean)
        constrained_sd = np.append(constrained_sd, np.sqrt(weights @ (sigma - sigma_mean) ** 2))
    zero = np.zeros(mean.size)
    return Moments(
        regression.parameters,
        mean,
        zero,
        cov,
        zero,
        constrained_mean,
        zero,
        constrained_sd,
        zero,
        log_joint=log_joint,
        log_evidence=log_evidence,
    )


def _sample_grid(grid: Array, weights: Array, rng: np.random.Generator, draws: int) -> Array:
    """Draw from the piecewise linear density through the nodes, by inversion."""
    if grid.size == 1:
        return np.repeat(grid, draws)
    masses = (weights[1:] + weights[:-1]) / 2
    cumulative = np.concatenate([[0.0], np.cumsum(masses)])
    target = rng.random(draws) * cumulative[-1]
    cell = np.clip(np.searchsorted(cumulative, target, side="right") - 1, 0, masses.size - 1)
    left, right = weights[cell], weights[cell + 1]
    area = np.clip((target - cumulative[cell]) / np.where(masses[cell] > 0, masses[cell], 1.0), 0.0, 1.0)
    # solves left t + (right - left) t^2 / 2 = area (left + right) / 2 for t in [0, 1]
    share = area * (left + right) / (left + np.sqrt(left**2 + (right**2 - left**2) * area))
    return np.asarray(grid[cell] + share * (grid[1] - grid[0]))
