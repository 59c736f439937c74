"""What can go wrong, by who has to act.

Every message says what happened, where, and what to do about it, in one line.
"""

from pathlib import Path
from types import UnionType

from bayescore.printable import shown


class BayescoreError(Exception):
    """The base of all errors this project raises on purpose."""


class RequestError(BayescoreError):
    """The request can't be served by any backend: a wrong option, setting or path."""


class DataError(RequestError):
    """The data can't be used as they are: a missing column, a NaN, y outside its support."""


class StatementError(RequestError):
    """What is to be compared makes no sense, as only who has run it can tell."""


class KeepingError(BayescoreError):
    """What was found can't be written down; ``reason`` is why, without the file's name."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"can't write {str(path)!r}: {reason}")
        self.reason = reason


class UnsupportedError(BayescoreError):
    """A known backend does not offer what was asked of it; the sentence says why."""


class MissingLibraryError(BayescoreError):
    """A backend is known, but a library it needs is not installed."""


class PluginError(BayescoreError):
    """A backend's plugin could not be loaded."""


class FitError(BayescoreError):
    """A fit came to no end: a process that a part of it ran in ended early, or raised."""


class BackendContractError(BayescoreError):
    """A backend returned something other than the contract asks for."""


def in_one_line(error: BaseException) -> str:
    """What somebody's code raised, by name and in one line; our own errors say all of it themselves."""
    text = " ".join(str(error).split()) or "no message"
    return text if isinstance(error, BayescoreError) else f"{type(error).__name__}: {text}"


def check_is(value: object, wanted: type | UnionType, what: str) -> None:
    """Refuse a value of another type.

    Raises
    ------
    RequestError
        ``what`` says what it should be, as in "the table is a data frame".
    """
    if not isinstance(value, wanted):
        raise RequestError(f"{what}, not {shown(value)}")


_LONGEST = 100
_MOST_LOOKED_AT = 20_000
"""A longer word, and more names than these, take time that no suggestion is worth."""


def suggest(word: str, known: "list[str]") -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known word, or nothing."""
    from difflib import get_close_matches

    near = [name for name in known if abs(len(name) - len(word)) <= len(word)] if len(word) <= _LONGEST else []
    cased = [name for name in near if name.lower() == word.lower()]
    close = cased or get_close_matches(word, near[:_MOST_LOOKED_AT], n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
