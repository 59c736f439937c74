"""Predictions of all contenders and the data: over the predictor where there is one, else row by row."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayescore.model.arrays import Array
from bayescore.model.data import Data, spread
from bayescore.model.posterior import Posterior
from bayescore.model.response import Law
from bayescore.pictures.library import GREY, INK, bare, label, new_figure
from bayescore.pictures.material import Look, Material, NothingToDrawError, Picture
from bayescore.report.document import PredictionEntry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayescore.regressions.problem import Problem

_GRID, _MOST_DRAWS, _MOST_DOTS = 80, 1000, 5000
_MOST_CATEGORIES = 6
_SINGLE_ROWS = 40
"""Rows whose intervals are drawn one by one; of more there is a band."""


def draw(material: Material) -> Picture:
    """Draw them."""
    fits = {name: fit.posterior for name, fit in material.fits.items() if fit.posterior is not None}
    if material.problem is not None and fits and _is_a_curve(material.problem):
        return _curve(material, material.problem, fits)
    if not material.document["predictions"]:
        raise NothingToDrawError("nothing was predicted")
    return _by_row(material)


def _is_a_curve(problem: "Problem") -> bool:
    data = problem.data
    more = data.groups or data.categories or any(part is not None for part in (data.offset, data.trials, data.ones))
    return data.x.shape[1] == 1 and not more and data.y is not None


def _curve(material: Material, problem: "Problem", fits: Mapping[str, Posterior]) -> Picture:
    """Above as it is, below less the first contender's expected response, where small differences are seen."""
    data, new = problem.data, problem.new_data
    figure = new_figure(8.0, 5.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    ends = [float(end) for x in (data.x, new.x) if x.size for end in (x.min(), x.max())]
    grid = np.linspace(min(ends), max(ends), _GRID)
    laws = {name: _law(problem, posterior, grid) for name, posterior in fits.items()}
    first = next((name for name, p in fits.items() if p.estimand == "posterior"), next(iter(fits)))
    middle = laws[first].mean.mean(axis=0)
    for axes, level in ((above, np.zeros(_GRID)), (below, middle)):
        for name, law in laws.items():
            _line(axes, grid, law.mean - level, material.looks[name], name)
        if fits[first].estimand == "posterior":
            new_ones = laws[first].sample(np.random.default_rng(0))
            low, high = np.quantile(new_ones, [0.05, 0.95], axis=0) - level
            axes.fill_between(grid, low, high, color="#eeeeee", lw=0, zorder=0, label="90 % of new responses")
        _dots(axes, data, new, grid, level)
        bare(axes)
    above.set_ylabel(label(data.response, 60), fontsize=9, color=INK, parse_math=False)
    below.set_ylabel("less the first's mean", fontsize=9, color=INK)
    below.set_xlabel(label(data.columns[0], 60), fontsize=9, color=INK, parse_math=False)
    handles, names = above.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=3, fontsize=8, frameon=False)
    caption = (
        "The data, and the expected response of every contender with its central 90 % interval; below, the same less "
        f"the mean of {label(first)}, of which the pale band holds 90 % of new responses."
    )
    return Picture(figure, caption)


def _law(problem: "Problem", posterior: Posterior, grid: Array) -> Law:
    flat = posterior.flat()
    at = spread(len(next(iter(flat.values()))), _MOST_DRAWS)
    rows = Data(grid[:, None], None, problem.data.columns, problem.data.response)
    with np.errstate(all="ignore"):
        return Law.of(problem.regression, rows, {site: values[at] for site, values in flat.items()})


def _line(axes: "Axes", grid: Array, drawn: Array, look: Look, name: str) -> None:
    (line,) = axes.plot(grid, drawn.mean(axis=0), color=look.colour, ls=look.dashes, lw=1.5)
    line.set_label(f"\u200b{label(name, 60)}")  # a name that begins with _ is no legend's otherwise
    if len(drawn) > 1:
        axes.fill_between(grid, *np.quantile(drawn, [0.05, 0.95], axis=0), color=look.colour, alpha=0.2, lw=0)


