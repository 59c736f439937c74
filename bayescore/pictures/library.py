"""Figures of matplotlib without its global state: no pyplot, no setting of its changed.

Whoever draws gets a figure from `new_figure`, and its bytes by `png`. Texts of users are taken as
they stand: a dollar sign begins no formula.
"""

import io
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bayescore.errors import MissingLibraryError
from bayescore.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDED = 'matplotlib: pip install "bayescore[plots]"'
INK, GREY, PALE = "#222222", "#6b6b6b", "#e4e4e4"
DPI = 150
_COLOURS = 128
"""Of a palette: a third of the bytes of true colours, and no difference to be seen."""
_LONGEST = 34
"""Characters of a name in a picture."""


def installed() -> bool:
    """Whether there is matplotlib, without importing it."""
    return find_spec("matplotlib") is not None


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches.

    Raises
    ------
    MissingLibraryError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingLibraryError(f"pictures need {NEEDED}") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: "Figure") -> bytes:
    """A figure as PNG; a letter that the font does not have is an empty box."""
    from matplotlib.text import Text
    from PIL import Image

    for text in figure.findobj(Text):
        if isinstance(text, Text):  # `findobj` has no types
            text.set_parse_math(False)
    stream, small = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure.savefig(stream, format="png", dpi=DPI)
    Image.open(stream).convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(
        small, format="png", optimize=True
    )
    return small.getvalue()


def label(name: str, most: int = _LONGEST) -> str:
    """A name that fits: the middle of a long one is left out."""
    whole = printable(name)
    return whole if len(whole) <= most else f"{whole[: most // 2]}…{whole[-(most - most // 2 - 1) :]}"


def bare(axes: "Axes", *, keep: str = "bottom left") -> None:
    """Leave out the frame's sides that say nothing, and make the rest thin."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
        spine.set_color(GREY)
        spine.set_linewidth(0.7)
    axes.tick_params(colors=GREY, labelcolor=INK, labelsize=8, width=0.7)


def name_rows(axes: "Axes", names: Sequence[str], most: int = _LONGEST) -> None:
    """One name a row, the first at the top, on a scale where rows are a unit apart."""
    axes.set_yticks(range(len(names)), [label(name, most) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
