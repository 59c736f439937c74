"""Assertions for other people's tests of samplers, in place of fixed tolerances.

>>> assert_posteriors_agree(draws_of_mine, reference_draws)
>>> assert_same_model(my_log_density, reference_log_density, points)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.conclusion import Finished, conclude_pair, enter
from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.agreement.pairs import Pair
from bayescore.density.target import Scalars
from bayescore.errors import DataError, RequestError
from bayescore.inference_data import from_arviz
from bayescore.methods import NUTS, Exact
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import POSITIVE, REAL

Draws = Posterior | Mapping[str, Any] | Any
"""A `Posterior`, ArviZ data, or a dictionary of arrays (chain, draw, ...)."""

_LEAST = 3
_SHORTEST = 20
"""Draws of a chain; with fewer, and more chains than that, the axes have been taken for each other."""


def assert_posteriors_agree(
    a: Draws, b: Draws, *, margin: float = MARGIN, alpha: float = ALPHA, positive: Sequence[str] = ()
) -> None:
    """Assert that two sets of draws come from the same posterior, within a margin.

    Means, sds and principal directions are compared by the rule of
    `bayescore.agreement.rule`; inconclusive is a failure, which says how many more draws
    would settle it. Entries that are the same constant on both sides, as the diagonal of a
    Cholesky factor, are left out.

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
    RequestError
        A margin or a rate makes no sense.
    """
    _check_number("margin", margin, np.inf)
    _check_number("alpha", alpha, 1.0)
    first, second = (_read(side, data) for side, data in (("a", a), ("b", b)))
    names = tuple(first.draws)
    if set(names) != set(second.draws):
        odd = sorted(set(names) ^ set(second.draws))
        raise DataError(f"the parameters are not the same; only one side has {', '.join(odd)}")
    wrong = sorted(set(positive) - set(names))
    if wrong:
        raise DataError(f"no parameter {wrong[0]!r} (parameters: {', '.join(names)})")
    for side, posterior in (("a", first), ("b", second)):
        for name in positive:
            least = float(posterior.draws[name].min())
            if least <= 0:
                raise DataError(f"{name!r} can't be compared as a logarithm: {side} has a draw of {least:g}")
    kept = _moving(first, second)
    given = Scalars(kept, tuple(POSITIVE if name in positive else REAL for name in kept))
    pair = _compare(_part(first, kept), _part(second, kept), given, margin, alpha)
    if pair.verdict != "agree":
        raise AssertionError(f"{pair.verdict}: " + "; ".join(f"{r.code}: {r.text}" for r in pair.reasons))


def _check_number(name: str, value: float, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < below:
        bound = "a positive number" if below == np.inf else f"a number between 0 and {below:g}"
        raise RequestError(f"{name} must be {bound}, not {value!r}")


def _read(side: str, data: Draws) -> Posterior:
    """The scalar parameters as sites of their own, looked at."""
    posterior = _posterior(side, data)
    if not posterior.draws:
        raise DataError(f"{side} has no parameters")
    if posterior.estimand != "posterior":
        raise DataError(f"{side} is a point estimate ({posterior.kind}), which has no spread to judge it by")
    flat = posterior.parameters()
    if not flat:
        raise DataError(f"{side} has no parameters: {next(iter(posterior.draws))!r} is empty")
    chains, draws = next(iter(flat.values())).shape
    for name, values in flat.items():
        if values.shape != (chains, draws):
            raise DataError(f"{side}: {name!r} has {values.shape} chains and draws, and others {(chains, draws)}")
        if not np.all(np.isfinite(values)):
            raise DataError(f"{side}: the draws of {name!r} are not all finite")
    if not draws or not chains:
        raise DataError(f"{side} has no draws")
    if draws < _SHORTEST < chains:
        raise DataError(
            f"{side} has {chains} chains of {draws} draws: draws have shape (chain, draw, ...); swap the axes"
        )
    return Posterior(flat, {}, posterior.sample_stats, posterior.moments, posterior.kind)


def _posterior(side: str, data: Draws) -> Posterior:
    if isinstance(data, Posterior):
        return data
    if not isinstance(data, Mapping) or hasattr(data, "posterior"):
        return from_arviz(data)
    draws = {str(name): _array(f"{side}: {name!r}", values) for name, values in data.items()}
    for name, values in draws.items():
        if values.ndim < 2:
            raise DataError(f"{side}: {name!r} has shape {values.shape}; draws have shape (chain, draw, ...)")
    return Posterior(draws)


def _array(what: str, values: Any) -> Array:
    """Real numbers of anything that holds some, a tensor that requires a gradient included."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{array.dtype} values")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} holds no real numbers: {error}") from error


