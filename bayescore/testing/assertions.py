"""Assertions for other people's tests of samplers, in place of fixed tolerances.

>>> assert_posteriors_agree(draws_of_mine, reference_draws)
>>> assert_same_model(my_log_density, reference_log_density, points)
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

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
from bayescore.testing.samplers import is_sampler, posterior_of

Draws = Posterior | Mapping[str, Any] | Any
"""A `Posterior`, ArviZ data, an MCMC object, or a dictionary of arrays (chain, draw, ...)."""

_LEAST = 3
_SHORTEST = 20
"""Draws of a chain; with fewer, and more chains than that, the axes have been taken for each other."""


def assert_posteriors_agree(
    a: Draws,
    b: Draws,
    *,
    names: tuple[str, str] = ("a", "b"),
    var_names: Sequence[str] | None = None,
    rename: Mapping[str, str] = MappingProxyType({}),
    margin: float = MARGIN,
    alpha: float = ALPHA,
    positive: Sequence[str] = (),
) -> None:
    """Assert that two sets of draws come from the same posterior, within a margin.

    Means, sds and principal directions are compared by the rule of
    `bayescore.agreement.rule`; inconclusive is a failure, which says how many more draws
    would settle it. Entries that others determine are left out: those that are the same constant on
    both sides, as the diagonal of a Cholesky factor, the last of a simplex, a symmetric matrix above its
    diagonal.

    Parameters
    ----------
    a, b
        Posteriors of the same scalar parameters, by name: also an MCMC object of Pyro's or NumPyro's that has
        been run, whose divergences count.
    names
        What the two are called in messages.
    var_names
        Sites or scalar parameters to compare; with a ``~`` before them those to leave out.
    rename
        Common names of sites, by those that one side has for them.
    margin
        In posterior sds for means, in log ratios for sds.
    alpha
        Family-wise rate at which identical posteriors may be found to disagree.
    positive
        Names of parameters that are compared as logarithms.

    Raises
    ------
    AssertionError
        They disagree, or it can't be told; the message says why, and has the table of differences.
    DataError
        The parameters differ, or the draws can't be read.
    RequestError
        A margin, a rate or a name makes no sense.
    """
    _check_number("margin", margin, np.inf)
    _check_number("alpha", alpha, 1.0)
    if len(names) != 2 or not all(isinstance(name, str) and name for name in names) or names[0] == names[1]:
        raise RequestError(f"names must be two different texts, as ('pyro', 'numpyro'), not {names!r}")
    sides = [_renamed(side, _posterior(side, data), rename) for side, data in zip(names, (a, b), strict=True)]
    unknown = sorted(old for old in rename if not any(old in of for of in (s.old for s in sides)))
    if unknown:
        raise DataError(f"asked to rename {unknown[0]!r}, and neither side has such a site")
    chosen = [_chosen(side.posterior, var_names) for side in sides]
    first, second = (_read(name, posterior) for name, posterior in zip(names, chosen, strict=True))
    known = tuple(first.draws)
    if set(known) != set(second.draws):
        odd = sorted(set(known) ^ set(second.draws))
        raise DataError(f"the parameters are not the same; only one side has {', '.join(odd)}")
    wrong = sorted(set(positive) - set(known))
    if wrong:
        raise DataError(f"no parameter {wrong[0]!r} (parameters: {', '.join(known)})")
    for side, posterior in zip(names, (first, second), strict=True):
        for name in positive:
            least = float(posterior.draws[name].min())
            if least <= 0:
                raise DataError(f"{name!r} can't be compared as a logarithm: {side} has a draw of {least:g}")
    kept = _moving(names, first, second, _determined(*chosen))
    given = Scalars(kept, tuple(POSITIVE if name in positive else REAL for name in kept))
    pair = _compare(names, _part(first, kept), _part(second, kept), given, margin, alpha)
    if pair.verdict != "agree":
        from bayescore.testing.tables import differences  # a report's imports, for a failure alone

        why = "; ".join(f"{r.code}: {r.text}" for r in pair.reasons)
        raise AssertionError(f"{pair.verdict}: {why}\n\n{differences(pair, margin)}")


class _Side(NamedTuple):
    """A side by common names, and its sites' own names."""

    posterior: Posterior
    old: tuple[str, ...]


