"""Are a backend's predictions those of the draws that it was handed?

The core knows the draws, so that the expected response of each is known to rounding. New
responses are held against the family's law given each draw: the rank of a response among
`REPLICATES` of the core's own, at the same draw, is uniform whatever the family (Cook, Gelman
and Rubin 2006, *Validation of software for Bayesian models using posterior quantiles*), so
that its location, its spread, its dependence on the draw, on the next row and on the next
draw have known errors and need no moment of the response. The rate of false alarms is
`FALSE_ALARMS` for all of these together.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bayescore.backend import Precision
from bayescore.model.arrays import Array, Indices
from bayescore.model.data import Data, spread
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.response import Law, Values

ROWS, DRAWS = 200, 1000
"""At most so many rows and draws of a prediction are looked at, evenly spread."""
RESPONSE_ROWS = 20
REPLICATES = 9
FALSE_ALARMS = 1e-4
ROUNDING: dict[Precision, float] = {"float64": 1e-9, "float32": 1e-5}
"""Of a sum, as a share of its terms' sizes."""
_LARGEST = 1e12
"""Rows of a larger expected response are left out of the check of responses: counts stop being whole."""
_EVIDENT = 20
"""Entries that two honest samples are expected to differ in, before equal ones are an offence."""


class Offence(NamedTuple):
    """What was expected, what came, and the likeliest mistake."""

    expected: str
    got: str
    mistake: str | None


@np.errstate(all="ignore")  # draws far out overflow, in the core as anywhere
def mean_offence(
    regression: Regression, posterior: Posterior, rows: Data, drawn: Array, precision: Precision
) -> Offence | None:
    """What is wrong with expected responses, shape (chain, draw, row) or (chain, draw, row, category)."""
    values, got = posterior.flat(), drawn.reshape(-1, *drawn.shape[2:])
    at, shown = spread(len(got), DRAWS), spread(rows.rows, ROWS)
    part, some = {name: v[at] for name, v in values.items()}, rows.take(shown)
    law = Law.of(regression, some, part)
    allowed = _slack(law, some, part, ROUNDING[precision])
    seen = got[at][:, shown]
    wrong = np.abs(seen - law.mean) > allowed
    if not wrong.any():
        return None
    where = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    chain, draw = divmod(int(at[where[0]]), posterior.shape[1])
    place = f"row {shown[where[1]] + 1} at draw {draw + 1} of chain {chain + 1}"
    return Offence(
        f"the mean response at each draw, {law.mean[where]:.6g} in {place}",
        f"{seen[where]:.6g} ({np.count_nonzero(wrong)} of {wrong.size} values differ by more than rounding)",
        _mistake_of_mean(law, some, part, seen, 10 * allowed) or _order(regression, values, rows, got, allowed),
    )


def _slack(law: Law, rows: Data, values: Values, rounding: float) -> Array:
    """How far rounding can move an expected response: by as much as the terms of eta are rounded."""
    step = rounding * (1.0 + _size(law.regression, rows, values))
    if law.regression.family.categorical:
        return np.broadcast_to((2.0 * step.reshape(len(step), rows.rows, -1).max(axis=-1))[..., None], law.mean.shape)
    shifted = [np.asarray(law.regression.family.mean(law.eta + s, law.given)) for s in (step, -step)]
    whole = np.max(rows.trials, initial=1.0) if rows.trials is not None else 1.0
    bounded = law.regression.family.link_name not in {"identity", "log"}
    return np.asarray(np.abs(shifted[0] - shifted[1]) + rounding * (np.abs(law.mean) + whole * bounded) + 1e-37)


def _size(regression: Regression, rows: Data, values: Values) -> Array:
    """Sum of the absolute terms of the linear predictor; of a network as if it had no tanh."""
    sizes = {name: np.abs(v) for name, v in values.items()}
    size = np.abs(rows.x)[None]
    if regression.network is not None:
        for layer in range(len(regression.network.hidden) + 1):
            weight, bias = sizes[f"layer{layer}.weight"], sizes[f"layer{layer}.bias"]
            size = size @ np.swapaxes(weight, -1, -2) + bias[:, None, :]
        plain = size[..., 0]
        groups = {key: replace(m, value=np.abs(m.value)) for key, m in rows.groups.items()}
        beside = [sizes[f"offset({key})"][..., m.index] * m.value for key, m in groups.items()]
        return np.asarray(plain + sum(beside) + (0.0 if rows.offset is None else np.abs(rows.offset)))
    absolute = replace(
        rows,
        x=np.abs(rows.x),
        offset=None if rows.offset is None else np.abs(rows.offset),
        groups={key: replace(m, value=np.abs(m.value)) for key, m in rows.groups.items()},
    )
    size = Law.of(regression, absolute, sizes).eta
    return size + sizes["threshold"].max(axis=-1)[:, None] if regression.thresholds else size


