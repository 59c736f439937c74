"""What pictures of a comparison are drawn from: its document, and where they are at hand the fits and the problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from bayescore.errors import RequestError
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.pictures.library import INK, label
from bayescore.report.document import Document, ParameterEntry
from bayescore.report.furthest import reach

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayescore.regressions.problem import Problem

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
"""Colours that the colour-blind tell apart (Okabe and Ito 2008), but for the yellow, which is none on white."""
MARKERS = "osD^vP*X<>"
DASHES = ("-", "--", "-.", ":")


class NothingToDrawError(RequestError):
    """A comparison has not what a picture shows; the sentence says what."""


class Fitted(Protocol):
    """A contender's results, as far as they are at hand."""

    @property
    def posterior(self) -> Posterior | None:
        """Its draws."""

    @property
    def losses(self) -> Array | None:
        """As in `bayescore.backend.Fit`."""

    @property
    def iterates(self) -> Mapping[str, Array]:
        """As in `bayescore.backend.Fit`."""


@dataclass(frozen=True)
class Look:
    """How a contender looks in every picture of a comparison."""

    colour: str
    marker: str
    dashes: str


@dataclass(frozen=True)
class Picture:
    """A figure, and what it shows in a sentence or two."""

    figure: "Figure"
    caption: str


@dataclass(frozen=True)
class Material:
    """What there is to draw.

    Attributes
    ----------
    fits
        By the contenders' names; of a stored comparison those that could be read.
    problem
        The regression and its data, where it is one and they are at hand.
    """

    document: Document
    fits: Mapping[str, Fitted] = field(default_factory=dict)
    problem: "Problem | None" = None

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """Fixed by the contenders' order; the exact posterior is black."""
        found, k = {}, 0
        for entry in self.document["contenders"]:
            if entry.get("kind") == "exact":
                found[entry["name"]] = Look(INK, "|", "-")
                continue
            dashes = DASHES[k // len(PALETTE) % len(DASHES)]
            found[entry["name"]] = Look(PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)], dashes)
            k += 1
        return found

    def legend(self, figure: "Figure", who: Sequence[str]) -> None:
        """Say above a figure which line is whose."""
        from matplotlib.lines import Line2D

        looks = [self.looks[name] for name in who]
        lines = [Line2D([], [], color=k.colour, marker=k.marker, ls=k.dashes, ms=5) for k in looks]
        names = [label(name, 60) for name in who]
        figure.legend(lines, names, loc="outside upper left", ncols=_abreast(names), fontsize=8, frameon=False)

    @cached_property
    def draws(self) -> Mapping[str, Mapping[str, Array]]:
        """Draws (chain, draw) by contender and parameter, of what is judged; points have none."""
        found = {name: fit.posterior for name, fit in self.fits.items() if fit.posterior is not None}
        judged = (lambda posterior: posterior) if self.problem is None else self.problem.target.judged
        return {name: judged(p).parameters() for name, p in found.items() if p.estimand == "posterior"}

    @cached_property
    def by_parameter(self) -> Mapping[str, Mapping[str, ParameterEntry]]:
        """Each parameter's rows, by contender."""
        found: dict[str, dict[str, ParameterEntry]] = {}
        for row in self.document["parameters"]:
            found.setdefault(row["name"], {})[row["contender"]] = row
        return found

    def worst(self, most: int) -> list[str]:
        """So many parameters, in their order where these are all, else those that differ most, the worst first."""
        names = list(self.by_parameter)
        if len(names) <= most:
            return names
        far = dict.fromkeys(names, 0.0)
        for pair in self.document["pairs"]:
            for row in pair["rows"]:
                if row["quantity"] in far:
                    far[row["quantity"]] = max(far[row["quantity"]], reach(row))
        return sorted(names, key=lambda name: -far[name])[:most]


def _abreast(names: Sequence[str]) -> int:
    """Columns of a legend that fit the width."""
    return min(len(names), 4, max(1, 110 // (max(map(len, names), default=1) + 8)))


def some(shown: int, of: int, what: str = "parameters") -> str:
    """Which are shown, in words."""
    return f"all {of} {what}" if shown == of else f"the {shown} {what} of {of} that differ most"
