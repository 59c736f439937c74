"""Which backends there are: the hook, and the registry of whoever answers it.

Each entry point of the group ``bayescore`` is asked on its own. One that fails is kept as
a row with its distribution and its reason, and never hurts the others. What this project
ships is asked here; a stranger's plugin is asked in a process of its own
(`bayescore.plugins.survey`), and runs in this one only when its backend is made here.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires, version
from importlib.util import find_spec

import pluggy

from bayescore import methods
from bayescore.backend import API_VERSION, Backend, BackendInfo, Precision, hookspec
from bayescore.errors import MissingLibraryError, PluginError, RequestError, in_one_line, suggest

GROUP = "bayescore"
RESTRICT = "BAYESCORE_PLUGINS"
_CORE = "bayescore"
_OURS = {"exact": _CORE, "pyro": "bayescore-pyro", "numpyro": "bayescore-numpyro"}
"""Names that only these distributions may give a backend."""


class Hooks:
    """What a plugin may implement."""

    @hookspec
    def bayescore_backends(self) -> Iterable[BackendInfo]:  # type: ignore[empty-body]
        """Declare this plugin's backends; import nothing heavy here."""


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from.

    Attributes
    ----------
    name, value
        Its entry point, and the module that this names.
    distribution, version
        What was installed.
    """

    name: str
    value: str
    distribution: str
    version: str

    @property
    def ours(self) -> bool:
        """Whether this project ships it."""
        return self.distribution in _OURS.values()

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Registered:
    """A backend, where it comes from, and import names of its libraries that are not installed."""

    info: BackendInfo
    origin: Origin
    missing: tuple[str, ...] = ()

    def make(self, precision: Precision = "float64") -> Backend:
        """Make the backend.

        Raises
        ------
        MissingLibraryError
            A library it needs is not installed, or can't be imported.
        """
        if self.missing:
            raise MissingLibraryError(self.lacking)
        try:
            return self.info.factory(precision)
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"{self.info.name} can't be imported ({error}): {remedy(self.origin, (str(error.name),))}"
            ) from error
        except ImportError as error:
            raise MissingLibraryError(
                f"{self.info.name} can't be imported ({error}): its libraries don't fit together; "
                f"{remedy(self.origin, ())}"
            ) from error

    @property
    def lacking(self) -> str:
        """What is missing, and what to do about it."""
        names = " and ".join(self.missing)
        return f"{self.info.name} needs {names}, not installed here: {remedy(self.origin, self.missing)}"


def remedy(origin: Origin, missing: tuple[str, ...]) -> str:
    """What to install: what the distribution requires and is not there, or else what is missing by its import name."""
    absent = []
    try:
        wanted = requires(origin.distribution) or []
    except PackageNotFoundError:
        wanted = []
    for requirement in wanted:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        if ";" not in requirement and not _installed(name):
            absent.append(name)
    if absent:
        return f"pip install {' '.join(absent)}"
    if missing:
        known = ", which the metadata of " + origin.distribution + " should require" if not origin.ours else ""
        return f"install what holds {' and '.join(missing)}, as by pip install {' '.join(missing)}{known}"
    return f"pip install --upgrade --force-reinstall {origin.distribution}"


def _installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


@dataclass(frozen=True)
class Broken:
    """An entry point that could not be used, why, and what names its backends would have."""

    origin: Origin
    reason: str
    names: tuple[str, ...]


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
        reasons = [f"of {b.origin.distribution} is broken: {b.reason}" for b in self.broken if name in b.names]
        known = ", ".join(self.backends) or "none"
        if name in _OURS and not any(broken.origin.ours and name in broken.names for broken in self.broken):
            raise RequestError(f"the backend {name!r} is not installed: pip install {_OURS[name]} (installed: {known})")
        if reasons:
            raise PluginError(f"the plugin {name!r} {'; '.join(reasons)}")
        raise RequestError(f"unknown backend {name!r}{suggest(name, list(self.backends))} (installed: {known})")


@dataclass(frozen=True)
class Declaration:
    """What a plugin said when it was asked: its backends with what they miss, or why there are none."""

    backends: tuple[tuple[BackendInfo, tuple[str, ...]], ...] = ()
    failure: str | None = None


def installed() -> bool:
    """Whether there is any plugin, the core's own among them; nothing is asked."""
    return bool(entry_points(group=GROUP))