def _changed(law: Law, rows: Data, values: Values) -> Iterator[tuple[str, Law]]:
    """Laws that a mistake could have put in place of the right one, with the mistake in words."""
    regression = law.regression

    def of(data: Data, draws: Values = values) -> Law:
        return Law.of(regression, data, draws)

    if rows.offset is not None:
        yield "the offset is ignored", of(replace(rows, offset=None))
    if rows.trials is not None:
        yield "the trials are ignored", of(replace(rows, trials=np.ones(rows.rows)))
    if rows.groups:
        yield "the group effects are left out", of(replace(rows, groups={}))
    if regression.intercept is not None:
        none = {name: np.zeros_like(v) if name == "intercept" else v for name, v in values.items()}
        yield "the intercept is left out", of(rows, none)
    mean = {name: np.broadcast_to(v.mean(axis=0), v.shape) for name, v in values.items()}
    yield "the posterior's mean is used in place of its draws", of(rows, mean)
    for name in regression.family.auxiliaries:
        size = law.given[name]
        for words, other in (
            (f"{name} is squared, or taken for a root", size**2),
            (f"the root of {name} is taken", np.sqrt(size)),
            (f"{name} is taken for its inverse", 1.0 / size),
        ):
            yield words, replace(law, given={**law.given, name: other})


def _mistake_of_mean(law: Law, rows: Data, values: Values, got: Array, allowed: Array) -> str | None:
    """The likeliest mistake in expected responses, of those that can be told at the draws one by one."""

    def like(values: Array) -> bool:
        return values.shape == got.shape and bool(np.all(np.abs(got - values) <= allowed + 1e-9 * np.abs(values)))

    if law.regression.family.link_name != "identity" and like(law.eta):
        return f"the inverse of the {law.regression.family.link_name} link is missing"
    for words, other in _changed(law, rows, values):
        if like(other.mean):
            return words
    if np.all(np.ptp(got, axis=0) <= allowed) and not np.all(np.ptp(law.mean, axis=0) <= allowed):
        return "the mean over all draws is given for each"
    if rows.weights is not None and like(law.mean * rows.weights):
        return "the weights are multiplied in"
    if np.all(np.abs(got - law.mean) <= 1e-4 * (np.abs(law.mean) + np.abs(law.eta).max() + 1.0)):
        return "computed in float32, or rounded"
    return None


def _order(regression: Regression, values: Values, rows: Data, got: Array, allowed: Array) -> str:
    """The likeliest mistake in expected responses, of those that show in many draws together."""
    near = 10 * float(np.max(allowed))
    few = {name: v[:5] for name, v in values.items()}
    mean = Law.of(regression, rows, few).mean
    if np.all(np.abs(np.sort(got[:5], axis=1) - np.sort(mean, axis=1)) <= near):
        return "the rows are in another order"
    shown = spread(rows.rows, 5)
    mean = Law.of(regression, rows.take(shown), values).mean
    seen = got[:, shown]
    if np.all(np.abs(np.sort(seen, axis=0) - np.sort(mean, axis=0)) <= near):
        return "the draws are in another order, as after (chain, draw) were swapped"
    if mean.ndim == 3 and np.all(np.abs(np.sort(seen, axis=2) - np.sort(mean, axis=2)) <= near):
        return "the categories are in another order"
    if len(seen) >= 30 and mean.ndim == 2:
        difference = seen - mean
        error = difference.std(axis=0) / np.sqrt(len(seen))
        if np.all(error > 0) and np.all(np.abs(difference.mean(axis=0)) < 5 * error):
            whole = np.all(seen == np.round(seen)) and not np.all(mean == np.round(mean))
            return (
                "new responses are given for expected ones"
                if whole
                else "noise is added to the mean, as in a new response"
            )
    return "it is no mean of these draws: another design, link or order"


