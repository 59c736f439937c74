"""Pictures of predictions, comparisons and slopes: along a number a line with a band, otherwise points with bars."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bayescore.errors import RequestError
from bayescore.pictures.library import GREY, INK, PALE, bare, label, name_rows, new_figure
from bayescore.pictures.material import PALETTE
from bayescore.printable import printable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST_ALONG = 6
"""Different numbers that are a line; fewer are points."""
_MOST_ROWS, _MOST_PANELS, _ACROSS = 60, 9, 3
_ESTIMATES = ("estimate", "lower", "upper")


class Estimates(Protocol):
    """What is drawn, as `bayescore.effects.Effects` has it."""

    @property
    def kind(self) -> str:
        """``predictions``, ``comparisons`` or ``slopes``."""

    @property
    def title(self) -> str:
        """What the figures are."""

    @property
    def frame(self) -> "pd.DataFrame":
        """Estimates with their intervals, and the columns that tell them apart."""

    @property
    def neutral(self) -> float | None:
        """The value that says that nothing changes."""

    @property
    def quantity(self) -> str:
        """What the estimates are measured in."""


def draw(effects: Estimates) -> "Figure":
    """Draw them.

    Raises
    ------
    MissingLibraryError
        matplotlib is not installed.
    RequestError
        They are too many.
    """
    frame = effects.frame
    keys = [name for name in frame.columns if name not in _ESTIMATES]
    keys = [name for name in keys if name not in {"term", "contrast"} or frame[name].nunique() > 1]
    along = next((name for name in keys if _is_line(frame, name)), None)
    if along is not None:
        return _lines(effects, along, [name for name in keys if name != along])
    if effects.kind == "predictions" and keys and len(frame) <= _MOST_ROWS:
        return _levels(effects, keys[0], keys[1:])
    return _forest(effects, [name for name in frame.columns if name not in _ESTIMATES])


def _is_line(frame: "pd.DataFrame", name: str) -> bool:
    return frame[name].dtype.kind == "f" and frame[name].nunique() >= _LEAST_ALONG


def _lines(effects: Estimates, along: str, others: list[str]) -> "Figure":
    """A line with a band for each of what tells estimates apart beside ``along``."""
    figure, panels, colours = _panels(effects, others)
    for axes, part in panels:
        for _, colour, rows in _series(part, others, colours):
            ordered = rows.sort_values(along)
            if ordered[along].duplicated().any():
                raise RequestError(
                    "a picture of single rows has more than one estimate at a value: average over them, or give values "
                    "in conditional"
                )
            x = ordered[along].to_numpy()
            lower, upper = ordered["lower"].to_numpy(), ordered["upper"].to_numpy()
            if np.isfinite(lower).any():
                axes.fill_between(x, lower, upper, color=colour, alpha=0.2, lw=0)
            axes.plot(x, ordered["estimate"].to_numpy(), color=colour, lw=1.6)
        axes.set_xlabel(label(along), fontsize=8, color=INK, parse_math=False)
    return figure


def _levels(effects: Estimates, across: str, others: list[str]) -> "Figure":
    """Points with bars for each of the values of ``across``."""
    figure, panels, colours = _panels(effects, others)
    names = list(dict.fromkeys(effects.frame[across]))
    shift = 0.6 / max(len(colours), 1)
    for axes, part in panels:
        for value, colour, rows in _series(part, others, colours):
            k = list(colours).index(value)
            x = np.array([names.index(of) for of in rows[across]]) + (k - 0.5 * (len(colours) - 1)) * shift
            _bars(axes, x, rows, colour)
        axes.set_xticks(range(len(names)), [label(_text(of), 14) for of in names], parse_math=False)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_xlabel(label(across), fontsize=8, color=INK, parse_math=False)
    return figure


def _bars(axes: "Axes", x: Any, rows: "pd.DataFrame", colour: str) -> None:
    axes.vlines(x, rows["lower"].to_numpy(), rows["upper"].to_numpy(), color=colour, lw=1.6)
    axes.plot(x, rows["estimate"].to_numpy(), "o", color=colour, ms=4.5)


def _panels(effects: Estimates, others: list[str]) -> "tuple[Figure, list[tuple[Axes, pd.DataFrame]], dict[str, str]]":
    """A figure with a panel for each combination of all but the first of the columns, whose values have colours."""
    frame, (hue, *apart) = effects.frame, others or [""]
    colours = dict.fromkeys(map(_text, frame[hue]) if hue else [""])
    if len(colours) > len(PALETTE):  # too many for colours: each a panel
        apart, colours = [hue, *apart], dict.fromkeys([""])
    coloured = {value: PALETTE[k] for k, value in enumerate(colours)}
    groups = [(_what(frame.iloc[0]), frame)]
    if apart:
        found = frame.groupby(apart, sort=False, observed=True)
        groups = [(_row_name(dict(zip(apart, key, strict=True)), apart), part) for key, part in found]
    if len(groups) > _MOST_PANELS:
        raise RequestError(
            f"a picture has at most {_MOST_PANELS} panels, not {len(groups)}: give fewer values, or average"
        )
    across = min(_ACROSS, len(groups)) if len(groups) != 4 else 2
    down = -(-len(groups) // across)
    figure = new_figure(5.2 if across == 1 else 3.0 * across, 0.6 + 2.9 * down)
    every = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    panels = []
    for axes, (title, part) in zip(every, groups, strict=False):
        bare(axes)
        axes.set_title(label(title, 40), fontsize=9, color=INK, parse_math=False)
        if effects.neutral is not None:
            axes.axhline(effects.neutral, color=GREY, lw=0.8, ls=":")
        panels.append((axes, part))
    for axes in every[len(groups) :]:
        axes.set_visible(False)
    figure.supylabel(label(effects.quantity if effects.kind == "predictions" else effects.title, 60), fontsize=8)
    if len(coloured) > 1:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], color=colour, lw=2) for colour in coloured.values()]
        names = [label(value, 18) for value in coloured]
        legend = figure.legend(handles, names, title=label(hue), loc="outside right upper", fontsize=8, frameon=False)
        legend.get_title().set_fontsize(8)
    return figure, panels, coloured


def _series(
    part: "pd.DataFrame", others: Sequence[str], colours: dict[str, str]
) -> "list[tuple[str, str, pd.DataFrame]]":
    """What of a panel has each colour."""
    if len(colours) == 1:
        return [(value, colour, part) for value, colour in colours.items()]
    of = part[others[0]].map(_text)
    return [(value, colour, part[of == value]) for value, colour in colours.items() if (of == value).any()]


def _forest(effects: Estimates, keys: list[str]) -> "Figure":
    """A row an estimate."""
    frame = effects.frame
    if len(frame) > _MOST_ROWS:
        raise RequestError(f"a picture has at most {_MOST_ROWS} rows, not {len(frame)}: average, or give fewer values")
    figure = new_figure(6.5, 1.0 + 0.3 * len(frame))
    axes = figure.subplots()
    bare(axes, keep="bottom")
    if effects.neutral is not None:
        axes.axvline(effects.neutral, color=GREY, lw=0.8, ls=":")
    at = np.arange(len(frame))
    axes.hlines(at, frame["lower"].to_numpy(), frame["upper"].to_numpy(), color=PALETTE[0], lw=1.8)
    axes.plot(frame["estimate"].to_numpy(), at, "o", color=PALETTE[0], ms=4.5)
    for k in at[1:]:
        axes.axhline(k - 0.5, color=PALE, lw=0.5, zorder=0)
    name_rows(axes, [_row_name(row, keys) for row in frame[keys].to_dict("records")] if keys else ["all rows"])
    axes.set_xlabel(label(effects.title, 80), fontsize=8, color=INK, parse_math=False)
    return figure


def _row_name(row: "Mapping[Any, Any] | pd.Series[Any]", keys: Sequence[str]) -> str:
    """What an estimate is of, in words."""
    parts = [] if {"term", "contrast"}.isdisjoint(keys) else [_what(row)]
    return ", ".join([*parts, *(f"{name} {_text(row[name])}" for name in keys if name not in {"term", "contrast"})])


def _what(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    """What was compared; of predictions, nothing."""
    return ": ".join(str(row[name]) for name in ("term", "contrast") if name in row)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