def load(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Ask the plugins of the environment, or those of the given entry points.

    The environment variable ``BAYESCORE_PLUGINS`` restricts this to the entry points that
    it names, separated by commas; the core's own is always asked.
    """
    from bayescore.plugins.survey import ask

    found = _restrict(entry_points(group=GROUP) if entries is None else entries)
    origins = sorted({_origin(entry) for entry in found}, key=lambda o: (o.distribution != _CORE, o.name))
    strangers = ask([origin for origin in origins if not origin.ours])
    return register({origin: declare(origin) if origin.ours else strangers[origin] for origin in origins})


def register(declarations: Mapping[Origin, Declaration]) -> Registry:
    """Put together what all plugins declare; no name is anybody's by coming first."""
    broken = [
        Broken(origin, declared.failure, (origin.name,))
        for origin, declared in declarations.items()
        if declared.failure is not None
    ]
    claims: dict[str, list[Registered]] = {}
    for origin, declared in declarations.items():
        for info, missing in declared.backends:
            owner = _OURS.get(info.name, origin.distribution)
            if owner == origin.distribution:
                claims.setdefault(info.name, []).append(Registered(info, origin, missing))
            else:
                broken.append(Broken(origin, f"the name {info.name!r} belongs to {owner}", (origin.name, info.name)))
    backends = {}
    for name, claimants in claims.items():
        if len(claimants) == 1:
            backends[name] = claimants[0]
        for one in claimants if len(claimants) > 1 else ():
            others = " and ".join(str(c.origin) for c in claimants if c is not one)
            reason = f"its backend {name!r} is declared by {others}, too: uninstall all but one"
            broken.append(Broken(one.origin, reason, (one.origin.name, name)))
    return Registry(backends, tuple(broken))


def declare(origin: Origin) -> Declaration:
    """Ask a plugin in this process what it declares."""
    try:
        infos = _declared(origin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's code: whatever it raises costs its own row only
        return Declaration(failure=in_one_line(error))
    return Declaration(tuple((info, tuple(name for name in info.requires if _absent(name))) for info in infos))


def backend(origin: Origin, name: str) -> Registered:
    """Load one plugin into this process, and give its backend of this name.

    Raises
    ------
    PluginError
        It can't be loaded, or has no such backend any more.
    """
    registry = register({origin: declare(origin)})
    if name not in registry.backends and not registry.broken:
        raise PluginError(f"the plugin of {origin} has no backend {name!r} any more")
    return registry[name]


def _absent(library: str) -> bool:
    """Whether it can't be imported; a mere folder of this name is no library."""
    try:
        spec = find_spec(library)
    except Exception:  # the search is others' code too: what it can't find can't be imported
        return True
    return spec is None or spec.origin is None


def _restrict(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    wanted = os.environ.get(RESTRICT)
    if wanted is None:
        return list(entries)
    names = {name.strip() for name in wanted.split(",")}
    return [e for e in entries if e.name in names or _origin(e).distribution == _CORE]


def _origin(entry: EntryPoint) -> Origin:
    if entry.dist is None:
        return Origin(entry.name, entry.value, "unknown distribution", "unknown version")
    name = re.sub(r"[-_.]+", "-", entry.dist.name).lower()
    return Origin(entry.name, entry.value, name, entry.dist.version)


def _declared(origin: Origin) -> list[BackendInfo]:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.register(EntryPoint(origin.name, origin.value, GROUP).load())
    manager.check_pending()
    infos = [info for result in manager.hook.bayescore_backends() for info in result]
    if not infos:
        raise PluginError("it declares no backend: implement the hook bayescore_backends")
    for info in infos:
        check(info)
    return infos


def check(info: object) -> None:
    """Refuse a declaration that can't be used.

    Raises
    ------
    PluginError
        It says what was expected and what came.
    """
    if not isinstance(info, BackendInfo):
        raise PluginError(f"it declares {info!r}, which is no BackendInfo")
    if info.api_version != API_VERSION:
        raise PluginError(
            f"it was written for interface version {info.api_version}, this core has {API_VERSION}: "
            "upgrade the older of the two"
        )
    if not isinstance(info.name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", info.name):
        raise PluginError(f"its backend's name {info.name!r} is not made of a-z, 0-9 and _")
    for what, value, good, wanted in (
        ("supports", info.supports, isinstance(info.supports, set | frozenset) and _texts(info.supports),
         "a set of texts"),
        ("gaps", info.gaps, isinstance(info.gaps, Mapping) and _texts([*info.gaps, *info.gaps.values()]),
         "texts by text"),
        ("requires", info.requires, isinstance(info.requires, tuple | list)
         and all(isinstance(name, str) and name.isidentifier() for name in info.requires),
         "import names without dots"),
        ("environment", info.environment, isinstance(info.environment, Mapping)
         and all(_variable(*pair) for pair in info.environment.items()), "variables and their texts"),
        ("default_method", info.default_method, isinstance(info.default_method, str), "a method as it is written"),
        ("factory", info.factory, callable(info.factory), "a function of the precision"),
        ("limits", info.limits, callable(info.limits), "a function of the regression and the method"),
    ):  # fmt: skip
        if not good:
            raise PluginError(f"its backend {info.name!r} declares as {what} {value!r}, which is not {wanted}")
    bare = sorted(text for text in info.supports if ":" not in text)
    if bare:
        kinds = "family, link, prior, method, guide, precision or feature"
        raise PluginError(
            f"its backend {info.name!r} declares {bare[0]!r} without saying what it is ({kinds}): "
            f"write it as in 'family:Gaussian'"
        )
    methods.parse(info.default_method)


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _variable(name: object, value: object) -> bool:
    """Whether the system takes it for a variable of the environment."""
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    return name != "" and "=" not in name and "\0" not in name + value
