"""What the priors alone expect, over the data: each draw's distribution of responses, and that of the data."""

from typing import TYPE_CHECKING

import numpy as np

from bayescore.errors import RequestError, check_is
from bayescore.model.arrays import Array
from bayescore.model.data import spread
from bayescore.pictures.library import GREY, INK, PALE, bare, label, name_rows, new_figure
from bayescore.regressions.prior import PriorPredictive
from bayescore.regressions.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES, _POINTS = 60, 400
_FAR = 20.0
_BLUE = "#56B4E9"


def plot_prior(problem: Problem, draws: int = 500, *, seed: int = 0) -> "Figure":
    """A picture of `bayescore.Problem.prior_predictive`, as a figure of matplotlib's.

    Raises
    ------
    RequestError
        A prior is no distribution, or the number of draws or the seed can't be used.
    MissingLibraryError
        matplotlib is not installed: ``pip install "bayescore[plots]"``.
    """
    check_is(problem, Problem, "what is drawn is a Problem")
    return picture(problem.prior_predictive(draws, seed=seed))


def picture(found: PriorPredictive) -> "Figure":
    """Distribution functions of the draws and of the data; of categories their shares.

    Raises
    ------
    RequestError
        No draw is finite.
    """
    figure = new_figure(6.4, 3.8)
    axes = figure.subplots()
    if found.categories:
        _shares(axes, found)
    else:
        _distributions(axes, found)
    axes.set_title("What the priors expect, and the data", fontsize=9, color=INK, loc="left")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8, labelcolor=INK)
    bare(axes)
    return figure


def _distributions(axes: "Axes", found: PriorPredictive) -> None:
    finite = found.drawn[np.isfinite(found.drawn).all(axis=1)]
    if not len(finite):
        raise RequestError("no draw of the priors gives responses that are finite: state narrower ones")
    low, high = _set_range(axes, np.quantile(finite, [0.05, 0.95], axis=None), found.observed)
    at = finite[spread(len(finite), _LINES)]
    for values in at:
        axes.plot(*_below(np.clip(values, 2 * low - high, 2 * high - low)), color=_BLUE, lw=0.6, alpha=0.45)
    axes.plot([], [], color=_BLUE, lw=1.5, label=f"{len(at)} draws of the priors")
    axes.plot(*_below(found.observed), color=INK, lw=1.8, label="the data")
    axes.set_xlim(low, high)
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel(label(found.name), fontsize=8, color=INK, parse_math=False)
    axes.set_ylabel("share of the rows below", fontsize=8, color=INK)
    axes.grid(axis="y", color=PALE, lw=0.5)


def _below(values: Array) -> tuple[Array, Array]:
    """Some of the values in order, each with the share of all that are no larger."""
    at = spread(len(values), _POINTS)
    return np.sort(values)[at], (at + 1) / len(values)


def _set_range(axes: "Axes", ends: Array, data: Array) -> tuple[float, float]:
    """Most of the draws and all of the data; on a scale of logarithms beyond the data where draws reach far."""
    low, high = float(min(ends[0], data.min())), float(max(ends[1], data.max()))
    own = float(max(np.ptp(data), np.finfo(np.float64).tiny))
    if high - low <= _FAR * own:
        room = 0.05 * (high - low)
        return low - room, high + room
    middle = float(max(np.abs(data).max(), own))
    axes.set_xscale("symlog", linthresh=middle)
    sides = [sign * np.geomspace(middle, end, 4) for sign, end in ((-1.0, -low), (1.0, high)) if end > middle]
    ticks = np.sort(np.concatenate([[0.0], *sides]))
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.minorticks_off()
    return low, high


def _shares(axes: "Axes", found: PriorPredictive) -> None:
    table = found.summary()
    places = np.arange(len(table))
    axes.hlines(places, table["q05"], table["q95"], color=_BLUE, lw=3.0, label="90 % of the draws of the priors")
    axes.plot(table["q50"], places, "o", color=GREY, ms=4.0, label="their median")
    axes.plot(table["data"], places, "D", color=INK, ms=5.0, label="the data")
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"share of the rows, by {label(found.name)}", fontsize=8, color=INK, parse_math=False)
    name_rows(axes, list(found.categories))
