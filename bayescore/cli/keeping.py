"""What a command writes to files: it is printed all the same if it can't be written, and the exit code tells."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path

from bayescore.cli import say
from bayescore.errors import KeepingError, RequestError
from bayescore.system import writing

UNKEPT = 73
"""Exit code where what was found could not be written down (EX_CANTCREAT of sysexits.h)."""
_STRONGER = {1, 130}
"""Exit codes that this one doesn't hide: a fault was found; stopped by Ctrl-C."""


def check_files(named: Mapping[str, str | None], inputs: Sequence[str | Path | None]) -> None:
    """Refuse files that can't be written, that are named twice, or that are read, before any work.

    Parameters
    ----------
    named
        By flag; None, and ``-`` for standard output, are no files.

    Raises
    ------
    RequestError
        It says which.
    """
    files = {flag: Path(name) for flag, name in named.items() if name is not None and name != "-"}
    for flag, path in files.items():
        writing.check(path)
        for used in inputs:
            with suppress(OSError, ValueError):  # it is no file's name
                if used is not None and path.is_file() and path.samefile(used):
                    raise RequestError(f"{str(path)!r} is read by this command: name another file with {flag}")
    for (one, path), (other, second) in combinations(files.items(), 2):
        if path.resolve() == second.resolve():
            raise RequestError(f"{one} and {other} name the same file: name two")


def keep(path: Path, text: str | bytes) -> list[str]:
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
