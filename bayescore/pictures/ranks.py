"""Ranks of each contender's draws among those of all: each chain a line, which is level where posteriors are the same.

A rank is taken in the mixture of all contenders, each with the same weight, so that numbers of
draws don't matter; as the rank plots of Vehtari and others (2021), with contenders beside chains.
"""

from typing import TYPE_CHECKING

import numpy as np

from bayescore.model.arrays import Array
from bayescore.pictures.library import GREY, INK, PALE, bare, label, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture, some

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST, _ACROSS, _BINS = 9, 3, 20


def draw(material: Material) -> Picture:
    """Draw them; of many parameters those that differ most."""
    names = [n for n in material.worst(_MOST) if sum(n in of for of in material.draws.values()) > 1]
    if not names:
        raise NothingToDrawError("ranks need the draws of two contenders")
    across = min(_ACROSS, len(names))
    down = -(-len(names) // across)
    figure = new_figure(8.0, 1.7 * down + 0.9)
    every = figure.subplots(down, across, squeeze=False, sharex=True).ravel()
    for k, (axes, name) in enumerate(zip(every, names, strict=False)):
        _panel(axes, name, material)
        if k >= len(names) - across:
            axes.set_xlabel("rank, as a share", fontsize=8, color=INK)
            axes.tick_params(labelbottom=True)
    for axes in every[len(names) :]:
        axes.set_visible(False)
    material.legend(figure, list(material.draws))
    figure.supylabel("density of the ranks", fontsize=8, color=GREY)
    caption = (
        f"How often each chain's draws have which rank among the draws of all contenders, for "
        f"{some(len(names), len(material.by_parameter))}: near the line at 1 where the posteriors are the same."
    )
    return Picture(figure, caption)


def _panel(axes: "Axes", name: str, material: Material) -> None:
    known = {who: of[name] for who, of in material.draws.items() if name in of}
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    for who, chains in ranks(known).items():
        look = material.looks[who]
        for chain in chains:
            counts, _ = np.histogram(chain, edges)
            height = counts * _BINS / chain.size
            axes.stairs(height, edges, color=look.colour, ls=look.dashes, lw=1.0, alpha=0.75, baseline=None)
    axes.axhline(1.0, color=GREY, lw=0.7, zorder=0)
    axes.grid(axis="y", color=PALE, lw=0.5)
    bare(axes, keep="bottom")
    axes.set_ylim(0.0, max(2.0, axes.get_ylim()[1]))
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.5, 1.0])
    axes.set_title(label(name, 28), fontsize=9, parse_math=False, color=INK)


def ranks(values: dict[str, Array]) -> dict[str, Array]:
    """Of draws (chain, draw) by contender the shares of the mixture that lie below; of ties half."""
    pooled = [np.sort(of, axis=None) for of in values.values()]
    found = {}
    for who, of in values.items():
        below = [(np.searchsorted(p, of, "left") + np.searchsorted(p, of, "right")) / (2 * p.size) for p in pooled]
        found[who] = np.mean(below, axis=0)
    return found