def _moving(a: Posterior, b: Posterior) -> tuple[str, ...]:
    """The parameters to judge: those that are not the same constant on both sides, if there are any."""
    kept = []
    for name, of_a in a.draws.items():
        of_b = b.draws[name]
        still = np.ptp(of_a) == 0 and np.ptp(of_b) == 0
        if still and of_a[0, 0] != of_b[0, 0]:
            raise AssertionError(f"disagree: {name} is always {of_a[0, 0]:g} in a, and always {of_b[0, 0]:g} in b")
        if not still:
            kept.append(name)
    return tuple(kept or a.draws)


def _part(posterior: Posterior, names: tuple[str, ...]) -> Posterior:
    moments = None if posterior.moments is None else posterior.moments.take(names)
    draws = {name: posterior.draws[name] for name in names}
    return Posterior(draws, {}, posterior.sample_stats, moments, posterior.kind)


def _compare(a: Posterior, b: Posterior, given: Scalars, margin: float, alpha: float) -> Pair:
    def candidate(name: str, posterior: Posterior) -> Candidate:
        method = NUTS() if posterior.kind == "chains" else Exact()
        return enter(given, Finished(name, method, posterior))

    return conclude_pair(candidate("a", a), candidate("b", b), margin=margin, alpha=alpha)


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
        Where to evaluate them; at least three, spread over the posterior. One where both
        are -inf says that neither has mass there, and no more.
    tolerance
        Of each point, as a share of 1 plus the size of the log density there and where it is highest.

    Raises
    ------
    AssertionError
        The differences vary, or only one of them is -inf somewhere.
    DataError
        There are fewer than three different points where both are finite, or a density
        can't be evaluated.
    RequestError
        The tolerance is not a positive number.
    """
    _check_number("tolerance", tolerance, np.inf)
    first, second = (_evaluated(side, f, points) for side, f in (("a", a), ("b", b)))
    for k, (of_a, of_b) in enumerate(zip(first, second, strict=True)):
        if of_a != of_b and not np.isfinite([of_a, of_b]).all():
            raise AssertionError(f"a is {of_a:g} and b is {of_b:g} at point {k}: {dict(points[k])}")
    used: list[int] = np.flatnonzero(np.isfinite(first) & np.isfinite(second)).tolist()
    different = {tuple(np.ravel(v).tobytes() for v in map(np.asarray, points[k].values())) for k in used}
    if len(different) < _LEAST:
        raise DataError(
            f"{len(different)} different points where both are finite are too few: give at least {_LEAST}, "
            "spread over the posterior"
        )
    difference, size = first[used] - second[used], 1.0 + np.maximum(np.abs(first[used]), np.abs(second[used]))
    top = int(np.argmax(second[used]))
    apart, limit = np.abs(difference - difference[top]), tolerance * (size + size[top])
    worst = int(np.argmax(apart / limit))
    if apart[worst] > limit[worst]:
        raise AssertionError(
            f"the log densities differ by more than a constant: by {apart[worst]:.3g} nats more at point {used[worst]} "
            f"than at point {used[top]}, allowed {limit[worst]:.3g}; it is {dict(points[used[worst]])}"
        )


def _evaluated(
    side: str, density: Callable[[Mapping[str, Array]], float], points: Sequence[Mapping[str, Array]]
) -> Array:
    """A log density at all points; +inf and NaN are none."""
    found = []
    for k, point in enumerate(points):
        try:
            value = density(point)
        except Exception as error:  # somebody's code: whatever it raises is not a comparison that failed
            raise DataError(f"{side} raises {type(error).__name__} at point {k}: {error}") from error
        number = _array(f"{side} at point {k}", value)
        if number.size != 1:
            raise DataError(f"{side} gives an array of shape {number.shape} at point {k}, not one number")
        found.append(float(number.reshape(())))
        if np.isnan(found[-1]) or found[-1] == np.inf:
            raise AssertionError(f"{side} is {found[-1]:g} at point {k}, which is no log density: {dict(point)}")
    return np.array(found)
