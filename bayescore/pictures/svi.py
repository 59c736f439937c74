"""How variational fits and optimizers went: the loss at each step, and a guide's iterates over the averaged half."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayescore.density.guide import scale_matrix
from bayescore.model.arrays import Array
from bayescore.pictures.library import GREY, INK, bare, label, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_FITS, _MOST_LINES, _MOST_STEPS = 6, 12, 2000


def draw(material: Material) -> Picture:
    """Draw a column a fit."""
    fits = {n: f for n, f in material.fits.items() if (f.losses is not None and len(f.losses)) or f.iterates}
    if not fits:
        raise NothingToDrawError("no contender was fitted by steps whose losses are kept")
    shown = dict(list(fits.items())[:_MOST_FITS])
    kinds = ["loss", *dict.fromkeys(k for fit in shown.values() for k in ("loc", "log_scale") if k in fit.iterates)]
    figure = new_figure(8.0 if len(shown) < 4 else 2.6 * len(shown), 0.5 + 1.9 * len(kinds))
    every = figure.subplots(len(kinds), len(shown), squeeze=False)
    for column, (name, fit) in zip(every.T, shown.items(), strict=True):
        column[0].set_title(label(name), fontsize=9, color=INK, parse_math=False)
        _losses(column[0], fit.losses, material.looks[name].colour)
        for axes, kind in zip(column[1:], kinds[1:], strict=True):
            _iterates(axes, _series(fit.iterates, kind), kind, 0 if fit.losses is None else len(fit.losses))
        for axes in column:
            axes.set_xlabel("step", fontsize=8, color=INK)
    left_out = f" of the first {len(shown)} of {len(fits)} fits" if len(shown) < len(fits) else ""
    lines = f" (the {_MOST_LINES} that move most, in the guide's sds from their average)" if len(kinds) > 1 else ""
    what = "Loss by step" + (", and the guide's iterates over the half that is averaged" if lines else "")
    return Picture(figure, f"{what}{left_out}{lines}. Iterates that have settled go up and down about nothing.")


def _losses(axes: "Axes", losses: Array | None, colour: str) -> None:
    bare(axes)
    if losses is None or not len(losses):
        _nothing(axes)
        return
    at = np.unique(np.linspace(0, len(losses) - 1, _MOST_STEPS).astype(int))
    values = np.asarray(losses, dtype=np.float64)[at]
    finite = values[np.isfinite(values)]
    axes.plot(at + 1, values, color=colour, lw=0.8)
    # the first steps dwarf all others
    if finite.size and np.ptp(finite) > 20 * max(np.ptp(np.percentile(finite[finite.size // 2 :], [5, 95])), 1e-12):
        least = float(finite.min())
        axes.set_yscale("function", functions=(lambda y: np.arcsinh(y - least), lambda t: np.sinh(t) + least))
        top = float(finite.max() - least)
        decades = [10.0**k for k in range(0, int(np.log10(max(top, 1.0))) + 1, 2)]
        axes.set_yticks([least, *(least + d for d in decades)], [f"{least:.4g}", *(f"+{d:g}" for d in decades)])
    axes.set_ylabel("loss [nat]", fontsize=8, color=INK)


def _series(iterates: Mapping[str, Array], kind: str) -> Array | None:
    """Locations in sds of the averaged guide, and log scales."""
    found = iterates.get(kind)
    if kind != "loc" or found is None or not found.size or "log_scale" not in iterates:
        return found
    matrix = scale_matrix({name: values.mean(axis=0) for name, values in iterates.items()})
    return np.asarray(found / np.sqrt((matrix**2).sum(axis=1)))


def _iterates(axes: "Axes", values: Array | None, kind: str, steps: int) -> None:
    bare(axes)
    if values is None or not values.size:
        _nothing(axes)
        return
    centred = values - values.mean(axis=0)
    chosen = np.argsort(-np.ptp(centred, axis=0))[:_MOST_LINES]
    at = np.unique(np.linspace(0, len(values) - 1, _MOST_STEPS).astype(int))
    axes.plot(at + 1 + max(steps - len(values), 0), centred[np.ix_(at, chosen)], lw=0.6, alpha=0.8)
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.set_ylabel({"loc": "location [sd]", "log_scale": "log scale"}[kind], fontsize=8, color=INK)


def _nothing(axes: "Axes") -> None:
    axes.annotate("none are kept", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=8, color=GREY)
    axes.set_axis_off()