def _renamed(side: str, posterior: Posterior, rename: Mapping[str, str]) -> _Side:
    old = tuple(posterior.draws)
    new = [rename.get(name, name) for name in old]
    twice = next((name for name in new if new.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{side} has two sites that are called {twice!r} then: rename another way")
    draws = {rename.get(name, name): values for name, values in posterior.draws.items()}
    labels = {rename.get(name, name): values for name, values in posterior.labels.items()}
    return _Side(replace(posterior, draws=draws, labels=labels) if rename else posterior, old)


def _chosen(posterior: Posterior, var_names: Sequence[str] | None) -> Posterior:
    """The sites that are asked for, or that scalar parameters are asked for of; those are chosen later."""
    if var_names is None:
        return posterior
    wanted = [name for name in var_names if not name.startswith("~")]
    left_out = [name[1:] for name in var_names if name.startswith("~")]
    flat = posterior.parameters()
    for name in (*wanted, *left_out):
        if name not in posterior.draws and name not in flat:
            raise DataError(f"no site or parameter {name!r} (sites: {', '.join(posterior.draws)})")
    kept = {
        name: values
        for name, values in flat.items()
        if (not wanted or _named(name, wanted)) and not _named(name, left_out)
    }
    sites = {n: v for n, v in posterior.draws.items() if all(p in kept for p in _parameters(n, v, posterior))}
    loose = {n: v for n, v in kept.items() if not any(n in _parameters(s, v_, posterior) for s, v_ in sites.items())}
    return Posterior({**sites, **loose}, posterior.labels, posterior.sample_stats, None, posterior.kind)


def _named(parameter: str, names: Sequence[str]) -> bool:
    return parameter in names or parameter.partition("[")[0] in names


def _parameters(site: str, values: Array, posterior: Posterior) -> tuple[str, ...]:
    """Names of a site's scalar parameters, in C order."""
    return tuple(Posterior({site: values}, posterior.labels).parameters())


def _determined(a: Posterior, b: Posterior) -> set[str]:
    """Parameters that others of their site determine, on both sides."""
    found: set[str] = set()
    for name, of_a in a.draws.items():
        of_b = b.draws.get(name)
        if of_b is None or of_a.ndim < 3 or of_a.shape[2:] != of_b.shape[2:]:
            continue
        shape, parameters = of_a.shape[2:], _parameters(name, of_a, a)
        at = np.arange(len(parameters)).reshape(shape)
        if all(_simplex(values) for values in (of_a, of_b)):
            found |= {parameters[k] for k in at[..., -1].ravel()}
        elif len(shape) == 2 and shape[0] == shape[1] and all(_symmetric(values) for values in (of_a, of_b)):
            found |= {parameters[k] for k in at[np.triu_indices(shape[0], 1)]}
    return found


def _simplex(values: Array) -> bool:
    return values.shape[-1] > 1 and bool(np.all(values >= 0) and np.allclose(values.sum(axis=-1), 1.0, atol=1e-5))


def _symmetric(values: Array) -> bool:
    return bool(np.allclose(values, values.swapaxes(-1, -2), rtol=1e-6, atol=1e-8))


def _check_number(name: str, value: float, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < below:
        bound = "a positive number" if below == np.inf else f"a number between 0 and {below:g}"
        raise RequestError(f"{name} must be {bound}, not {value!r}")


def _read(side: str, posterior: Posterior) -> Posterior:
    """The scalar parameters as sites of their own, looked at."""
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
    if is_sampler(data):
        return posterior_of(side, data)
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


def _moving(names: tuple[str, str], a: Posterior, b: Posterior, determined: Set[str]) -> tuple[str, ...]:
    """The parameters to judge: those that are not determined by others, nor the same constant on both sides."""
    kept = []
    for name, of_a in a.draws.items():
        of_b = b.draws[name]
        still = np.ptp(of_a) == 0 and np.ptp(of_b) == 0
        if still and not np.isclose(of_a[0, 0], of_b[0, 0], rtol=1e-6, atol=0.0):
            raise AssertionError(
                f"disagree: {name} is always {of_a[0, 0]:g} in {names[0]}, and always {of_b[0, 0]:g} in {names[1]}"
            )
        if not still and name not in determined:
            kept.append(name)
    return tuple(kept or a.draws)


def _part(posterior: Posterior, names: tuple[str, ...]) -> Posterior:
    moments = None if posterior.moments is None else posterior.moments.take(names)
    draws = {name: posterior.draws[name] for name in names}
    return Posterior(draws, {}, posterior.sample_stats, moments, posterior.kind)


def _compare(names: tuple[str, str], a: Posterior, b: Posterior, given: Scalars, margin: float, alpha: float) -> Pair:
    def candidate(name: str, posterior: Posterior) -> Candidate:
        method = NUTS() if posterior.kind == "chains" else Exact()
        return enter(given, Finished(name, method, posterior))

    return conclude_pair(candidate(names[0], a), candidate(names[1], b), margin=margin, alpha=alpha)


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
