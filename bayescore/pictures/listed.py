"""The pictures of a comparison, by name; each is a module that is imported when it is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from bayescore.errors import RequestError, in_one_line, suggest
from bayescore.pictures import library
from bayescore.pictures.material import Material, NothingToDrawError, Picture
from bayescore.printable import shown
from bayescore.report.page import Shown

PICTURES = {
    "forest": "Each parameter by every contender",
    "differences": "How far pairs are apart, and the margin",
    "densities": "Densities of the draws",
    "ranks": "Ranks of the draws among those of all contenders",
    "svi": "How variational fits and optimizers converged",
    "predictions": "Predictions and the data",
    "model": "Where log densities differ",
    "cost": "Seconds and memory",
}
"""What each shows, in the order in which a reader asks."""


def draw(name: str, material: Material) -> Picture:
    """Draw a picture.

    Raises
    ------
    RequestError
        There is no such picture, or nothing to draw for it.
    MissingLibraryError
        matplotlib is not installed.
    """
    if not isinstance(name, str) or name not in PICTURES:
        hint = suggest(name, list(PICTURES)) if isinstance(name, str) else ""
        raise RequestError(f"there is no picture {shown(name)}{hint} (pictures: {', '.join(PICTURES)})")
    picture: Picture = import_module(f"bayescore.pictures.{name}").draw(material)
    return picture


@dataclass(frozen=True)
class Sheet:
    """A picture as it is written to a file, or why there is none.

    Attributes
    ----------
    png
        Empty where there is none.
    nothing
        Why there is nothing to draw.
    fault
        What was raised by whoever draws.
    """

    name: str
    png: bytes = b""
    caption: str = ""
    nothing: str = ""
    fault: str = ""

    @property
    def shown(self) -> "Shown":
        """As a page has it."""
        return Shown(self.name, PICTURES[self.name], self.caption, self.png)


def every(material: Material) -> Iterator[Sheet]:
    """All pictures; one that fails costs itself only."""
    for name in PICTURES:
        try:
            picture = draw(name, material)
            yield Sheet(name, library.png(picture.figure), picture.caption)
        except NothingToDrawError as error:
            yield Sheet(name, nothing=str(error))
        except Exception as error:  # of matplotlib, or of our own: the others are drawn all the same
            yield Sheet(name, fault=in_one_line(error))


def on_a_page(material: Material) -> list[Shown]:
    """All pictures as a page has them; none where matplotlib is not installed."""
    return [sheet.shown for sheet in every(material) if sheet.png] if library.installed() else []
