"""What a fit depends on: the problem and how it was fitted, and the code that fitted it."""

import platform
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import file_digest, sha256
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

from bayescore.comparison.contender import Contender
from bayescore.comparison.subject import Subject
from bayescore.plugins.distributions import ARITHMETIC, CORE, plain, release, required
from bayescore.plugins.registry import Registered
from bayescore.settings import Settings, of_fits


def of_problem(subject: Subject, settings: Settings) -> str:
    """A hash of what is compared, and of the settings that change what is fitted."""
    digest = sha256(repr(of_fits(settings)).encode())
    subject.feed(digest)
    return digest.hexdigest()


def of_fit(contender: Contender, registered: Registered, problem: str) -> dict[str, str]:
    """All that a contender's fit depends on, by what it is called in a sentence.

    The code of the plugin and of the core counts beside their versions, which stay the same
    while somebody works on them. Nothing is imported.
    """
    origin = registered.origin
    return {
        "the problem": problem,
        "the contender": f"{contender.name} {contender.method!r}",
        "Python": platform.python_version(),
        **_versions(origin.distribution, tuple(registered.info.requires)),
        "the code of bayescore": _code("bayescore", "bayescore"),
        "the plugin": f"{origin} {origin.value} {_code(origin.value, origin.distribution)}",
    }


def difference(stored: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """What has changed, in words; None if nothing has."""
    changed = [name for name in {**now, **stored} if stored.get(name) != now.get(name)]
    told = [
        f"{name} is another one"
        if name.startswith("the ")
        else f"{name} was {stored.get(name, 'absent')} and is {now.get(name, 'absent')}"
        for name in changed
    ]
    return ", ".join(told[:3]) or None


def _versions(plugin: str, modules: Iterable[str]) -> dict[str, str]:
    """Versions of the core's libraries, and of all that a plugin's distribution requires, however indirectly."""
    waiting = [plugin]
    for module in modules:
        waiting += [module] if release(module) else _providers().get(module, [])
    found = {name: known for name in (CORE, *ARITHMETIC) if (known := release(name))}
    while waiting:
        name = plain(waiting.pop())
        known = None if name in found else release(name)
        if known is not None:
            found[name] = known
            waiting += required(name)
    return dict(sorted(found.items()))


@cache
def _providers() -> Mapping[str, list[str]]:
    """The distributions that each import name comes from."""
    return packages_distributions()


def _code(module: str, owner: str) -> str:
    """A hash of the files of a module's package, and of those that its distribution came with."""
    digest = sha256()
    for path in sorted({*_beside(module), *_installed(owner)}):
        if path.is_file() and path.suffix != ".pyc":
            with suppress(OSError), path.open("rb") as file:  # what can't be read isn't run either
                digest.update(f"{path.name} {file_digest(file, 'sha256').hexdigest()}".encode())
    return digest.hexdigest()


def _beside(module: str) -> Iterable[Path]:
    """The files of the package, or the one of the module, that an entry point lies in."""
    top, *rest = module.partition(":")[0].split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # what a finder, or a module that is no file, answers with
        return []
    while spec is not None and spec.origin is None and rest:  # a namespace has many owners
        top = f"{top}.{rest.pop(0)}"
        spec = PathFinder.find_spec(top, spec.submodule_search_locations)
    if spec is None or spec.origin is None:
        return []
    path = Path(spec.origin)
    return path.parent.rglob("*") if spec.submodule_search_locations else [path]


def _installed(owner: str) -> list[Path]:
    """The files that a distribution was installed with, as far as it tells."""
    try:
        files = distribution(owner).files or []
    except (PackageNotFoundError, ValueError):
        return []
    return [Path(str(file.locate())) for file in files if not file.parts[0].endswith(".dist-info")]
