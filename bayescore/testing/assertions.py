"""Assertions for other people's tests of samplers, in place of fixed tolerances.

>>> assert_posteriors_agree(draws_of_mine, reference_draws)
>>> assert_posteriors_agree(pyro_mcmc, numpyro_mcmc, names=("pyro", "numpyro"), rename={"b": "beta"})
>>> assert_same_model(my_log_density, reference_log_density, points)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.conclusion import Finished, conclude_pair, enter
from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.density.target import Scalars
from bayescore.errors import DataError, RequestError, check_is
from bayescore.methods import NUTS, Exact
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import POSITIVE, REAL
from bayescore.printable import shown
from bayescore.testing.draws import Draws, array, read
from bayescore.testing.failure import failure
from bayescore.testing.matching import chosen, flattened, groups, labelled, meant, renamed
from bayescore.testing.redundancy import free

_LEAST = 3


def assert_posteriors_agree(
    a: Draws,
    b: Draws,
    *,
    margin: float = MARGIN,
    alpha: float = ALPHA,
    positive: str | Sequence[str] = (),
    names: Sequence[str] = ("a", "b"),
    var_names: str | Sequence[str] | None = None,
    rename: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Assert that two sets of draws come from the same posterior, within a margin.

    Means, sds and principal directions are compared by the rule of
    `bayescore.agreement.rule`; inconclusive is a failure, which says how many more draws
    would settle it, and so is a side that has not converged. Entries that are the same
    constant on both sides, as the diagonal of a correlation matrix, are left out, and so are
    those that follow from others: its lower triangle, the last entry of a simplex, and
    deterministic sites that are sums of multiples of others.

    Parameters
    ----------
    a, b
        Posteriors of the same scalar parameters, by name: of this project, ArviZ data, an MCMC
        of Pyro or NumPyro after its run, or dictionaries of arrays (chain, draw, ...). All
        sites that an MCMC returns are parameters, deterministic ones too; its divergences
        count as those of a comparison do.
    margin
        In posterior sds for means, in log ratios for sds.
    alpha
        Family-wise rate at which identical posteriors may be found to disagree.
    positive
        Sites or scalar parameters that are compared as logarithms.
    names
        What the two are called in messages.
    var_names
        Sites or scalar parameters to judge, all by default; one with ``~`` before is left out.
    rename
        Other names for sites, on whichever side has the old one. All else goes by the new names.

    Raises
    ------
    AssertionError
        They disagree, or it can't be told; the message says why, and has a report's table.
    DataError
        The parameters differ, or the draws can't be read.
    RequestError
        A margin, a rate or a name makes no sense.
    """
    _check_number("margin", margin, np.inf)
    _check_number("alpha", alpha, 1.0)
    first, second = _check_names(names)
    check_is(rename, Mapping, "rename is a dictionary of names")
    sides = labelled(renamed({first: read(first, a), second: read(second, b)}, rename))
    known = groups(sides)
    flat = flattened(sides, chosen(var_names, known))
    logarithms = set(meant([positive] if isinstance(positive, str) else positive, known))
    for side, posterior in flat.items():
        _check_positive(side, posterior, logarithms)
    kept, follow = free((first, second), flat[first], flat[second], logarithms)
    given = Scalars(kept, tuple(POSITIVE if name in logarithms else REAL for name in kept))
    of_a, of_b = (_candidate(side, posterior, given) for side, posterior in flat.items())
    pair = conclude_pair(of_a, of_b, margin=margin, alpha=alpha)
    if pair.verdict != "agree":
        raise AssertionError(failure(pair, follow, margin))


def _check_number(name: str, value: float, below: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 < value < below:
        bound = "a positive number" if below == np.inf else f"a number between 0 and {below:g}"
        raise RequestError(f"{name} must be {bound}, not {value!r}")


def _check_names(names: Sequence[str]) -> tuple[str, str]:
    given = list(names) if isinstance(names, list | tuple) else []
    if len(given) != 2 or not all(isinstance(n, str) and n.strip() and n.isprintable() for n in given):
        raise RequestError(f"names are two texts, what the sides are called, not {shown(names)}")
    if given[0] == given[1]:
        raise RequestError(f"names are two different texts, not {given[0]!r} twice")
    return given[0], given[1]


def _check_positive(side: str, posterior: Posterior, logarithms: set[str]) -> None:
    for name, values in posterior.draws.items():
        if name in logarithms and values.min() <= 0:
            raise DataError(f"{name!r} can't be compared as a logarithm: {side} has a draw of {values.min():g}")


def _candidate(side: str, posterior: Posterior, given: Scalars) -> Candidate:
    moments = None if posterior.moments is None else posterior.moments.take(given.names)
    part = replace(posterior, draws={name: posterior.draws[name] for name in given.names}, moments=moments)
    return enter(given, Finished(side, NUTS() if part.kind == "chains" else Exact(), part))


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
        number = array(f"{side} at point {k}", value)
        if number.size != 1:
            raise DataError(f"{side} gives an array of shape {number.shape} at point {k}, not one number")
        found.append(float(number.reshape(())))
        if np.isnan(found[-1]) or found[-1] == np.inf:
            raise AssertionError(f"{side} is {found[-1]:g} at point {k}, which is no log density: {dict(point)}")
    return np.array(found)
