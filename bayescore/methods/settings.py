"""What values a method's settings can have: said beside each setting, and the same wherever it is read.

A settings class writes its fields with these functions, as in ``draws: int = whole(2500)``.
"""

import sys
from dataclasses import dataclass, field
from typing import Any, Literal

Sort = Literal["whole", "positive", "share", "flag", "choice"]
_MOST = 10**9


@dataclass(frozen=True)
class Values:
    """The values that a setting can have.

    Attributes
    ----------
    sort
        A whole number, a positive one, one between 0 and 1, True or False, or one of several words.
    least, most
        Ends of a whole number's range; what memory allows is looked at with the data.
    choices
        The words.
    none, function
        Whether None, or a function of the user's, will do as well.
    """

    sort: Sort
    least: int = 1
    most: int = _MOST
    choices: tuple[str, ...] = ()
    none: bool = False
    function: bool = False

    def wanted_for(self, value: object) -> str | None:
        """What is wanted in a value's place, in words, or None where it will do."""
        if (self.none and value is None) or (self.function and callable(value)):
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        match self.sort:
            case "whole" if not number or not isinstance(value, int) or value < self.least:
                return f"a whole number of at least {self.least}"
            case "whole" if value > self.most:  # type: ignore[operator]
                return f"at most {self.most}"
            case "positive" if not number or not 0 < value <= sys.float_info.max:  # type: ignore[operator]
                return "a positive number"
            case "share" if not isinstance(value, float) or not 0 < value < 1:
                return "a number between 0 and 1"
            case "flag" if not isinstance(value, bool):
                return "True or False"
            case "choice" if not isinstance(value, str) or value not in self.choices:
                return "one of " + ", ".join(self.choices)
        return None


def whole(
    default: int | None, *, least: int = 1, most: int = _MOST, none: bool = False, smoke: int | None = None
) -> Any:
    """A whole number; ``smoke`` is its value where only the plumbing is tried out."""
    return _setting(default, Values("whole", least, most, none=none), smoke)


def positive(default: float) -> Any:
    """A positive number."""
    return _setting(default, Values("positive"))


def share(default: float) -> Any:
    """A number between 0 and 1, both excluded."""
    return _setting(default, Values("share"))


def flag(default: bool | None, *, none: bool = False) -> Any:
    """True or False."""
    return _setting(default, Values("flag", none=none))


def choice(default: str, *choices: str, function: bool = False) -> Any:
    """One of several words."""
    return _setting(default, Values("choice", choices=choices, function=function))


def _setting(default: object, values: Values, smoke: int | None = None) -> Any:
    return field(default=default, metadata={"values": values, "smoke": smoke})
