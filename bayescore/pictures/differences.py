"""Differences of every pair in posterior sds, with their 90 % intervals and the margin as a band."""

import math
from typing import TYPE_CHECKING

from bayescore.pictures.library import GREY, INK, PALE, bare, label, name_rows, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture
from bayescore.report.document import PairEntry, RowEntry
from bayescore.report.furthest import furthest, reach
from bayescore.report.words import compared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ROWS, _MOST_PAIRS = 40, 6
_BROAD = 55
_WIDE = 20.0
"""Margins; where a difference is wider, the scale is linear near the band and logarithmic beyond it."""
_BAND = "#dcecf5"
VERDICTS = {
    "agree": ("#009E73", "o", "within the margin"),
    "expected": ("#0072B2", "s", "as its guide's family allows"),
    "inconclusive": ("#B07800", "D", "can't be told"),
    "disagree": ("#D55E00", "X", "beyond the margin"),
}
"""Colour, marker and words of a row's verdict."""


def draw(material: Material) -> Picture:
    """Draw the pairs, the worst first, and of each its worst rows."""
    pairs = sorted((p for p in material.document["pairs"] if p["rows"]), key=furthest, reverse=True)
    if not pairs:
        raise NothingToDrawError("no two contenders were held against each other")
    shown = pairs[:_MOST_PAIRS]
    most = max(_MOST_ROWS // len(shown), 8)
    chosen = [sorted(pair["rows"], key=reach, reverse=True)[:most] for pair in shown]
    heights = [len(rows) * 0.22 + 0.5 + 0.15 * _title(p).count("\n") for p, rows in zip(shown, chosen, strict=True)]
    figure = new_figure(8.0, sum(heights) + 1.1)
    every = figure.subplots(len(shown), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    wide = max((reach(row) for rows in chosen for row in rows if math.isfinite(reach(row))), default=1.0) > _WIDE
    for axes, pair, rows in zip(every, shown, chosen, strict=True):
        _pair(axes, pair, rows)
        if wide:
            axes.set_xscale("symlog", linthresh=5 * float(rows[0].get("margin") or 0.1))
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    scale = "; logarithmic far out" if wide else ""
    every[-1].set_xlabel(
        f"difference in posterior sds, of sds the logarithm of their ratio{scale}", fontsize=8, color=INK
    )
    met = [v for v in VERDICTS if any(row["verdict"] == v for rows in chosen for row in rows)]
    handles = [every[0].plot([], [], VERDICTS[v][1], color=VERDICTS[v][0])[0] for v in met]
    figure.legend(
        handles, [VERDICTS[v][2] for v in met], loc="outside upper left", ncols=len(met), fontsize=8, frameon=False
    )
    return Picture(figure, _caption(pairs, shown, chosen))


def _caption(pairs: list[PairEntry], shown: list[PairEntry], chosen: list[list[RowEntry]]) -> str:
    of, count = max(len(pair["rows"]) for pair in shown), max(map(len, chosen))
    which = "All differences" if count == of else f"The {count} largest of up to {of} differences"
    left_out = f" of the {len(shown)} worst of {len(pairs)} pairs" if len(shown) < len(pairs) else " of each pair"
    return f"{which}{left_out}, the worst first, with 90 % intervals; the blue band is the margin."


def _pair(axes: "Axes", pair: PairEntry, rows: list[RowEntry]) -> None:
    axes.axvline(0.0, color=GREY, lw=0.7, zorder=0)
    names = []
    for k, row in enumerate(rows):
        names.append(f"{label(row['quantity'], 26)}, {compared(row)}")
        margin = row.get("margin") or 0.0
        axes.fill_between([-margin, margin], k - 0.5, k + 0.5, color=_BAND, lw=0, zorder=-1)
        colour, marker, _ = VERDICTS[row["verdict"]]
        lower, upper, middle = row["lower"], row["upper"], row["difference"]
        if lower is not None and upper is not None:
            axes.plot([lower, upper], [k, k], color=colour, lw=1.5, solid_capstyle="butt")
        if middle is not None:
            axes.plot(middle, k, marker, color=colour, ms=4.5)
        else:
            axes.annotate("unknown", (0.0, k), va="center", ha="center", fontsize=7.5, color=colour)
        if k:
            axes.axhline(k - 0.5, color=PALE, lw=0.5, zorder=-0.5)
    bare(axes, keep="bottom")
    name_rows(axes, names, most=60)
    axes.set_title(_title(pair), loc="left", fontsize=9, parse_math=False)


def _title(pair: PairEntry) -> str:
    """Who, in two lines where one is too short."""
    a, b = label(pair["a"], 60), label(pair["b"], 60)
    return f"{a}{chr(10) if len(a) + len(b) > _BROAD else ' '}and {b}: {pair['verdict']}"
