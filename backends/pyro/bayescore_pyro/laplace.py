"""The Laplace approximation, with torch's own derivatives."""

import numpy as np
import torch
from scipy.optimize import minimize

from bayescore.backend import Progress
from bayescore.density.guide import summarize
from bayescore.errors import UnsupportedError
from bayescore.methods import Laplace
from bayescore.model.arrays import Array
from bayescore_pyro.density import Density
from bayescore_pyro.found import Found, gaussian_draws

_NEAR = 1e-4
"""A point is the mode if the next Newton step is shorter than a hundredth of a posterior sd,"""
_STILL = 1e-2
"""and than a hundredth of the way so far: where there is no maximum the steps never shorten."""


def fit(target: Density, method: Laplace, seed: int, progress: Progress) -> Found:
    """Find the mode from z = 0, and take the Gaussian of the curvature there.

    Raises
    ------
    UnsupportedError
        There is no proper maximum.
    """
    found = mode_and_precision(target)
    if found is None:
        raise UnsupportedError(
            "laplace: the density of the unconstrained parameters has no proper maximum near its start: "
            + ("leave out centred, or use nuts" if method.centred else "use nuts")
        )
    progress(1, 1)
    mode, precision = found
    root = np.linalg.cholesky(np.linalg.inv(precision))
    estimate = {"loc": mode, "log_scale": np.log(np.diag(root)), "lower": np.tril(root, -1)}
    constant = {name: np.stack([value, value]) for name, value in estimate.items()}  # a guide that has settled
    return Found(
        gaussian_draws(target.coordinates, estimate, method.draws),
        lambda regression: summarize(regression, target.coordinates, constant, average=True).moments,
    )


def mode_and_precision(target: Density) -> tuple[Array, Array] | None:
    """Mode (d,) of the density of z, searched for from z = 0, and minus its Hessian (d, d) there.

    None if the search does not end at a proper maximum.

    Notes
    -----
    The steps are trust-region Newton steps (Nocedal and Wright, *Numerical Optimization*,
    2nd edition, section 4.3) with exact Hessians.
    """

    def loss(z: torch.Tensor) -> torch.Tensor:
        return -target.log_joint(z)

    gradient = torch.func.grad(loss)
    hessian = torch.func.jacrev(gradient)

    def at(z: Array) -> torch.Tensor:
        return torch.tensor(z, dtype=torch.get_default_dtype())

    found = minimize(
        lambda z: np.nan_to_num(loss(at(z)).item(), nan=np.inf, posinf=np.inf),  # not a number: too far
        np.zeros(target.size),
        jac=lambda z: gradient(at(z)).double().numpy(),
        hess=lambda z: hessian(at(z)).double().numpy(),
        method="trust-exact",
        options={"gtol": 1e-8},
    )
    mode: Array = found.x
    slope, precision = gradient(at(mode)).double().numpy(), hessian(at(mode)).double().numpy()
    try:
        np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        return None
    step = np.linalg.solve(precision, slope)
    arrived = slope @ step < _NEAR and np.linalg.norm(step) < _STILL * (1.0 + np.linalg.norm(mode))
    return (mode, precision) if arrived else None
