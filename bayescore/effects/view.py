"""How effects are looked at: the settings that predictions, comparisons and slopes share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from bayescore.errors import RequestError, suggest
from bayescore.printable import shown

Others = Literal["typical", "observed"]
Groups = Literal["own", "population"]
Scale = Literal["response", "linear"]
By = bool | str | Sequence[str] | None
Conditional = str | Sequence[str] | Mapping[str, Any] | None


class Options(TypedDict, total=False):
    """The fields of `View`."""

    others: Others | None
    average_by: By
    scale: Scale
    groups: Groups | None
    weighted: bool
    interval: float


@dataclass(frozen=True)
class View:
    """How effects are looked at.

    Attributes
    ----------
    others
        What the columns are that no value is given of: ``typical``, means and most common levels, which is
        the default where values are given; or ``observed``, every row of the data.
    average_by
        True for one average, False for none; a column, or several, for an average for each of their
        combinations. By default the rows of the data are averaged, for each combination of given values.
    scale
        ``response``, or ``linear`` for the linear predictor.
    groups
        Group effects: each row's ``own``, which is the default for rows of the data, and where the group's
        column is given; or 0, those of the ``population``.
    weighted
        Whether a row counts in averages as often as its weight, and its trials, say.
    interval
        How much of the draws lies in the interval.

    Raises
    ------
    RequestError
        A setting is none of these.
    """

    others: Others | None = None
    average_by: By = None
    scale: Scale = "response"
    groups: Groups | None = None
    weighted: bool = True
    interval: float = 0.9

    def __post_init__(self) -> None:
        if self.others is not None:
            one_of("others", self.others, ("typical", "observed"))
        if self.groups is not None:
            one_of("groups", self.groups, ("own", "population"))
        one_of("scale", self.scale, ("response", "linear"))
        if not isinstance(self.weighted, bool):
            raise RequestError(f"weighted is True or False, not {shown(self.weighted)}")
        check_interval(self.interval)


def check_interval(share: object) -> None:
    """Refuse what is no share of the draws, between 0 and 1.

    Raises
    ------
    RequestError
        It is none.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise RequestError(f"interval must be between 0 and 1, not {shown(share)}")


def view(options: Options) -> View:
    """Read the settings of a call.

    Raises
    ------
    RequestError
        One is unknown, or can't be what it is.
    """
    known = [one.name for one in fields(View)]
    for name in options:
        if name not in known:
            raise RequestError(f"unknown setting {name!r}{suggest(name, known)} (known: {', '.join(known)})")
    return View(**options)


def one_of(what: str, value: object, known: Sequence[str]) -> None:
    """Refuse a word that is none of the known ones."""
    if not isinstance(value, str) or value not in known:
        hint = suggest(value, list(known)) if isinstance(value, str) else ""
        raise RequestError(f"{what} is {' or '.join(map(repr, known))}, not {shown(value)}{hint}")
