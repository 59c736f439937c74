"""Two sides' parameters brought together: sites renamed, elements labelled, those that are to be judged chosen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayescore.errors import DataError, RequestError, suggest
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.printable import shown

_SHORTEST = 20
"""Draws of a chain; with fewer, and more chains than that, the axes have been taken for each other."""
_MOST_NAMED = 10

Sides = Mapping[str, Posterior]
"""Two posteriors, by what they are called."""


def renamed(sides: Sides, names: Mapping[str, str]) -> dict[str, Posterior]:
    """Sites under their new names, on whichever side has the old one.

    Raises
    ------
    DataError
        Nobody has a site of the old name, or somebody has one of the new name already.
    RequestError
        A name is none.
    """
    for old, new in names.items():
        if not (isinstance(old, str) and isinstance(new, str) and new):
            raise RequestError(f"rename gives sites other names, as in {{'b': 'beta'}}, not {shown(dict(names))}")
        if not any(old in posterior.draws for posterior in sides.values()):
            known = list(dict.fromkeys(site for posterior in sides.values() for site in posterior.draws))
            raise DataError(f"rename: no site {old!r} in {' or '.join(sides)}{_among(old, known)}")
    found = {}
    for side, posterior in sides.items():
        called = [names.get(site, site) for site in posterior.draws]
        for old, new in zip(posterior.draws, called, strict=True):
            if old in names and called.count(new) > 1:
                raise DataError(f"rename: {old!r} can't be called {new!r}, which {side} has already")
        labels = {names.get(site, site): own for site, own in posterior.labels.items()}
        found[side] = _called(posterior, dict(zip(called, posterior.draws.values(), strict=True)), labels)
    return found


def labelled(sides: Sides) -> dict[str, Posterior]:
    """Elements that one side only numbers have the labels that the other side gives them."""
    (first, a), (second, b) = sides.items()
    return {first: _with_labels(a, b), second: _with_labels(b, a)}


def _with_labels(own: Posterior, other: Posterior) -> Posterior:
    given = {
        site: labels
        for site, labels in other.labels.items()
        if site in own.draws
        and own.draws[site].shape[2:] == other.draws[site].shape[2:]
        and _only_numbered(own, site)
        and not _only_numbered(other, site)
    }
    return _called(own, own.draws, {**own.labels, **given})


def _only_numbered(posterior: Posterior, site: str) -> bool:
    return list(_elements(posterior, site)) == list(Posterior({site: posterior.draws[site]}).parameters())


def _elements(posterior: Posterior, site: str) -> dict[str, Array]:
    return Posterior({site: posterior.draws[site]}, posterior.labels).parameters()


def _called(posterior: Posterior, draws: Mapping[str, Array], labels: Mapping[str, tuple[str, ...]]) -> Posterior:
    """The same under other names, its moments too."""
    found = replace(posterior, draws=draws, labels=labels)
    if posterior.moments is None:
        return found
    new = dict(zip(posterior.parameters(), found.parameters(), strict=True))
    return replace(found, moments=replace(posterior.moments, names=tuple(new[n] for n in posterior.moments.names)))


def groups(sides: Sides) -> dict[str, tuple[str, ...]]:
    """The scalar parameters that each name stands for: a site's for all of its elements, a parameter's for itself."""
    found: dict[str, dict[str, None]] = {}
    for posterior in sides.values():
        for site in posterior.draws:
            own = dict.fromkeys(_elements(posterior, site))
            found.setdefault(site, {}).update(own)
            for name in own:
                found.setdefault(name, {})[name] = None
    return {name: tuple(parameters) for name, parameters in found.items()}


def meant(names: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The scalar parameters of names of sites or parameters.

    Raises
    ------
    DataError
        Nobody has a name.
    """
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise DataError(f"no parameter {shown(name)}{_among(str(name), list(known))}")
    return [parameter for name in names for parameter in known[name]]


def chosen(var_names: str | Sequence[str] | None, known: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The scalar parameters to judge: those named, or all; less those named with ``~`` before.

    Raises
    ------
    DataError
        Nobody has a name, or nothing is left.
    """
    if var_names is None:
        return set(meant(list(known), known))
    names = [var_names] if isinstance(var_names, str) else list(var_names)
    out = [name for name in names if isinstance(name, str) and name.startswith("~") and name not in known]
    wanted = [name for name in names if name not in out] if names != out or not names else list(known)
    left = set(meant(wanted, known)) - set(meant([name[1:] for name in out], known))
    if not left:
        raise DataError(f"var_names leave nothing to judge{_among('', list(known))}")
    return left


def flattened(sides: Sides, wanted: set[str]) -> dict[str, Posterior]:
    """Scalar parameters as sites of their own, looked at; those of smaller sites first.

    Raises
    ------
    DataError
        The two have other parameters, or draws that can't be judged.
    """
    (first, a), (second, b) = sides.items()
    for site, values in a.draws.items():
        other = b.draws.get(site)
        named = not wanted.isdisjoint(_elements(a, site))
        if named and other is not None and values.shape[2:] != other.shape[2:]:
            raise DataError(f"{site!r} has shape {values.shape[2:]} in {first}, and {other.shape[2:]} in {second}")
    flat = {side: _flat(posterior, wanted) for side, posterior in sides.items()}
    for side, posterior in flat.items():
        _look(side, posterior.draws)
    alone = {
        side: [name for name in flat[side].draws if name not in flat[other].draws]
        for side, other in ((first, second), (second, first))
    }
    if any(alone.values()):
        odd = "; ".join(f"only {side} has {_some(names)}" for side, names in alone.items() if names)
        raise DataError(f"the parameters are not the same: {odd} (rename them, or choose by var_names)")
    return flat


def _flat(posterior: Posterior, wanted: set[str]) -> Posterior:
    sites = sorted(posterior.draws, key=lambda site: math.prod(posterior.draws[site].shape[2:]))
    draws = {n: values for site in sites for n, values in _elements(posterior, site).items() if n in wanted}
    return replace(posterior, draws=draws, labels={})


def _look(side: str, draws: Mapping[str, Array]) -> None:
    chains, length = next((values.shape for values in draws.values()), (1, 1))
    for name, values in draws.items():
        if values.shape != (chains, length):
            raise DataError(f"{side}: {name!r} has {values.shape} chains and draws, and others {(chains, length)}")
        if not np.all(np.isfinite(values)):
            raise DataError(f"{side}: the draws of {name!r} are not all finite")
    if not length or not chains:
        raise DataError(f"{side} has no draws")
    if length < _SHORTEST < chains:
        raise DataError(
            f"{side} has {chains} chains of {length} draws: draws have shape (chain, draw, ...); swap the axes"
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _among(name: str, known: list[str]) -> str:
    return f" (there are {_some(known)}){suggest(name, known)}"
