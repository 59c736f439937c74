"""Where log densities differ: by site at each point, and by row where rows are known."""

from typing import TYPE_CHECKING

from bayescore.agreement.model_check import Apart
from bayescore.pictures.library import GREY, INK, PALE, bare, label, name_rows, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture
from bayescore.report.document import ModelEntry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CHECKS, _MOST_SITES, _MOST_ROWS = 4, 12, 40


def draw(material: Material) -> Picture:
    """Draw a line of panels for each contender whose model is another one."""
    checks = [check for check in material.document["model_check"] if check.get("apart")]
    if not checks:
        raise NothingToDrawError("no log density differs from what it was held against")
    shown = checks[:_MOST_CHECKS]
    heights = [1.0 + 0.25 * min(len(check["apart"]), _MOST_SITES) for check in shown]
    with_rows = any(part.get("rows") for check in shown for part in check["apart"])
    figure = new_figure(8.0, sum(max(h, 2.2 if with_rows else 0.0) for h in heights) + 0.3)
    every = figure.subplots(len(shown), 2 if with_rows else 1, squeeze=False, height_ratios=heights)
    for axes, check in zip(every, shown, strict=True):
        colour = material.looks[check["contender"]].colour
        _sites(axes[0], check, colour)
        if with_rows:
            _rows(axes[1], check["apart"], colour)
    left_out = f", of the first {len(shown)} of {len(checks)} that differ" if len(shown) < len(checks) else ""
    rows = ", and at the right the spread of single rows" if with_rows else ""
    caption = f"Each dot is a point at which log densities were compared{rows}{left_out}: all at 0 is the same model."
    return Picture(figure, caption)


def _sites(axes: "Axes", check: ModelEntry, colour: str) -> None:
    parts = check["apart"][:_MOST_SITES]
    axes.axvline(0.0, color=GREY, lw=0.7, zorder=0)
    for k, part in enumerate(parts):
        known = [value for value in part["points"] if value is not None]
        axes.plot(known, [k] * len(known), "o", color=colour, ms=4, alpha=0.6)
        if len(known) < len(part["points"]):
            odd = f"not finite at {len(part['points']) - len(known)} points"
            axes.annotate(odd, (1.0, k), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7.5)
        axes.axhline(k + 0.5, color=PALE, lw=0.5)
    bare(axes, keep="bottom")
    name_rows(axes, [part["site"] for part in parts])
    axes.set_xlabel("difference less its median [nat]", fontsize=8, color=INK)
    title = f"{label(check['contender'], 40)} against {label(check['against'], 40)}"
    axes.set_title(title, loc="left", fontsize=9, parse_math=False)


def _rows(axes: "Axes", parts: list[Apart], colour: str) -> None:
    part = next((part for part in parts if part.get("rows")), None)
    bare(axes)
    if part is None:
        axes.set_axis_off()
        return
    rows = [row for row in part["rows"] if row["spread"] is not None][:_MOST_ROWS]
    axes.bar(range(len(rows)), [row["spread"] or 0.0 for row in rows], color=colour)
    axes.set_xticks(range(len(rows)), [row["row"] for row in rows], rotation=90 if len(rows) > 8 else 0, fontsize=7)
    axes.set_xlim(-0.8, max(len(rows), 6) - 0.2)
    axes.set_ylabel("spread [nat]", fontsize=8, color=INK)
    axes.set_xlabel("row, from 0", fontsize=8, color=INK)
    which = f"the {len(rows)} furthest of {part['rows_of']} rows" if len(rows) < part["rows_of"] else "its rows"
    axes.set_title(f"{label(part['site'], 24)}: {which}", loc="left", fontsize=9, parse_math=False)
