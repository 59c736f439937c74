"""What lies at a path that a person wrote: nothing, too, where the system can't even look.

`pathlib` raises there: for a name that is too long, a folder that may not be entered.
"""

from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether a regular file can be seen there."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder can be seen there."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