@np.errstate(all="ignore")  # draws far out overflow, in the core as anywhere
def response_offence(
    regression: Regression, posterior: Posterior, rows: Data, drawn: Array, again: Array, other: Array
) -> Offence | None:
    """What is wrong with new responses, shape (1, draw, row).

    Parameters
    ----------
    again, other
        The same by the same seed, and by another one.
    """
    if not np.array_equal(drawn, again):
        what = f"{np.count_nonzero(drawn != again)} of {drawn.size} values differ"
        return Offence("the same responses from the same seed", what, "the seed is ignored, and the global one is used")
    values, rng = posterior.flat(), np.random.default_rng(0)
    law = Law.of(regression, rows, values)
    if np.array_equal(drawn, other) and _differing(law, rng) >= _EVIDENT:
        same = _near(drawn[0], law.mean)
        words = (
            "the expected response is given for a response" if same else "a fixed seed is used in place of the given"
        )
        return Offence("other responses from another seed", "the same", words)
    found = _tested(law, drawn[0], rng)
    if found is None:
        return None
    mistake = next((words for words, wrong in _changed(law, rows, values) if not _tested(wrong, drawn[0], rng)), None)
    return Offence(f"responses of the {regression.family.name} law given each draw", f"ones {found}", mistake)


def _near(drawn: Array, mean: Array) -> bool:
    return drawn.shape == mean.shape and bool(np.allclose(drawn, mean, rtol=1e-4))


def _differing(law: Law, rng: np.random.Generator) -> int:
    """In how many entries two honest samples differ."""
    return int(np.count_nonzero(law.sample(rng) != law.sample(rng)))


def _tested(law: Law, drawn: Array, rng: np.random.Generator) -> str | None:
    """How responses (draw, row) differ from those of a law, or None."""
    try:
        own = np.stack([law.sample(rng) for _ in range(REPLICATES)])
    except ValueError:  # a mistake's law may be none, as of a rate that is too large
        return "that can't be drawn"
    less, equal = np.sum(own < drawn, axis=0), np.sum(own == drawn, axis=0)
    scores = _scores(less + rng.integers(0, equal + 1) - REPLICATES / 2, law.mean)
    limit = critical(FALSE_ALARMS, sum(score.size for score in scores.values()))
    for (above, below), score in scores.items():
        worst = int(np.argmax(np.abs(score)))
        if abs(score[worst]) > limit:
            place = f" in row {worst + 1}" if len(score) > 1 else ""
            return f"{above if score[worst] > 0 else below}{place} ({abs(score[worst]):.3g} standard errors)"
    return None


def _scores(rank: Array, mean: Array) -> dict[tuple[str, str], Array]:
    """Standard normal scores, with the words for one that is too large and one that is too small.

    Parameters
    ----------
    rank
        Uniform on 0, ..., `REPLICATES` less the mean, shape (draw, row), if the law is right.
    mean
        Expected responses; their order along the draws is what the ranks must not depend on.
    """
    count = REPLICATES + 1
    variance = (count**2 - 1) / 12
    of_squares = (count**2 - 1) * (3 * count**2 - 7) / 240 - variance**2
    n = len(rank)
    order = np.zeros(rank.shape)
    if mean.ndim == 2:
        order = (np.argsort(np.argsort(mean, axis=0), axis=0) - (n - 1) / 2) * (np.ptp(mean, axis=0) > 0)
    along = np.sqrt(variance * np.maximum(np.sum(order**2, axis=0), 1.0))

    def shared(products: Array) -> Array:
        return np.array([np.sum(products) / (variance * np.sqrt(max(products.size, 1)))])

    rows, draws = "whose noise is shared between rows", "whose noise is shared between draws"
    return {
        ("that lie too high", "that lie too low"): np.sum(rank, axis=0) / np.sqrt(n * variance),
        ("that spread too much", "that spread too little"): np.sum(rank**2 - variance, axis=0)
        / np.sqrt(n * of_squares),
        ("that follow the draws too closely", "that don't follow the draws"): np.sum(rank * order, axis=0) / along,
        (draws, "whose noise alternates between draws"): shared(rank[1:] * rank[:-1]),
        (rows, "whose noise alternates between rows"): shared(rank[:, 1:] * rank[:, :-1]),
    }


def usable(law: Law) -> Indices:
    """Rows whose responses can be held against the law."""
    mean = law.mean
    return np.flatnonzero(np.abs(mean).reshape(len(mean), mean.shape[1], -1).max(axis=(0, 2)) < _LARGEST)


def critical(rate: float, count: int) -> float:
    """How many standard errors one of so many differences exceeds at this rate for all (Bonferroni)."""
    from statistics import NormalDist  # a worker does without scipy, whose import is a tenth of a second

    return -NormalDist().inv_cdf(rate / (2 * count))
