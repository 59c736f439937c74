"""Who declares which backend, and what became of those that can't be used.

No name is anybody's by coming first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bayescore.backend import Backend, BackendInfo, Precision
from bayescore.errors import MissingLibraryError, PluginError, RequestError, suggest
from bayescore.plugins.distributions import release, required, reserved, shipped


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
    absent = [name for name in required(origin.distribution, everywhere=True) if not release(name)]
    if absent:
        return f"pip install {' '.join(absent)}"
    if missing:
        ours = origin.distribution in shipped()
        known = "" if ours else f", which the metadata of {origin.distribution} should require"
        return f"install what holds {' and '.join(missing)}, as by pip install {' '.join(missing)}{known}"
    return f"pip install --upgrade --force-reinstall {origin.distribution}"


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
        ours = reserved().get(name)
        if ours and not any(broken.origin.distribution == ours and name in broken.names for broken in self.broken):
            raise RequestError(f"the backend {name!r} is not installed: pip install {ours} (installed: {known})")
        if reasons:
            raise PluginError(f"the plugin {name!r} {'; '.join(reasons)}")
        raise RequestError(f"unknown backend {name!r}{suggest(name, list(self.backends))} (installed: {known})")


@dataclass(frozen=True)
class Declaration:
    """What a plugin said when it was asked: its backends with what they miss, or why there are none."""

    backends: tuple[tuple[BackendInfo, tuple[str, ...]], ...] = ()
    failure: str | None = None


def register(declarations: Mapping[Origin, Declaration]) -> Registry:
    """Put together what all plugins declare; no name is anybody's by coming first."""
    ours = reserved()
    broken = [
        Broken(origin, declared.failure, (origin.name,))
        for origin, declared in declarations.items()
        if declared.failure is not None
    ]
    claims: dict[str, list[Registered]] = {}
    for origin, declared in declarations.items():
        for info, missing in declared.backends:
            owner = ours.get(info.name, origin.distribution)
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
