"""Assertions for other people's tests of samplers, in place of fixed tolerances.

>>> assert_posteriors_agree(draws_of_mine, reference_draws)
>>> assert_same_model(my_log_density, reference_log_density, points)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescore.agreement.contestant import Contestant
from bayescore.agreement.health import examine
from bayescore.agreement.pairs import Pair, compare
from bayescore.agreement.rule import ALPHA, MARGIN
from bayescore.distributions import Array
from bayescore.errors import DataError
from bayescore.inference_data import from_arviz
from bayescore.methods import NUTS, Exact
from bayescore.posterior import Posterior
from bayescore.transforms import POSITIVE, REAL, Bounds

Draws = Posterior | Mapping[str, Any] | Any
"""A `Posterior`, ArviZ data, or a dictionary of arrays (chain, draw, ...)."""


@dataclass(frozen=True)
class _Parameters:
    parameters: tuple[str, ...]
    bounds: tuple[Bounds, ...]


def assert_posteriors_agree(
    a: Draws, b: Draws, *, margin: float = MARGIN, alpha: float = ALPHA, positive: Sequence[str] = ()
) -> None:
    """Assert that two sets of draws come from the same posterior, within a margin.

    Means, sds and principal directions are compared by the rule of
    `bayescore.agreement.rule`; inconclusive is a failure, which says how many more draws
    would settle it.

    Parameters
    ----------
    a, b
        Posteriors of the same scalar parameters, by name.
    margin
        In posterior sds for means, in log ratios for sds.
    alpha
        Family-wise rate at which identical posteriors may be found to disagree.
    positive
        Names of parameters that are compared as logarithms.

    Raises
    ------
    AssertionError
        They disagree, or it can't be told; the message says why.
    DataError
        The parameters differ, or the draws can't be read.
    """
    first, second = _posterior(a), _posterior(b)
    names = tuple(first.parameters())
    if set(names) != set(second.parameters()):
        odd = sorted(set(names) ^ set(second.parameters()))
        raise DataError(f"the parameters are not the same; only one side has {', '.join(odd)}")
    wrong = sorted(set(positive) - set(names))
    if wrong:
        raise DataError(f"no parameter {wrong[0]!r} (parameters: {', '.join(names)})")
    given = _Parameters(names, tuple(POSITIVE if name in positive else REAL for name in names))
    pair = _compare(_ordered(first, names), _ordered(second, names), given, margin, alpha)
    if pair.verdict != "agree":
        raise AssertionError(f"{pair.verdict}: " + "; ".join(f"{r.code}: {r.text}" for r in pair.reasons))


def _posterior(data: Draws) -> Posterior:
    if isinstance(data, Posterior):
        return data
    if not isinstance(data, Mapping) or hasattr(data, "posterior"):
        return from_arviz(data)
    draws, labels = {}, {}
    for name, values in data.items():
        array = np.asarray(values, dtype=np.float64)
        if array.ndim < 2:
            raise DataError(f"{name!r} has shape {array.shape}; draws have shape (chain, draw, ...)")
        flat = array.reshape(*array.shape[:2], -1) if array.ndim > 2 else array
        draws[str(name)] = flat
        if flat.ndim > 2:
            labels[str(name)] = tuple(str(j) for j in range(flat.shape[2]))
    return Posterior(draws, labels)


def _ordered(posterior: Posterior, names: tuple[str, ...]) -> Posterior:
    """The scalar parameters as sites of their own, in a common order."""
    flat = posterior.parameters()
    if posterior.estimand != "posterior":
        raise DataError(f"one side is a point estimate ({posterior.kind}), which has no spread to judge it by")
    for name, values in flat.items():
        if not np.all(np.isfinite(values)):
            raise DataError(f"the draws of {name!r} are not all finite")
    moments = None if posterior.moments is None else posterior.moments.take(names)
    return Posterior({n: flat[n] for n in names}, {}, posterior.sample_stats, moments, posterior.kind)


def _compare(a: Posterior, b: Posterior, given: _Parameters, margin: float, alpha: float) -> Pair:
    def contestant(name: str, posterior: Posterior) -> Contestant:
        method = NUTS() if posterior.kind == "chains" else Exact()
        return Contestant(name, given, method, posterior, examine(method, posterior, {}))

    first, second = contestant("a", a), contestant("b", b)
    cov = next((c.marginals.cov for c in (first, second) if c.exact), None)
    return compare(first, second, scale=None, cov=cov, margin=margin, alpha=alpha)


def assert_same_model(
    a: Callable[[Mapping[str, Array]], float],
    b: Callable[[Mapping[str, Array]], float],
    points: Sequence[Mapping[str, Array]],
    *,
    tolerance: float = 1e-8,
) -> None:
    """Assert that two log densities differ by a constant only.

    Parameters
    ----------
    a, b
        Log densities in nats of a dictionary of values, both without Jacobian or both with it.
    points
        Where to evaluate them; at least three, spread over the posterior.
    tolerance
        As a share of 1 plus the largest log density.

    Raises
    ------
    AssertionError
        The differences vary.
    DataError
        There are fewer than three points.
    """
    if len(points) < 3:
        raise DataError(f"{len(points)} points are too few: give at least three")
    first, second = (np.array([float(f(point)) for point in points]) for f in (a, b))
    difference = first - second
    spread = float(np.max(np.abs(difference - np.median(difference))))
    limit = tolerance * (1.0 + float(np.max(np.abs(second))))
    if not spread <= limit:
        worst = int(np.argmax(np.abs(difference - np.median(difference))))
        raise AssertionError(
            f"the log densities differ by more than a constant: spread {spread:.3g} nats, allowed {limit:.3g}; "
            f"furthest at point {worst}: {dict(points[worst])}"
        )