def _dots(axes: "Axes", data: Data, new: Data, grid: Array, level: Array) -> None:
    """The responses; and where rows are predicted elsewhere than the data are, these rows."""
    dots = spread(data.rows, _MOST_DOTS)
    x = data.x[dots, 0]
    axes.plot(
        x, data.observed[dots] - np.interp(x, grid, level), "o", ms=2.5, color=GREY, alpha=0.5, mew=0, label="data"
    )
    if new.x.min() >= data.x.min() and new.x.max() <= data.x.max():
        return
    axes.axvspan(float(new.x.min()), float(new.x.max()), color="#fff3d6", lw=0, zorder=-1, label="predicted rows")
    if new.y is not None:
        x = new.x[:, 0]
        seen = new.observed - np.interp(x, grid, level)
        axes.plot(x, seen, "o", ms=3.5, mfc="none", mec=INK, mew=0.7, label="their responses")


def _by_row(material: Material) -> Picture:
    rows = material.document["predictions"]
    categories = list(dict.fromkeys(row.get("category") for row in rows))
    shown = categories[:_MOST_CATEGORIES]
    figure = new_figure(8.0, 1.0 + (3.2 if len(shown) == 1 else 1.7 * len(shown)))
    every = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    who = list(dict.fromkeys(row["contender"] for row in rows))
    for axes, category in zip(every, shown, strict=True):
        of = {name: [r for r in rows if r["contender"] == name and r.get("category") == category] for name in who}
        seen = _observed(axes, of[who[0]], material.problem, shown.index(category) if category is not None else None)
        for j, name in enumerate(who):
            _rows(axes, of[name], _order(of[who[0]]), material.looks[name], (j - (len(who) - 1) / 2) * 0.12)
        bare(axes)
        if category is not None:
            axes.set_title(label(category), loc="left", fontsize=9, parse_math=False)
    every[-1].set_xlabel("rows, in the order of the first contender's prediction", fontsize=8, color=INK)
    every[-1].set_xticks([])
    figure.supylabel("expected response" if categories == [None] else "probability", fontsize=8, color=INK)
    material.legend(figure, who)
    dots = "; grey dots are the responses" if seen else ""
    left_out = f", for the first {len(shown)} of {len(categories)} categories" if len(shown) < len(categories) else ""
    return Picture(
        figure, f"The expected response of each predicted row with its central 90 % interval{left_out}{dots}."
    )


def _order(rows: list[PredictionEntry]) -> dict[int, int]:
    """Where each row stands."""
    known = sorted(rows, key=lambda row: row["mean"] if row["mean"] is not None else float("inf"))
    return {row["row"]: k for k, row in enumerate(known)}


def _observed(axes: "Axes", rows: list[PredictionEntry], problem: "Problem | None", category: int | None) -> bool:
    if problem is None or problem.new_data.y is None:
        return False
    order, y = _order(rows), problem.new_data.observed
    at = [k for k in order if k < len(y)]
    values = y[at] if category is None else np.asarray(y[at] == category, dtype=np.float64)
    axes.plot([order[k] for k in at], values, "o", ms=2.5, color=GREY, alpha=0.6, mew=0, zorder=0)
    return True


def _rows(axes: "Axes", rows: list[PredictionEntry], order: Mapping[int, int], look: Look, aside: float) -> None:
    known = [row for row in rows if row["mean"] is not None and row["row"] in order]
    known.sort(key=lambda row: order[row["row"]])
    at = np.array([order[row["row"]] for row in known], dtype=np.float64)
    mean, low, high = (np.array([row[key] for row in known], dtype=np.float64) for key in ("mean", "q05", "q95"))
    if len(known) <= _SINGLE_ROWS:
        axes.plot(at + aside, mean, "_" if look.marker == "|" else look.marker, color=look.colour, ms=4)
        axes.vlines(at + aside, low, high, color=look.colour, lw=1.2)
    else:
        axes.plot(at, mean, color=look.colour, ls=look.dashes, lw=1.2)
        axes.fill_between(at, low, high, color=look.colour, alpha=0.2, lw=0)
