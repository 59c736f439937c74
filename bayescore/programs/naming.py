"""Names and shapes in which programs say the same differently: sites called otherwise, matrices transposed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from bayescore.backend import LogDensity
from bayescore.errors import RequestError, StatementError, suggest
from bayescore.model.arrays import Array
from bayescore.program import ProgramSite

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Naming:
    """What a program's sites are called among all, and which of them are transposed.

    Attributes
    ----------
    names
        By the program's own names.
    transposed
        Common names of those whose last two dimensions change places.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    transposed: frozenset[str] = frozenset()

    def name(self, own: str) -> str:
        """The common name."""
        return self.names.get(own, own)

    def common(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Values by common names, of any leading dimensions."""
        return {self.name(own): self._turned(self.name(own), value) for own, value in values.items()}

    def own(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Values by the program's own names."""
        back = {common: own for own, common in self.names.items()}
        return {back.get(name, name): self._turned(name, value) for name, value in values.items()}

    def _turned(self, name: str, value: Array) -> Array:
        return np.ascontiguousarray(np.swapaxes(value, -1, -2)) if name in self.transposed else value

    def sites(self, sites: Sequence[ProgramSite]) -> tuple[ProgramSite, ...]:
        """Sites by their common names.

        Raises
        ------
        StatementError
            Two have one name then, or one that is to be transposed is no matrix.
        """
        names = [self.name(site.name) for site in sites]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise StatementError(f"two sites are called {twice!r}: rename another way")
        return tuple(
            replace(self._transposed(name, site) if name in self.transposed else site, name=name)
            for name, site in zip(names, sites, strict=True)
        )

    def _transposed(self, name: str, site: ProgramSite) -> ProgramSite:
        if site.value.ndim < 2:
            raise StatementError(f"{name!r} has shape {site.value.shape} and can't be transposed")
        turned = {
            k: self._turned(name, v) if v.ndim >= 2 and site.event_dim == 0 else v for k, v in site.parameters.items()
        }
        return replace(site, value=self._turned(name, site.value), parameters=turned)

    def density(self, found: LogDensity) -> LogDensity:
        """Terms by common names."""
        by_site = None if found.by_site is None else {self.name(own): term for own, term in found.by_site.items()}
        by_row = found.by_row
        if by_row is not None:
            by_row = {
                self.name(own): self._turned(self.name(own), rows) if np.ndim(rows) >= 2 else rows
                for own, rows in by_row.items()
            }
        return replace(found, by_site=by_site, by_row=by_row)


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Renames as they are written, ``b=beta``.

    Raises
    ------
    RequestError
        One is not written so, or says another thing than one before.
    """
    found: dict[str, str] = {}
    for text in texts:
        old, equals, new = (part.strip() for part in text.partition("="))
        if not equals or not old or not new or old == new:
            raise RequestError(f"a rename is written as OLD=NEW, as b=beta, not {text!r}")
        if found.get(old, new) != new or new in found:
            raise RequestError(f"{old!r} is to be called {new!r}, and another rename says otherwise")
        found[old] = new
    return found


def check(asked: Sequence[str], known: Sequence[str], what: str, whose: str = "of some program") -> None:
    """Refuse names that are not among the sites that are known.

    Raises
    ------
    StatementError
        There is one.
    """
    for name in asked:
        if name not in known:
            hint = suggest(name, list(known))
            raise StatementError(f"{what} {name!r}, which is no site {whose}{hint} (sites: {', '.join(known)})")
