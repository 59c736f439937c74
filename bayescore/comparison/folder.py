"""A folder of our own: a marker in it names the files that we wrote, and only those are ever replaced or removed."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from bayescore.errors import KeepingError, RequestError
from bayescore.system import writing

MARKER = ".bayescore"
_HEADER = b"A comparison kept by bayescore. The files that it wrote, and may replace:"
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9.-]*) ([0-9a-f]{64}|-)")
_UNLOCKABLE = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL}
"""Of file systems without locks."""


class Folder:
    """A folder that one process at a time writes into.

    The marker is locked as long as the folder is open. It has a line for each file that was
    written, its name and the SHA-256 of its content, put there before the file is.

    Parameters
    ----------
    force, resume
        Take one that we wrote into before.

    Raises
    ------
    RequestError
        It is there and neither was asked for, it is somebody else's or in use, or it can't be written.
    """

    def __init__(self, path: Path, *, force: bool, resume: bool) -> None:
        self.path = path
        with _refused(path):
            self._refuse_others()
            path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
            self._marker = os.open(path / MARKER, flags, 0o666)
        try:
            with _refused(path):
                self._lock()
                self._written = self._read_marker()
                if self._written and not (force or resume):
                    raise RequestError(
                        f"the folder {str(path)!r} is there: --force replaces it, --resume goes on with it"
                    )
                writing.sweep(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others write into it."""
        os.close(self._marker)

    def read(self, name: str) -> bytes | None:
        """A file's content, if it is there and as we wrote it."""
        path = self.path / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            content = path.read_bytes()
        except OSError:
            return None
        return content if (name, sha256(content).hexdigest()) in self._written else None

    def claim(self, name: str) -> None:
        """Refuse a name that somebody else's file has.

        Raises
        ------
        RequestError
            One has.
        """
        path = self.path / name
        ours = any(name == written for written, _ in self._written)
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
        if not ours or not stat.S_ISREG(mode):
            raise RequestError(f"{str(path)!r} is there and is not bayescore's: move it, or name another folder")

    def clear(self) -> None:
        """Remove what we wrote, and nothing else.

        Raises
        ------
        RequestError
            It can't be removed.
        """
        with _refused(self.path):
            self._remove_all()

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file whole or not at all.

        Raises
        ------
        KeepingError
            It can't be written.
        """
        encoded = content if isinstance(content, bytes) else content.encode(errors="replace")
        self._announce(name, sha256(encoded).hexdigest())
        writing.write(self.path / name, encoded)

    def append(self, name: str, text: str) -> None:
        """Add to a file.

        Raises
        ------
        KeepingError
            It can't be written.
        """
        self._announce(name, "-")
        path = self.path / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
                stream.write(text)
        except OSError as error:
            raise KeepingError(path, writing.reason(error)) from error

    def _refuse_others(self) -> None:
        """Nothing is put into a folder that is not ours, a marker neither."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise RequestError(f"{str(self.path)!r} is a file; name a folder with --out")
        names = [entry.name for entry in self.path.iterdir()]
        if names and MARKER not in names:
            raise RequestError(f"{str(self.path)!r} is not a comparison's folder; it is left alone: name another one")

    def _lock(self) -> None:
        try:
            fcntl.flock(self._marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RequestError(
                f"another comparison is writing into {str(self.path)!r}: wait for it, or name another folder"
            ) from error
        except OSError as error:
            if error.errno not in _UNLOCKABLE:
                raise

    def _read_marker(self) -> set[tuple[str, str]]:
        """Names and digests of what we wrote."""
        if not stat.S_ISREG(os.fstat(self._marker).st_mode):
            raise RequestError(f"{str(self.path)!r} has a {MARKER} that is no file; it is left alone: name another one")
        header, *lines = os.pread(self._marker, os.fstat(self._marker).st_size, 0).split(b"\n")
        if header != _HEADER:
            if not _HEADER.startswith(header) or len(list(self.path.iterdir())) > 1:
                raise RequestError(f"{str(self.path)!r} has a {MARKER} of another kind; it is left alone")
            self._begin()  # it is new, or its first line was cut off
        matches = (_LINE.fullmatch(line.decode(errors="replace")) for line in lines)
        return {(match[1], match[2]) for match in matches if match}

    def _begin(self) -> None:
        os.ftruncate(self._marker, 0)
        os.write(self._marker, _HEADER)

    def _remove_all(self) -> None:
        for name in {name for name, _ in self._written}:
            path = self.path / name
            with suppress(FileNotFoundError):
                if stat.S_ISREG(path.lstat().st_mode):
                    path.unlink()
        self._begin()
        self._written = set()

    def _announce(self, name: str, digest: str) -> None:
        """Put a file on the list, so that whatever of it is written is known as ours."""
        path = self.path / name
        try:
            self.claim(name)
            if not os.path.samestat(os.fstat(self._marker), (self.path / MARKER).stat()):
                raise KeepingError(path, "the folder has become another one")
            if (name, digest) not in self._written:
                line = f"\n{name} {digest}".encode()
                if os.write(self._marker, line) < len(line):  # which spoils no other line
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._written.add((name, digest))
        except RequestError as error:
            raise KeepingError(path, str(error)) from error
        except OSError as error:
            raise KeepingError(path, writing.reason(error)) from error


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Say in one line that a folder can't be used."""
    try:
        yield
    except OSError as error:
        raise RequestError(f"can't write to {str(path)!r}: {writing.reason(error)}") from error
