"""Programs side by side: which sites both have, and what is on one side only."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bayescore.program import ProgramSite
from bayescore.programs import words
from bayescore.programs.sides import Sites, latent


class Finding(NamedTuple):
    """What sets two programs apart before any density.

    Attributes
    ----------
    code
        The reason's.
    site, text
        Where, and a sentence.
    decides
        Whether the programs are other models by it.
    alone
        Whether the site is a term that one of them has alone: where that is a constant, it changes nothing.
    """

    code: str
    site: str
    text: str
    decides: bool = True
    alone: bool = False


def compare(a: str, of_a: Sites, b: str, of_b: Sites) -> list[Finding]:
    """What differs between program ``a`` and program ``b``, worst first; nothing where densities can be compared."""
    found = [*_roles(a, of_a, b, of_b), *_missing(a, of_a, b, of_b), *_shapes(a, of_a, b, of_b)]
    return sorted(found or [*_supports(a, of_a, b, of_b)], key=lambda one: not one.decides)


def _roles(a: str, of_a: Sites, b: str, of_b: Sites) -> Iterator[Finding]:
    there = {site.name: site for site in of_b}
    for site in of_a:
        other = there.get(site.name)
        if other is None or {site.role, other.role} != {"latent", "observed"}:
            continue
        samples, observes = (a, b) if site.role == "latent" else (b, a)
        yield Finding(
            "observed-on-one-side",
            site.name,
            f"{site.name} is observed in {observes} and sampled in {samples}: its data are not given there (obs=)",
        )


def _missing(a: str, of_a: Sites, b: str, of_b: Sites) -> Iterator[Finding]:
    names_a, names_b = ({site.name for site in sites} for sites in (of_a, of_b))
    only_a = [site for site in of_a if site.name not in names_b and site.role != "deterministic"]
    only_b = [site for site in of_b if site.name not in names_a and site.role != "deterministic"]
    computed = _computed(of_a, of_b), _computed(of_b, of_a)
    if any(computed) and (_size(only_b), _size(only_a)) == tuple(map(_size, computed)):
        both = sorted(names_a & names_b - {site.name for site in of_a if site.role == "observed"})
        yield Finding(
            "reparametrized",
            next(site.name for part in computed for site in part),
            f"{_listed([site.name for site in computed[0] + computed[1]])} is sampled on one side and computed from "
            f"{_listed([site.name for site in only_a + only_b])} on the other: another parametrization, whose "
            f"densities can't be held together; judged by the posterior of {_listed(both)}",
            decides=False,
        )
        return
    for own, whose, others, theirs in ((only_a, a, only_b, b), (only_b, b, only_a, a)):
        for site in own:
            alike = [o.name for o in others if o.role == site.role and o.value.shape == site.value.shape]
            renames = f"{alike[0]}={site.name}" if alike else ""
            hint = (
                f"; {theirs} has {_listed(alike)} of that shape: if it is the same, --rename {renames}" if alike else ""
            )
            text = f"only {whose} {_does(site)} {site.name}{hint}"
            yield Finding("missing-site", site.name, text, alone=site.role == "observed")


def _does(site: ProgramSite) -> str:
    return "observes" if site.role == "observed" else "samples"


def _computed(of_a: Sites, of_b: Sites) -> list[ProgramSite]:
    """Sites that ``a`` samples and ``b`` computes."""
    there = {site.name for site in of_b if site.role == "deterministic"}
    return [site for site in of_a if site.role == "latent" and site.name in there]


def _size(sites: Sequence[ProgramSite]) -> int:
    return sum(site.value.size for site in sites)


def _shapes(a: str, of_a: Sites, b: str, of_b: Sites) -> Iterator[Finding]:
    for name, site, other in _both(of_a, of_b):
        if site.value.shape == other.value.shape or "deterministic" in {site.role, other.role}:
            continue
        turned = site.value.ndim >= 2 and site.value.shape == (*other.value.shape[:-2], *other.value.shape[:-3:-1])
        hint = f"; if one is the other transposed, say so: --transpose {name}" if turned else ""
        ours, theirs = (words.shape(s) or "of a scalar" for s in (site, other))
        yield Finding("different-shape", name, f"{name} has the shape {ours} in {a} and {theirs} in {b}{hint}")


def _supports(a: str, of_a: Sites, b: str, of_b: Sites) -> Iterator[Finding]:
    for name, site, other in _both(of_a, of_b):
        if site.role == "latent" == other.role and (site.support, site.ends) != (other.support, other.ends):
            text = (
                f"{name} is of {words.support(site)} in {a} ({words.distribution(site)}), "
                f"and of {words.support(other)} in {b} ({words.distribution(other)})"
            )
            yield Finding("different-support", name, text)


def _both(of_a: Sites, of_b: Sites) -> Iterator[tuple[str, ProgramSite, ProgramSite]]:
    there = {site.name: site for site in of_b}
    return ((site.name, site, there[site.name]) for site in of_a if site.name in there)


def comparable(of_a: Sites, of_b: Sites) -> bool:
    """Whether a point of one is a point of the other."""
    shapes = [{name: site.value.shape for name, site in latent(sites).items()} for sites in (of_a, of_b)]
    return shapes[0] == shapes[1]


def _listed(names: "list[str]") -> str:
    return ", ".join(names)
