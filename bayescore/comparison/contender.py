"""A contender: a backend with a method, written ``pyro:svi`` or ``exact``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np

from bayescore import methods
from bayescore.comparison.subject import Subject
from bayescore.errors import PluginError, RequestError
from bayescore.methods import Exact, Method
from bayescore.plugins.registry import Registry
from bayescore.printable import shown


@dataclass(frozen=True)
class Contender:
    """A backend's name and a method.

    Attributes
    ----------
    label
        What it is called where the two don't tell it from others: of a subject that has more than
        one thing for a backend.
    """

    backend: str
    method: Method
    label: str = ""

    @property
    def name(self) -> str:
        """As it is written; a method's settings only where they are not the default."""
        if self.label:
            return self.label
        plain = self.backend == "exact" and self.method == Exact()
        return self.backend if plain else f"{self.backend}:{self.method}"

    @property
    def file_name(self) -> str:
        """The name in letters and digits, with a number behind it where another's could look the same."""
        plain = re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")
        same = plain == self.name.replace(":", "-")
        return plain if same else f"{plain[:100]}-{crc32(self.name.encode()):08x}"

    def drawing(self, times: int) -> "Contender":
        """The same by name and seeds, with so many times the draws."""
        longer: dict[str, Any] = {"draws": times * vars(self.method)["draws"]}
        return self.with_method(replace(self.method, **longer))

    def with_method(self, method: Method) -> "Contender":
        """The same by name and seeds, with another method."""
        return Contender(self.backend, method, self.name)

    def seeds(self, seed: int) -> tuple[int, int, int]:
        """Seeds of fit, posterior draws and predictions, the contender's own."""
        sequence = np.random.SeedSequence([seed, crc32(self.name.encode())])
        fit, sample, predict = (int(s) for s in sequence.generate_state(3))
        return fit, sample, predict


def parse(text: str, registry: Registry, default: Method | None = None) -> Contender:
    """Read a contender.

    Parameters
    ----------
    default
        The method of contenders that name none. A backend that has no method but
        ``exact`` by default keeps it where it lacks this one.

    Raises
    ------
    RequestError
        The backend or the method is unknown.
    """
    if not isinstance(text, str):
        raise RequestError(f"a contender is written as a text, as 'pyro:nuts', not {shown(text)}")
    backend, _, method = text.strip().partition(":")
    try:
        info = registry[backend].info
    except PluginError as error:  # a broken plugin is a known contender, which gets a row of its own
        return Contender(backend, _of_the_core(method, error) if method else default or methods.SVI())
    if method:
        return Contender(backend, info.read(method))
    own = info.read(info.default_method)
    if default is None or (isinstance(own, Exact) and f"method:{default.name}" not in info.declared("method")):
        return Contender(backend, own)
    return Contender(backend, default)


def _of_the_core(method: str, broken: PluginError) -> Method:
    """A method that a broken plugin was asked for; nobody knows those that it brings."""
    try:
        return methods.parse(method)
    except RequestError as error:
        raise RequestError(f"{error}; {broken}") from error


def parse_all(
    texts: Sequence[str],
    registry: Registry,
    subject: Subject,
    *,
    default: Method | None = None,
    reference: str = "auto",
    smoke: bool = False,
) -> list[Contender]:
    """Read the contenders of a comparison, the reference first.

    Parameters
    ----------
    reference
        ``auto`` adds ``exact`` where it declares the problem, ``none`` nothing; otherwise
        the contender to add.

    Raises
    ------
    RequestError
        There is none, or one is listed twice.
    """
    if not texts:
        raise RequestError("no contender: name at least one, as in --backends pyro numpyro")
    contenders = [parse(text, registry, default) for text in texts]
    for contender in contenders:
        if contenders.count(contender) > 1:
            raise RequestError(f"the contender {contender.name!r} is listed twice: name it once")
    added = _reference(reference, registry, subject, contenders)
    if added is not None and added not in contenders:
        contenders.insert(0, added)
    if smoke:
        return [Contender(c.backend, c.method.smoke()) for c in contenders]
    return contenders


def _reference(
    reference: str, registry: Registry, subject: Subject, contenders: Sequence[Contender]
) -> Contender | None:
    if reference == "none":
        return None
    if reference != "auto":
        return parse(reference, registry)
    estimands = {c.method.estimand for c in contenders}
    wanted = {"mle": methods.MLE(), "map": methods.MAP()}.get(next(iter(estimands)), Exact())
    method = wanted if len(estimands) == 1 else Exact()
    if "exact" not in registry.backends or any(c.backend == "exact" for c in contenders):
        return None
    refused = subject.refusal(registry["exact"].info, method)
    return None if refused else Contender("exact", method)
