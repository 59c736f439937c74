"""Which backends there are: the plugins that are installed, each asked on its own.

One that fails is kept as a row with its distribution and its reason, and never hurts the
others. What this project ships is asked here; a stranger's plugin is asked in a process of
its own (`bayescore.plugins.survey`), and runs in this one only when its backend is made here.
"""

import os
from collections.abc import Iterable
from importlib.metadata import EntryPoint

from bayescore.plugins.distributions import CORE, plain, plugins, shipped
from bayescore.plugins.hook import declare
from bayescore.plugins.registry import Origin, Registry, register
from bayescore.plugins.survey import ask

RESTRICT = "BAYESCORE_PLUGINS"


def installed() -> bool:
    """Whether there is any plugin, the core's own among them; nothing is asked."""
    return bool(plugins())


def load(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Ask the plugins of the environment, or those of the given entry points.

    The environment variable ``BAYESCORE_PLUGINS`` restricts this to the entry points that
    it names, separated by commas; the core's own is always asked.
    """
    found = _restrict(plugins() if entries is None else entries)
    origins = sorted({_origin(entry) for entry in found}, key=lambda o: (o.distribution != CORE, o.name))
    ours = shipped()
    strangers = ask([origin for origin in origins if origin.distribution not in ours])
    return register({origin: strangers[origin] if origin in strangers else declare(origin) for origin in origins})


def _restrict(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    wanted = os.environ.get(RESTRICT)
    if wanted is None:
        return list(entries)
    names = {name.strip() for name in wanted.split(",")}
    return [e for e in entries if e.name in names or _origin(e).distribution == CORE]


def _origin(entry: EntryPoint) -> Origin:
    name, release = (None, None) if entry.dist is None else (entry.dist.name, entry.dist.version)
    return Origin(entry.name, entry.value, plain(name), release or "unknown version")
