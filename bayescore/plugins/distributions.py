"""What is installed, by distribution, as the metadata tell: nothing is imported, nobody is asked."""

import re
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points, version

GROUP = "bayescore"
"""Of the entry points that name plugins."""
CORE = "bayescore"
ARITHMETIC = ("numpy", "scipy", "autograd")
"""What the core computes with; whatever else it requires reads tables and prints."""


def plain(name: str | None) -> str:
    """A distribution's name, of which there are many spellings."""
    return re.sub(r"[-_.]+", "-", name or "unknown distribution").lower()


def release(name: str) -> str | None:
    """The version of a distribution, or None where it is not installed."""
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):  # ValueError: no name at all
        return None


def required(name: str, *, extras: bool = False, everywhere: bool = False) -> list[str]:
    """What a distribution requires, by name; nothing where it is not installed.

    Parameters
    ----------
    extras
        What its extras require, instead.
    everywhere
        Leave out what is required on some systems only.
    """
    try:
        lines = distribution(name).requires or ()
    except (PackageNotFoundError, ValueError):
        return []
    chosen = (line for line in lines if ("extra ==" in line) == extras and not (everywhere and ";" in line))
    return [plain(found[0]) for line in chosen if (found := re.match(r"[A-Za-z0-9._-]+", line))]


def plugins() -> list[EntryPoint]:
    """The entry points of all plugins, the core's own among them."""
    return list(entry_points(group=GROUP))


def reserved() -> dict[str, str]:
    """The backends' names that are this project's, each with the distribution that alone may give it.

    They are the core's entry points, and what its extras bring: ``pip install bayescore[pyro]`` brings the
    distribution bayescore-pyro, whose backend is ``pyro``.
    """
    try:
        own = {entry.name: CORE for entry in distribution(CORE).entry_points if entry.group == GROUP}
    except PackageNotFoundError:  # a clone that is not installed
        own = {}
    brought = [name for name in required(CORE, extras=True) if name.startswith(f"{CORE}-")]
    return own | {name.removeprefix(f"{CORE}-").replace("-", "_"): name for name in brought}


def shipped() -> frozenset[str]:
    """The distributions that are this project's."""
    return frozenset({CORE, *reserved().values()})


def versions() -> dict[str, str | None]:
    """Of the core, of all plugins, and of what each computes with; None for what is not installed."""
    named = (entry.dist.name for entry in plugins() if entry.dist is not None)
    owners = sorted({plain(name) for name in named if name} - {CORE})
    computing = [name for owner in owners for name in required(owner)]
    return {name: release(name) for name in (CORE, *owners, *ARITHMETIC, *computing)}
