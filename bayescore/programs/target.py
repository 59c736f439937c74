"""What programs have in common, as the target of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bayescore.density.target import Guided, Target
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.transforms import POSITIVE, REAL, Bounds
from bayescore.model.variables import Bounded
from bayescore.program import ProgramSite
from bayescore.programs.sides import Sites


class Told(NamedTuple):
    """What a contender tells of its program in the end.

    Attributes
    ----------
    sites
        At a point of its prior, by common names.
    own
        Its sites by its own names.
    still
        By name, entries of a site that are the same in all its draws, shape (size,); none where it has no draws.
    notes
        Of its fit, as on how its density was taken.
    """

    sites: Sites
    own: tuple[str, ...]
    still: Mapping[str, Array]
    notes: tuple[str, ...]


class Entries(NamedTuple):
    """The entries of a site that are free, by their place in C order, and the ends of each."""

    at: tuple[int, ...]
    bounds: tuple[Bounds, ...]


@dataclass(frozen=True, eq=False)
class ProgramTarget(Target):
    """Sites that all programs have, each by its free entries.

    Attributes
    ----------
    shapes
        Of each site's values.
    entries
        Of each site those that are judged.
    computed
        Whether a site among them is computed from others, so that some entries may all but
        determine others.
    """

    shapes: Mapping[str, tuple[int, ...]]
    entries: Mapping[str, Entries]
    computed: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Told], judge: Sequence[str] = ()) -> "ProgramTarget":
        """What is judged of programs, by what each has told.

        Parameters
        ----------
        judge
            Sites; by default those that are latent on all sides or, where programs are parametrized in
            other ways, latent on one and there on all.
        """
        by_name = [{site.name: site for site in one.sites} for one in told.values()]
        common = [
            name
            for name in (by_name[0] if by_name else ())
            if all(name in sites and sites[name].role != "observed" and not sites[name].enumerated for sites in by_name)
            and len({np.shape(sites[name].value) for sites in by_name}) == 1
        ]
        roles = {name: {sites[name].role for sites in by_name} for name in common}
        chosen = [name for name in common if (name in judge if judge else "latent" in roles[name])]
        kinds = {
            name: next((s[name] for s in by_name if s[name].role == "latent"), by_name[0][name]) for name in chosen
        }
        entries = {
            name: _moving(free_entries(site), [one.still.get(name) for one in told.values()])
            for name, site in kinds.items()
        }
        kept = {name: found for name, found in entries.items() if found.at}
        shapes = {name: np.shape(kinds[name].value) for name in kept}
        return cls(shapes, kept, any("deterministic" in roles[name] for name in kept))

    @property
    def sites(self) -> tuple[Bounded, ...]:
        return tuple(self._site(name, entries) for name, entries in self.entries.items())

    def _site(self, name: str, entries: Entries) -> Bounded:
        shape = self.shapes[name]
        labels = tuple(",".join(map(str, np.unravel_index(k, shape))) for k in entries.at) if shape else ()
        return Bounded(name, (len(entries.at),) if shape else (), labels, entries.bounds)

    @property
    def identified(self) -> bool:
        """Whether none is computed from others: directions among those say nothing."""
        return not self.computed

    def log_joint(self, posterior: Posterior) -> Array | None:
        return posterior.sample_stats.get("log_joint")

    def judged(self, posterior: Posterior, guided: Guided | None = None) -> Posterior:
        draws = {}
        for site in self.sites:
            values = posterior.draws[site.name]
            flat = values.reshape(*values.shape[:2], -1)[..., list(self.entries[site.name].at)]
            draws[site.name] = flat if site.shape else flat[..., 0]
        labels = {site.name: site.labels for site in self.sites if site.shape}
        moments = None if posterior.moments is None else posterior.moments.take(self.parameters)
        return replace(posterior, draws=draws, labels=labels, moments=moments)


def free_entries(site: ProgramSite) -> Entries:
    """A site's entries without those that others determine."""
    shape, size = np.shape(site.value), int(np.size(site.value))
    every = np.arange(size)
    if site.support in {"positive", "interval"}:
        return Entries(tuple(every.tolist()), (site.ends,) * size)
    if site.support == "simplex":
        kept = every[every % shape[-1] != shape[-1] - 1]
        return Entries(tuple(kept.tolist()), ((0.0, 1.0),) * kept.size)
    if site.support.startswith(("correlation", "covariance")):
        row, column = np.unravel_index(every, shape)[-2:]
        correlation = site.support.startswith("correlation")
        kept = every[column < row] if correlation else every[column <= row]
        diagonal = (row == column)[kept]
        inside: Bounds = (-1.0, 1.0) if correlation else REAL
        return Entries(tuple(kept.tolist()), tuple(POSITIVE if on else inside for on in diagonal))
    return Entries(tuple(every.tolist()), (REAL,) * size)


def _moving(entries: Entries, still: Sequence[Array | None]) -> Entries:
    """Those that are not the same in all draws of everybody: a constant is no quantity."""
    known = [one for one in still if one is not None]
    if not known:
        return entries
    always = np.logical_and.reduce(known)
    kept = [(k, ends) for k, ends in zip(*entries, strict=True) if not always[k]]
    return Entries(tuple(k for k, _ in kept), tuple(ends for _, ends in kept))
