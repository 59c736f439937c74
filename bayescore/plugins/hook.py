"""One plugin, loaded into this process: the hook, and what it declares there."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from importlib.util import find_spec

import pluggy

from bayescore import methods, notation
from bayescore.backend import API_VERSION, BackendInfo, hookspec
from bayescore.errors import PluginError, in_one_line
from bayescore.plugins.distributions import GROUP
from bayescore.plugins.registry import Declaration, Origin, Registered, register


class Hooks:
    """What a plugin may implement."""

    @hookspec
    def bayescore_backends(self) -> Iterable[BackendInfo]:  # type: ignore[empty-body]
        """Declare this plugin's backends; import nothing heavy here."""


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
        ("supports", info.supports,
         info.supports is None or (isinstance(info.supports, set | frozenset) and _texts(info.supports)),
         "a set of texts"),
        ("gaps", info.gaps, isinstance(info.gaps, Mapping) and _texts([*info.gaps, *info.gaps.values()]),
         "texts by text"),
        ("requires", info.requires, isinstance(info.requires, tuple | list)
         and all(isinstance(name, str) and name.isidentifier() for name in info.requires),
         "import names without dots"),
        ("environment", info.environment, isinstance(info.environment, Mapping)
         and all(_variable(*pair) for pair in info.environment.items()), "variables and their texts"),
        ("methods", info.methods, isinstance(info.methods, tuple | list), "settings classes"),
        ("default_method", info.default_method, isinstance(info.default_method, str), "a method as it is written"),
        ("factory", info.factory, callable(info.factory), "a function of the precision"),
        ("limits", info.limits, callable(info.limits), "a function of the regression and the method"),
    ):  # fmt: skip
        if not good:
            raise PluginError(f"its backend {info.name!r} declares as {what} {value!r}, which is not {wanted}")
    bare = sorted(text for text in info.supports or () if ":" not in text)
    if bare:
        kinds = "family, link, prior, method, guide, precision or feature"
        raise PluginError(
            f"its backend {info.name!r} declares {bare[0]!r} without saying what it is ({kinds}): "
            f"write it as in 'family:Gaussian'"
        )
    names = [*methods.METHODS]
    for cls in info.methods:
        name = methods.describe(cls).name
        if notation.meant(name, names) in names:
            raise PluginError(f"its backend {info.name!r} brings a method {name!r}, and that name is taken")
        names.append(name)
    info.read(info.default_method)


def _texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _variable(name: object, value: object) -> bool:
    """Whether the system takes it for a variable of the environment."""
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    return name != "" and "=" not in name and "\0" not in name + value
