"""A program by the names that all share: its sites at a point, points of its prior, and its density at everybody's.

What travels from one contender to the others is a `Look` first and a `Held` then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from bayescore.backend import LogDensity
from bayescore.errors import BackendContractError, BayescoreError, StatementError
from bayescore.model.arrays import Array
from bayescore.program import Program, ProgramSite
from bayescore.programs.naming import Naming

PLAIN, BEST, TRIED = 4, 6, 30
"""Points of a prior: as they are drawn, and those of the highest density among so many."""

Point = Mapping[str, Array]
NONE = LogDensity(float("nan"), {})
"""Of a point at which a program raises."""
Sites = tuple[ProgramSite, ...]


class Look(NamedTuple):
    """What a program is at a draw of its prior, the sites that it has by its own names, and draws of its prior."""

    sites: Sites
    own: tuple[str, ...]
    draws: tuple[Point, ...]


class Held(NamedTuple):
    """Its log densities at points, for float32 those in float64, too, and its sites at the first points."""

    densities: tuple[LogDensity, ...]
    in_float64: tuple[LogDensity, ...] | None
    sites: tuple[Sites, ...]


@dataclass(frozen=True, eq=False)
class Side:
    """A program as a side of a comparison."""

    program: Program
    naming: Naming

    @classmethod
    def of(cls, program: Program, naming: Naming) -> "Side":
        """A program, of whose sites some may be called otherwise among all."""
        own = {site.name for site in program.sites()}
        return cls(program, replace(naming, names={old: new for old, new in naming.names.items() if old in own}))

    def sites(self, values: Point | None = None, *, seed: int = 0) -> Sites:
        """Its sites by their common names, at values by common names."""
        return self.naming.sites(self.program.sites(None if values is None else self.naming.own(values), seed=seed))

    def density(self, values: Point) -> LogDensity:
        """Its log density, with terms by common names."""
        found = self.program.log_density(self.naming.own(values))
        if found.by_site is None or not isinstance(found.total, float):
            raise BackendContractError("log_density of a program gives a total and by_site")
        return self.naming.density(found)

    def look(self, seed: int) -> Look:
        """Run it, and draw from its prior.

        Raises
        ------
        StatementError
            An observed value lies outside its support.
        """
        seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(TRIED)]
        own = tuple(site.name for site in self.program.sites(seed=seeds[0]))
        sites = self.sites(seed=seeds[0])
        for site in sites:
            _check_observed(site)
        if not latent(sites):
            return Look(sites, own, ({},))
        draws = [point_of(sites), *(point for s in seeds[1:] if (point := self._drawn(s)) is not None)]
        totals = np.nan_to_num([self._density_or_none(draw).total for draw in draws[PLAIN:]], nan=-np.inf)
        best = sorted(np.argsort(totals)[-BEST:] + PLAIN)
        return Look(sites, own, tuple(draws[k] for k in (*range(min(PLAIN, len(draws))), *best)))

    def _drawn(self, seed: int) -> Point | None:
        """A draw of its prior; None where the program raises there, as by a matrix that is all but singular."""
        try:
            return point_of(self.sites(seed=seed))
        except (BayescoreError, KeyboardInterrupt):
            raise
        except Exception:
            return None

    def _density_or_none(self, point: Point) -> LogDensity:
        """Its density; `NONE` where the program raises at a point."""
        try:
            return self.density(point)
        except (BayescoreError, KeyboardInterrupt):
            raise
        except Exception:
            return NONE

    def held(self, points: Sequence[Point], shown: Sequence[Point], again: "Side | None" = None) -> Held:
        """Its densities at points, and its sites at some of them."""
        densities = tuple(self._density_or_none(point) for point in points)
        in_float64 = None if again is None else tuple(again._density_or_none(point) for point in points)
        return Held(densities, in_float64, tuple(self.sites(point) for point in shown))


def latent(sites: Sites) -> dict[str, ProgramSite]:
    """Those that have values at a point: summed-out ones don't."""
    return {site.name: site for site in sites if site.role == "latent" and not site.enumerated}


def observed(sites: Sites) -> dict[str, ProgramSite]:
    """Those that are given."""
    return {site.name: site for site in sites if site.role == "observed"}


def point_of(sites: Sites) -> Point:
    """The values of latent sites."""
    return {name: np.asarray(site.value) for name, site in latent(sites).items()}


def _check_observed(site: ProgramSite) -> None:
    if site.role != "observed" or not site.distribution:
        return
    outside = _outside(site)
    if outside.any():
        at = int(np.flatnonzero(outside.ravel())[0])
        raise StatementError(
            f"{site.name}: {np.count_nonzero(outside)} observed values lie outside the support of "
            f"{site.distribution}, the first in row {at}: {np.ravel(site.value)[at]:g}"
        )


def _outside(site: ProgramSite) -> Any:
    value, (low, high) = np.asarray(site.value, dtype=np.float64), site.ends
    if site.support == "boolean":
        return ~np.isin(value, (0.0, 1.0))
    if site.support == "integers":
        return (value != np.round(value)) | (value < low) | (value > high)
    if site.support in {"positive", "interval"}:
        return (value < low) | (value > high)
    return np.isnan(value) if site.support == "real" else np.zeros(value.shape, dtype=bool)
