"""Forest of all contenders: each parameter's median and central 90 % interval, on the parameter's own scale."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bayescore.pictures.library import GREY, INK, PALE, bare, name_rows, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture, some
from bayescore.report.document import ParameterEntry
from bayescore.report.words import digits, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 40
_FAR = 8.0
"""Sds that a row reaches to either side; what lies further out is an arrow at the edge."""


def draw(material: Material) -> Picture:
    """Draw it; of many parameters those that differ most."""
    every = material.by_parameter
    if not every:
        raise NothingToDrawError("no contender has parameters")
    names, who = material.worst(_MOST), list(dict.fromkeys(c for rows in every.values() for c in rows))
    step = min(0.8 / len(who), 0.25)
    figure = new_figure(8.0, 1.5 + len(names) * max(0.24, 0.1 * len(who)))
    axes = figure.subplots()
    zeros: list[tuple[float, int]] = []
    for k, name in enumerate(names):
        rows = every[name]
        middle, unit = _scale(rows)
        axes.axhline(k + 0.5, color=PALE, lw=0.6)
        for j, contender in enumerate(who):
            if contender in rows:
                _interval(axes, material, rows[contender], (middle, unit), k + (j - (len(who) - 1) / 2) * step)
        zeros.append((-middle / unit, k))
        decimals = digits(unit)
        said = f"{number(middle, decimals)} ± {number(unit, decimals)}"
        axes.annotate(
            said, (1.01, k), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, annotation_clip=False
        )
    _dress(axes, names)
    low, high = axes.get_xlim()
    zeros = [(at, k) for at, k in zeros if low <= at <= high]
    for at, k in zeros:
        axes.plot(at, k, "|", ms=9, mec=GREY, mew=1.2, zorder=0)
    material.legend(figure, who)
    caption = f"Medians and central 90 % intervals of {some(len(names), len(every))}, each on its own scale."
    return Picture(figure, caption + (" A grey tick marks zero where it is near." if zeros else ""))


def _scale(rows: Mapping[str, ParameterEntry]) -> tuple[float, float]:
    """The middle and the unit of a parameter's row: the first contender's mean and sd, the exact one's where it is."""
    known = [(row["mean"], row["sd"]) for row in rows.values() if row["mean"] is not None]
    middle, unit = next(((m, sd) for m, sd in known if sd), known[0] if known else (0.0, None))
    apart = max((abs(m - middle) for m, _ in known), default=0.0)
    return middle, unit or apart or 1.0


def _interval(axes: "Axes", material: Material, row: ParameterEntry, scale: tuple[float, float], at: float) -> None:
    middle, unit = scale
    look = material.looks[row["contender"]]
    centre, lower, upper = (row[key] for key in ("q50", "q05", "q95"))
    centre = row["mean"] if centre is None else centre
    if centre is None:
        return
    if lower is not None and upper is not None:
        ends = [min(max((end - middle) / unit, -_FAR), _FAR) for end in (lower, upper)]
        axes.plot(ends, [at, at], color=look.colour, ls=look.dashes, lw=1.6, solid_capstyle="butt")
    x = (centre - middle) / unit
    marker = look.marker if abs(x) <= _FAR else ">" if x > 0 else "<"
    axes.plot(min(max(x, -_FAR), _FAR), at, marker, color=look.colour, ms=4 if marker != "|" else 7, mew=1.4)


def _dress(axes: "Axes", names: list[str]) -> None:
    bare(axes, keep="bottom")
    name_rows(axes, names)
    low, high = axes.get_xlim()
    axes.set_xlim(max(min(low, -2.5), -_FAR * 1.03), min(max(high, 2.5), _FAR * 1.03))
    axes.set_xlabel("from the first contender's mean, in its sds (both at the right)", fontsize=8, color=INK)
