"""Densities of the draws of all contenders, one over the other."""

from typing import TYPE_CHECKING

import numpy as np

from bayescore.model.arrays import Array
from bayescore.pictures.library import GREY, INK, bare, label, new_figure
from bayescore.pictures.material import Look, Material, NothingToDrawError, Picture, some

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST, _ACROSS = 12, 3


def draw(material: Material) -> Picture:
    """Draw them; of many parameters those that differ most."""
    values = material.draws
    if not values:
        raise NothingToDrawError("no draws are at hand")
    names = [name for name in material.worst(_MOST) if any(name in of for of in values.values())]
    if not names:
        raise NothingToDrawError("no draws of what is judged are at hand")
    across = min(_ACROSS, len(names))
    down = -(-len(names) // across)
    figure = new_figure(8.0, 1.7 * down + 0.8)
    every = figure.subplots(down, across, squeeze=False).ravel()
    for axes, name in zip(every, names, strict=False):
        _panel(axes, name, material)
    for axes in every[len(names) :]:
        axes.set_visible(False)
    who = list(dict.fromkeys(c for rows in material.by_parameter.values() for c in rows))
    material.legend(figure, who)
    figure.supylabel("density", fontsize=8, color=GREY)
    points = "; a point estimate is a dotted line" if len(who) > len(values) else ""
    which = some(len(names), len(material.by_parameter))
    return Picture(figure, f"Smoothed densities of the draws of {which}{points}.")


def _panel(axes: "Axes", name: str, material: Material) -> None:
    for contender, row in material.by_parameter[name].items():
        of = material.draws.get(contender, {}).get(name)
        if of is not None:
            _curve(axes, of.ravel(), material.looks[contender])
        elif row["mean"] is not None and row["sd"] is None:
            axes.axvline(row["mean"], color=material.looks[contender].colour, ls=":", lw=1.5)
    bare(axes, keep="bottom")
    axes.set_yticks([])
    axes.set_ylim(bottom=0.0)
    axes.locator_params(axis="x", nbins=4)
    axes.set_title(label(name, 28), fontsize=9, parse_math=False, color=INK)


def _curve(axes: "Axes", values: Array, look: Look) -> None:
    from arviz_stats.base import array_stats

    if np.ptp(values) == 0.0:
        axes.axvline(values[0], color=look.colour, lw=1.5)
        return
    x, height, _ = array_stats.kde(values)
    axes.plot(x, height, color=look.colour, ls=look.dashes, lw=1.5, alpha=0.9)
