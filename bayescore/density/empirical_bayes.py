"""Where the mass of a hierarchical posterior lies: its sds at their likeliest, the others around theirs.

With group effects the joint mode is of little use: the offsets shrink as the sd grows, so
that the density is highest where there is hardly any mass. The covariance of a term's
effects is therefore found by EM with the offsets integrated out by Laplace's method, in the
parameter-expanded form that standard normal offsets z bring about: with o = A z, the new
covariance is A S A', S the posterior mean of z z' over the levels (Liu, Rubin and Wu 1998,
*Parameter expansion to accelerate EM*, section 4). Hyperpriors are left out of it: it is a
place to start from.
"""

from collections.abc import Sequence

import numpy as np

from bayescore.density.mode import climb, laplace, unconstrained_density
from bayescore.density.specification import LogJoint
from bayescore.model.arrays import Array
from bayescore.model.regression import Regression
from bayescore.model.transforms import Bounds, Slot, cholesky, constrain, unconstrain

_ITERATIONS = 15
_TOLERANCE = 0.02
"""Change of a log sd at which EM ends."""
_DECREMENT = 1e-4
_LEAST_SD = 0.05
"""Of an sd's logarithm in the approximation: about 1 / sqrt(2 levels), and no less."""


def approximate(joint: LogJoint, start: Array, basis: Array) -> tuple[Array, Array] | None:
    """A point in the middle of the posterior and a precision there, as `bayescore.density.mode.laplace` gives them.

    It is the mode itself for a regression without group effects; otherwise it is one of
    standard normal offsets.
    """
    regression = joint.regression
    layout = regression.slots()
    by_site = {slot.site: slot for slot in layout}
    if not regression.groups:
        return laplace(joint, start, basis)
    hyper = np.concatenate([np.arange(s.start, s.stop) for s in _hyperparameters(regression, by_site)])
    others = np.setdiff1d(np.arange(start.size), hyper)
    value, gradient = unconstrained_density(joint)
    u = start
    for _ in range(_ITERATIONS):
        found = climb(value, gradient, u, basis[:, others], decrement_limit=_DECREMENT)
        if found is None:
            return laplace(joint, start, basis)
        u, own = found
        covariance = np.zeros((start.size, start.size))
        covariance[np.ix_(others, others)] = np.linalg.inv(own)
        moved = _maximize(regression, layout, u, covariance)
        change = float(np.max(np.abs(moved[hyper] - u[hyper])))
        u = moved
        if change < _TOLERANCE:
            break
    found = climb(value, gradient, u, basis[:, others])
    if found is None:
        return laplace(joint, start, basis)
    precision = np.eye(start.size)
    precision[np.ix_(others, others)] = found[1]
    for term in regression.groups:
        for slot in _of_term(term.grouping.keys, by_site):
            sd = max(1.0 / np.sqrt(2.0 * len(term.grouping.levels)), _LEAST_SD)
            precision[slot.start : slot.stop, slot.start : slot.stop] = np.eye(slot.stop - slot.start) / sd**2
    return found[0], precision


def _hyperparameters(regression: Regression, by_site: dict[str, Slot]) -> list[Slot]:
    """Where sds and correlations of groups lie."""
    return [slot for term in regression.groups for slot in _of_term(term.grouping.keys, by_site)]


def _of_term(keys: Sequence[str], by_site: dict[str, Slot]) -> list[Slot]:
    given = getattr(by_site[f"offset({keys[-1]})"].transform, "correlation", None)
    return [by_site[f"sd({key})"] for key in keys] + ([] if given is None else [by_site[given]])


def _maximize(regression: Regression, slots: Sequence[Slot], u: Array, covariance: Array) -> Array:
    """The M step: u with the sds and correlations that the offsets ask for."""
    by_site = {slot.site: slot for slot in slots}
    values, _ = constrain(slots, u, np)
    bounds = {site.name: site.bounds[0] for site in regression.sites if site.size}
    for term in regression.groups:
        keys = term.grouping.keys
        own = [by_site[f"offset({key})"] for key in keys]
        index = np.array([np.arange(slot.start, slot.stop) for slot in own])  # (effect, level)
        blocks = covariance[index[:, None, :], index[None, :, :]].mean(axis=-1)
        second = u[index] @ u[index].T / index.shape[1] + blocks
        sds = np.array([float(values[f"sd({key})"]) for key in keys])
        name = getattr(own[-1].transform, "correlation", None)
        root = np.diag(sds) @ (np.eye(1) if name is None else _root(np.atleast_1d(values[name]), len(keys)))
        new = root @ second @ root.T
        scales = np.sqrt(np.diag(new))
        for key, sd in zip(keys, scales, strict=True):
            values[f"sd({key})"] = np.array(_inside(sd, bounds[f"sd({key})"]))
        if name is not None:
            flat = [new[i, j] / (scales[i] * scales[j]) for i in range(len(keys)) for j in range(i)]
            values[name] = np.reshape(np.clip(flat, -0.95, 0.95), np.shape(values[name]))
    moved = unconstrain(slots, values, np)
    hyper = np.concatenate([np.arange(s.start, s.stop) for s in _hyperparameters(regression, by_site)])
    found = u.copy()
    found[hyper] = moved[hyper]
    return found


def _root(correlations: Array, k: int) -> Array:
    """Cholesky factor of the correlation matrix, shape (k, k)."""
    root = np.zeros((k, k))
    for row, entries in enumerate(cholesky(correlations, k, np)):
        root[row, : row + 1] = entries
    return root


def _inside(sd: float, bounds: Bounds) -> float:
    """An sd well within its support."""
    low, high = bounds
    if np.isinf(high):
        return max(sd, low + 1e-3)
    return float(np.clip(sd, low + 0.02 * (high - low), high - 0.02 * (high - low)))
