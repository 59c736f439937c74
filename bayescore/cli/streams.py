"""Standard output and error that can't end a program: a reader that goes, a full disk, a closed descriptor.

What could not be printed is lost and, if that can still be said, said; the verdict and
its exit code stand.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO, TextIOBase
from typing import TextIO


class Sturdy(TextIOBase):
    """A text stream whose writes never fail.

    Attributes
    ----------
    failure
        The first error of writing, or None.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = StringIO() if stream is None else stream  # None where it was closed from the start
        self.failure: OSError | ValueError | None = None

    def write(self, text: str) -> int:
        """Write what can be written; after a failure nothing more. What the encoding lacks is written as an escape."""
        self._try(lambda: self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding)))
        return len(text)

    def flush(self) -> None:
        """The same for what is waiting."""
        self._try(self._stream.flush)

    def _try(self, action: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            action()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            self.failure = error

    @property
    def lost(self) -> str | None:
        """Why something was lost that nobody chose to leave unread."""
        gone = isinstance(self.failure, BrokenPipeError)
        return None if self.failure is None or gone else str(self.failure)

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors


@contextmanager
def sturdy_streams() -> Iterator[None]:
    """Make standard output and error sturdy for a while, and say at the end what was lost of the output."""
    _open_standard_descriptors()
    before = sys.stdout, sys.stderr
    out, err = map(Sturdy, before)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        out.flush()
        if out.lost:
            err.write(f"bayescore: standard output can't be written ({out.lost}): what was to be printed is lost\n")
        err.flush()
        sys.stdout, sys.stderr = before
        for stream, sturdy in zip(before, (out, err), strict=True):
            if sturdy.failure is not None and stream is not None:
                _silence(stream)


def _open_standard_descriptors() -> None:
    """Fill closed standard descriptors, so that no file that is opened gets their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _silence(stream: TextIO) -> None:
    """Let what waits in a failed stream go nowhere, so that its end at exit is quiet."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
