"""What is compared: programs that should be the same model, and their data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from bayescore.backend import BackendInfo, Precision
from bayescore.contract.kept import Kept
from bayescore.errors import DataError, RequestError
from bayescore.methods import Method
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramSite
from bayescore.programs import data, words
from bayescore.programs.naming import Naming
from bayescore.programs.sides import Sites, observed
from bayescore.programs.source import Source
from bayescore.programs.target import ProgramTarget, Told
from bayescore.programs.work import ProgramWork, refusal


@dataclass(frozen=True)
class Stated:
    """One of the programs: what it is called in the comparison, its backend, and where it comes from."""

    label: str
    backend: str
    source: Source


def stated(programs: Sequence[tuple[str, Source]]) -> tuple[Stated, ...]:
    """Programs by short names: the backend's where there is one of it only.

    Raises
    ------
    RequestError
        Two are the same.
    """
    backends = [backend for backend, _ in programs]
    texts = [b if backends.count(b) == 1 else f"{b}={source.words}" for b, source in programs]
    for k, program in enumerate(programs):
        if program in programs[:k]:
            raise RequestError(f"the program {texts[k]!r} is listed twice: name it once")
    labels = [w if texts.count(w) == 1 else f"{w} ({texts[: k + 1].count(w)})" for k, w in enumerate(texts)]
    return tuple(Stated(label, b, source) for label, (b, source) in zip(labels, programs, strict=True))


@dataclass(frozen=True)
class Programs:
    """Programs and their data.

    Attributes
    ----------
    programs
        The first is what the others are held against.
    arguments
        The data, by the names of the programs' arguments.
    source
        Where the data come from, in words.
    renamed
        Common names of sites by those that some program has for them.
    transposed
        Sites that programs but the first have transposed.
    judge
        Sites whose posterior is judged; by default those that all programs sample.
    seed
        Of the points at which densities are compared.
    fits
        Whether they are fitted, or only held side by side.
    """

    programs: tuple[Stated, ...]
    arguments: Mapping[str, Any]
    source: str = "data"
    renamed: Mapping[str, str] = field(default_factory=dict)
    transposed: frozenset[str] = frozenset()
    judge: tuple[str, ...] = ()
    seed: int = 0
    fits: bool = True

    @property
    def meets(self) -> bool:
        """Programs are held against one another."""
        return True

    def judged(self, told: Mapping[str, Any]) -> ProgramTarget:
        """What all programs have in common, by their free entries."""
        return ProgramTarget.of(_read(told), self.judge)

    @property
    def categories(self) -> tuple[str, ...]:
        """None: programs predict nothing that is compared."""
        return ()

    def refusal(self, info: BackendInfo, method: Method, precision: Precision = "float64") -> str | None:
        """Why a backend can't take up a program, or None if it can."""
        return refusal(info, method if self.fits else None, precision)

    def check_size(self, method: Method) -> None:
        """What a program takes is its own affair."""

    def prepare(self, *, reduce: bool) -> Callable[[str, BackendInfo, Method], ProgramWork]:
        """What makes each contender's work, by its name."""
        by_label = {program.label: program for program in self.programs}
        first = self.programs[0].label
        asked = (
            *((old, "asked to rename") for old in self.renamed),
            *((name, "asked to transpose") for name in sorted(self.transposed)),
        )

        def work(name: str, info: BackendInfo, method: Method) -> ProgramWork:
            seed = int(np.random.SeedSequence([self.seed, crc32(name.encode())]).generate_state(1)[0])
            turned = frozenset() if name == first else self.transposed
            named = Naming(dict(self.renamed), turned)
            return ProgramWork(by_label[name].source, self.arguments, named, asked, self.judge, seed, self.fits)

        return work

    def described(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """As the document has it: its first program's sites, and as text all programs side by side."""
        known = _read(told)
        first: Sites = next(iter(known.values())).sites if known else ()
        given = observed(first)
        sites = table({name: one.sites for name, one in known.items()})
        return {
            "source": self.source,
            "formula": None,
            "rows": max((int(np.size(site.value)) for site in given.values()), default=0),
            "response": ", ".join(given),
            "columns": list(data.described(self.arguments)),
            "family": "program",
            "priors": {site.name: words.distribution(site) for site in first if site.role == "latent"},
            "model": as_text(sites, list(known)) or "no program could be run",
            "warnings": [],
            "notes": [f"{name}: {note}" for name, one in known.items() for note in one.notes],
            "sites": sites,
        }

    def feed(self, digest: Any) -> None:
        """Give a hash all that a fit depends on in it."""
        parts = [(p.label, p.backend, p.source.fingerprint) for p in self.programs]
        named = (sorted(self.renamed.items()), sorted(self.transposed))
        digest.update(repr((parts, named, data.fingerprint(self.arguments))).encode())

    def recheck(self, info: BackendInfo, method: Method, kept: Kept) -> Posterior:
        """What was kept of a fit, once its draws are finite as fresh ones are.

        Raises
        ------
        DataError
            They are not.
        """
        posterior = kept.posterior
        if posterior is None or not all(np.all(np.isfinite(v)) for v in posterior.draws.values()):
            raise DataError("its draws are not as they were written")
        return posterior


def _read(told: Mapping[str, Any]) -> dict[str, Told]:
    return {name: Told(*one) for name, one in told.items()}


def side_by_side(programs: Mapping[str, Sites]) -> str:
    """A line a site: its name and shape, and what it is in each program."""
    return as_text(table(programs), list(programs))


def table(programs: Mapping[str, Sites]) -> list[dict[str, Any]]:
    """Every site by name, with its shape and what it is in each program."""
    names = list(dict.fromkeys(site.name for sites in programs.values() for site in sites))
    by_name = {label: {site.name: site for site in sites} for label, sites in programs.items()}
    return [
        {
            "name": name,
            "shape": _shape([sites[name] for sites in by_name.values() if name in sites]),
            "programs": {label: words.stated(sites.get(name)) for label, sites in by_name.items()},
        }
        for name in names
    ]


def as_text(sites: Sequence[Mapping[str, Any]], programs: Sequence[str]) -> str:
    """The same as lines of text."""
    rows = [[site["name"], site["shape"], *(site["programs"][label] for label in programs)] for site in sites]
    lines = [["site", "shape", *programs], *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _shape(found: Sequence[ProgramSite]) -> str:
    shapes = list(dict.fromkeys(words.shape(site) for site in found))
    return " or ".join(shape or "scalar" for shape in shapes)
