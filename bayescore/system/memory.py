"""How much memory this machine has, and what is refused for want of it before any work."""

import os
from functools import cache

from bayescore.errors import RequestError

_SHARE = 4
"""One array may take the memory's fourth part: it is copied, at least from process to process."""
_NUMBER = 8


@cache
def memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def check(what: str, numbers: int, remedy: str) -> None:
    """Refuse what needs more memory than there is.

    Parameters
    ----------
    what
        What is asked for, in words.
    numbers
        How many numbers of 8 bytes it is.

    Raises
    ------
    RequestError
        They are too many; ``remedy`` says what to do.
    """
    allowed = memory() // _SHARE
    if numbers * _NUMBER > allowed:
        size = f"{numbers * _NUMBER / 2**30:.3g}" if numbers < 2**200 else "far too many"
        raise RequestError(
            f"{what} would take {size} GiB of memory, and at most {allowed / 2**30:.3g} can be used here: {remedy}"
        )


def check_square(d: int, what: str, remedy: str) -> None:
    """Refuse so many parameters that their covariance does not fit into memory.

    Raises
    ------
    RequestError
        ``what`` names them, ``remedy`` says what to do.
    """
    check(f"the covariance of {what}", d * d, remedy)
