"""Which backends there are: the hook, and the guarded loading of whoever answers it.

Each entry point of the group ``bayescore`` is loaded on its own. One that fails is
kept as a row with its distribution and its reason, and never hurts the others.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec

import pluggy

from bayescore import methods
from bayescore.backend import API_VERSION, Backend, BackendInfo, Precision, hookspec
from bayescore.errors import MissingLibraryError, PluginError, RequestError, suggest

GROUP = "bayescore"
RESTRICT = "BAYESCORE_PLUGINS"
_CORE = "bayescore"
_OURS = {"pyro": "bayescore-pyro", "numpyro": "bayescore-numpyro"}


class Hooks:
    """What a plugin may implement."""

    @hookspec
    def bayescore_backends(self) -> Iterable[BackendInfo]:  # type: ignore[empty-body]
        """Declare this plugin's backends; import nothing heavy here."""


@dataclass(frozen=True)
class Registered:
    """A backend and the distribution that it came with."""

    info: BackendInfo
    distribution: str
    version: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Import names of its libraries that are not installed; nothing is imported."""
        return tuple(name for name in self.info.requires if _absent(name))

    def make(self, precision: Precision = "float64") -> Backend:
        """Make the backend.

        Raises
        ------
        MissingLibraryError
            A library it needs is not installed, or can't be imported.
        """
        if self.missing:
            raise MissingLibraryError(
                f"{self.info.name} needs {' and '.join(self.missing)}, not installed here: "
                f"pip install {self.distribution}"
            )
        try:
            return self.info.factory(precision)
        except ImportError as error:
            raise MissingLibraryError(
                f"{self.info.name} can't be imported ({error}): reinstall {self.distribution}"
            ) from error


@dataclass(frozen=True)
class Broken:
    """An entry point that could not be used, and why."""

    name: str
    distribution: str
    version: str
    reason: str


@dataclass(frozen=True)
class Registry:
    """All backends that were found, and the plugins that were not usable."""

    backends: dict[str, Registered]
    broken: tuple[Broken, ...] = ()

    def __getitem__(self, name: str) -> Registered:
        """The backend of this name.

        Raises
        ------
        PluginError
            Its plugin is broken.
        RequestError
            There is none of this name.
        """
        if name in self.backends:
            return self.backends[name]
        for broken in self.broken:
            if broken.name == name:
                raise PluginError(f"the plugin {name!r} of {broken.distribution} is broken: {broken.reason}")
        known = ", ".join(self.backends) or "none"
        if name in _OURS:
            raise RequestError(f"the backend {name!r} is not installed: pip install {_OURS[name]} (installed: {known})")
        raise RequestError(f"unknown backend {name!r}{suggest(name, list(self.backends))} (installed: {known})")


def load(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Load the plugins of the environment, or the given entry points.

    The environment variable ``BAYESCORE_PLUGINS`` restricts loading to the entry
    points it names, separated by commas; the core's own is always loaded.
    """
    found = entry_points(group=GROUP) if entries is None else entries
    backends: dict[str, Registered] = {}
    broken: list[Broken] = []
    for entry in sorted(_restrict(found), key=lambda e: (_distribution(e) != _CORE, e.name)):
        owner, release = _distribution(entry), _version(entry)
        try:
            declared = _declared(entry)
        except (Exception, SystemExit) as error:  # a stranger's code: whatever it raises costs its own row only
            broken.append(Broken(entry.name, owner, release, in_one_line(error)))
            continue
        for info in declared:
            other = backends.get(info.name)
            if other is not None:
                reason = f"its backend {info.name!r} is already there from {other.distribution} {other.version}"
                broken.append(Broken(entry.name, owner, release, reason))
            else:
                backends[info.name] = Registered(info, owner, release)
    return Registry(backends, tuple(broken))


def _absent(library: str) -> bool:
    """Whether it can't be imported; a mere folder of this name is no library."""
    spec = find_spec(library)
    return spec is None or spec.origin is None


def _restrict(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    unique = {(e.name, e.value): e for e in entries}
    wanted = os.environ.get(RESTRICT)
    if wanted is None:
        return list(unique.values())
    names = {name.strip() for name in wanted.split(",")}
    return [e for e in unique.values() if e.name in names or _distribution(e) == _CORE]


def _declared(entry: EntryPoint) -> list[BackendInfo]:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.register(entry.load())
    manager.check_pending()
    infos = [info for result in manager.hook.bayescore_backends() for info in result]
    if not infos:
        raise PluginError("it declares no backend: implement the hook bayescore_backends")
    for info in infos:
        if not isinstance(info, BackendInfo):
            raise PluginError(f"it declares {info!r}, which is no BackendInfo")
        if info.api_version != API_VERSION:
            raise PluginError(
                f"it was written for interface version {info.api_version}, this core has {API_VERSION}: "
                "upgrade the older of the two"
            )
        if not isinstance(info.supports, set | frozenset):
            raise PluginError(f"its backend {info.name!r} declares as supports {info.supports!r}, which is no set")
        methods.parse(info.default_method)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", info.name):
            raise PluginError(f"its backend's name {info.name!r} is not made of a-z, 0-9 and _")
    return infos


def in_one_line(error: BaseException) -> str:
    """What a plugin's code raised, in one line."""
    text = " ".join(str(error).split()) or "no message"
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown distribution"


def _version(entry: EntryPoint) -> str:
    try:
        return version(_distribution(entry))
    except PackageNotFoundError:
        return entry.dist.version if entry.dist is not None else "unknown version"
