"""Every file that this program writes: whole or not at all, and never in the place of something else.

A regular file is written beside itself and put in place by a rename; a symbolic link is
followed first, so that its target gets the content. What is no regular file, a device or a
pipe, is written to as it is, and so is a file that has other names or can't be replaced.
"""

import errno
import os
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

from bayescore.errors import KeepingError, RequestError

_UNFINISHED = ".bayescore-{}.unfinished"
_CANT_REPLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY}
"""Where a file may be written and its folder may not, and where it is a mount of its own."""
_CANT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}


def write(path: Path, content: str | bytes) -> None:
    """Write a file, whole or not at all where that is possible.

    Raises
    ------
    KeepingError
        It can't be written.
    """
    try:
        encoded = content if isinstance(content, bytes) else content.encode()
        _write(path, encoded)
    except (OSError, UnicodeError) as error:
        raise KeepingError(path, reason(error)) from error


def reason(error: OSError | UnicodeError) -> str:
    """Why writing failed, without the file's name."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def check(path: Path) -> None:
    """Refuse a path that can't be written, before any work.

    Raises
    ------
    RequestError
        It says why.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        parent = Path(os.path.realpath(path)).parent
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return
        why = "name a file in a folder that is there and can be written"
    except OSError as error:
        why = reason(error)
    else:
        if not stat.S_ISDIR(mode) and not stat.S_ISSOCK(mode) and os.access(path, os.W_OK):
            return
        why = "name a file that can be written"
    raise RequestError(f"can't write {str(path)!r}: {why}")


def sweep(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed while they wrote into a folder."""
    for left in folder.glob(_UNFINISHED.format("[0-9a-f]" * 16)):
        left.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        before = None
    if before is None:
        _put(path, content, None)
    elif not stat.S_ISREG(before.st_mode):
        _pour(os.open(path, os.O_WRONLY), content)
    elif (standard := _standard(before)) is not None:
        _pour(standard, content)
    elif before.st_nlink > 1:
        _pour(os.open(path, os.O_WRONLY | os.O_TRUNC), content)
    else:
        _replace(path, content, before)


def _replace(path: Path, content: bytes, before: os.stat_result) -> None:
    if not os.access(path, os.W_OK):  # a rename does not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    try:
        _put(path, content, before)
    except OSError as error:
        if error.errno not in _CANT_REPLACE:
            raise
        _pour(os.open(path, os.O_WRONLY | os.O_TRUNC), content)


def _put(path: Path, content: bytes, before: os.stat_result | None) -> None:
    """Write beside the target, and rename; what was there hands on its mode and its owner."""
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(_UNFINISHED.format(secrets.token_hex(8)))
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if before is not None:
            with suppress(OSError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            with suppress(OSError):
                os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
        _pour(descriptor, content)
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def _pour(descriptor: int, content: bytes) -> None:
    """Write all of it and close: a quota may tell only then."""
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _CANT_SYNC:
                raise


def _standard(file: os.stat_result) -> int | None:
    """A descriptor of standard output or error, if this is the file that it goes to.

    Opened a second time, the file would be overwritten from its beginning by either.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or no file at all
            stream.flush()
            if os.path.samestat(os.fstat(stream.fileno()), file):
                return os.dup(stream.fileno())
    return None
