"""Coordinates for a density that only torch knows: its mode, and its curvature there."""

import numpy as np
import torch
from scipy.optimize import minimize

from bayescore.coordinates import Coordinates
from bayescore.distributions import Array
from bayescore.methods import SVI, Method
from bayescore_pyro.target import Target


def laplace_coordinates(target: Target, start: Array, method: Method) -> Coordinates:
    """Coordinates at the mode, in units of the sd that a guide reaches in the Laplace approximation.

    A mean-field guide's axes stay those of the parameters; a full-rank guide and NUTS
    get the covariance's Cholesky factor. Without a proper maximum near ``start``, an
    unconstrained vector of shape (d,), its own units serve.

    Notes
    -----
    The mode is found by trust-region Newton steps (Nocedal and Wright, *Numerical
    Optimization*, 2nd edition, section 4.3) with exact Hessians.
    """
    slots, d = target.coordinates.slots, start.size
    raw = target.at(Coordinates(np.zeros(d), np.eye(d), slots))
    if isinstance(method, SVI) and method.init == "random":
        return raw.coordinates

    def loss(u: torch.Tensor) -> torch.Tensor:
        return -raw.log_joint(u)

    gradient = torch.func.grad(loss)
    hessian = torch.func.jacrev(gradient)

    def at(u: Array) -> torch.Tensor:
        return torch.tensor(u, dtype=torch.get_default_dtype())

    found = minimize(
        lambda u: loss(at(u)).item(),
        start,
        jac=lambda u: gradient(at(u)).double().numpy(),
        hess=lambda u: hessian(at(u)).double().numpy(),
        method="trust-exact",
        options={"gtol": 1e-8},
    )
    mode: Array = found.x
    precision = hessian(at(mode)).double().numpy()
    try:
        root = np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        return Coordinates(start, np.eye(d), slots)
    if isinstance(method, SVI) and method.guide != "full_rank":
        return Coordinates(mode, np.diag(1.0 / np.sqrt(np.diag(precision))), slots)
    return Coordinates(mode, np.linalg.inv(root).T, slots)
