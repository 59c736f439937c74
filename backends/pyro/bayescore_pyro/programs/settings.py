"""Settings that mean something for regressions only."""

from bayescore.errors import UnsupportedError
from bayescore.methods import Method


def check_usual(method: Method, *names: str) -> None:
    """Refuse settings that are not at their defaults.

    Raises
    ------
    UnsupportedError
        One is not.
    """
    usual = type(method)()
    for name in names:
        if getattr(method, name) != getattr(usual, name):
            raise UnsupportedError(
                f"{name} is for regressions: a program is fitted with all its rows, in the coordinates that it has"
            )
