"""What a command writes to files: it is printed all the same if it can't be written, and the exit code tells."""

from collections.abc import Sequence
from pathlib import Path

from bayescore.cli import say
from bayescore.errors import KeepingError
from bayescore.system import writing

UNKEPT = 73
"""Exit code where what was found could not be written down (EX_CANTCREAT of sysexits.h)."""
_STRONGER = {1, 130}
"""Exit codes that this one doesn't hide: a fault was found; stopped by Ctrl-C."""


def keep(path: Path, text: str) -> list[str]:
    """Write a file; if it can't be written, a sentence says why."""
    try:
        writing.write(path, text)
    except KeepingError as error:
        return [str(error)]
    return []


def exit_code(code: int, unkept: Sequence[str]) -> int:
    """Say what could not be kept, and let the exit code tell, too."""
    for sentence in unkept:
        say(sentence)
    return UNKEPT if unkept and code not in _STRONGER else code
