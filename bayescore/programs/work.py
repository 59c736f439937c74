"""A contender's share of comparing programs: what its program is, its density at everybody's points, its fit."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Backend, BackendInfo, Precision, Progress
from bayescore.errors import BackendContractError
from bayescore.methods import Method
from bayescore.model.posterior import Posterior
from bayescore.program import Program, ProgramBackend, ProgramFit
from bayescore.programs import checked, data, naming, pairwise
from bayescore.programs.guides import moments_of
from bayescore.programs.naming import Naming
from bayescore.programs.sides import Held, Look, Point, Side, Sites, latent
from bayescore.programs.source import Source
from bayescore.programs.target import Told

OF_POSTERIOR = 10
"""Draws of each posterior at which densities are held against one another."""


@dataclass(frozen=True)
class ProgramWork:
    """What a process needs to take up a program.

    Attributes
    ----------
    source
        Where its function comes from.
    arguments
        Its data.
    naming
        What its sites are called among all.
    asked
        Names that the request speaks of, and what it does, as ("b", "rename"): some program must have them.
    judge
        Sites whose posterior is to be judged: all programs must have them.
    seed
        Of its points.
    fits
        Whether it is to be fitted.
    """

    source: Source
    arguments: Mapping[str, Any]
    naming: Naming = field(default_factory=Naming)
    asked: tuple[tuple[str, str], ...] = ()
    judge: tuple[str, ...] = ()
    seed: int = 0
    fits: bool = True

    def refusal(self, info: BackendInfo, method: Method, precision: Precision) -> str | None:
        """Why a backend can't do it, or None if it can."""
        return refusal(info, method if self.fits else None, precision)

    def open(self, backend: Backend, info: BackendInfo, precision: Precision) -> "ProgramSession":
        """Set a backend to it."""
        return ProgramSession(self, backend, info, precision)


def refusal(info: BackendInfo, method: Method | None, precision: Precision) -> str | None:
    """Why a backend can't take up a program, and fit it if there is a method, or None if it can."""
    wanted = {"feature:programs", f"precision:{precision}"}
    if method is not None:
        wanted |= {f"program:{method.name}"} | ({"program:own_guide"} if method.guide_family == "own" else set())
    return info.refusal(wanted)


def own_guide() -> None:
    """Stands for a program's own guide in its method: whoever fits takes the one beside the program."""


@dataclass(eq=False)
class ProgramSession:
    """A backend at work on a program."""

    work: ProgramWork
    backend: Backend
    info: BackendInfo
    precision: Precision
    seconds: dict[str, float] = field(default_factory=dict)
    _shown: Sites = field(default=(), init=False)
    _posterior: Posterior | None = field(default=None, init=False)
    _notes: tuple[str, ...] = field(default=(), init=False)

    @property
    def name(self) -> str:
        """The backend's."""
        return self.info.name

    @cached_property
    def program(self) -> Program:
        """The program in its backend."""
        return self._taken_up(self.backend)

    def _taken_up(self, backend: Backend) -> Program:
        if not isinstance(backend, ProgramBackend):
            raise BackendContractError(f"{self.name} declares feature:programs and is no ProgramBackend")
        with backend.loading():
            function, guide = self.work.source.load()
        data.check(self.work.source.words, function, self.work.arguments)
        return backend.program(function, self.work.arguments, guide=guide)

    @cached_property
    def side(self) -> Side:
        """The program by common names."""
        return Side.of(self.program, self.work.naming)

    def build(self) -> None:
        """Take the program up."""
        self._timed("build_data", lambda: self.program)

    def check(self, name: str, meet: Callable[[Any], Mapping[str, Any]]) -> ModelCheck:
        """Hold the program against the others, at points of all priors."""
        looks = meet(tuple(self.look()))
        self.see(name, {who: Look(*look) for who, look in looks.items()})
        self._models = self._compare(meet, self.points)
        return self._models[name]

    def look(self) -> Look:
        """What the program is, and draws of its prior."""
        found: Look = self._timed("look", lambda: self.side.look(self.work.seed))
        self._look = found
        return found

    def see(self, name: str, looks: Mapping[str, Look]) -> None:
        """Take up what all have said of themselves, the program itself by its name in the comparison.

        Raises
        ------
        StatementError
            No program has a site that the request speaks of.
        """
        self._name, self._looks = name, looks
        known = sorted({site for look in looks.values() for site in look.own})
        for asked, what in self.work.asked:
            naming.check([asked], known, what)
        common = [
            site.name for site in looks[name].sites if all(_unobserved(look, site.name) for look in looks.values())
        ]
        naming.check(self.work.judge, common, "asked to judge", "that all have to judge")
        self.points = points_of(looks, name)

    def hold(self, points: Sequence[Point]) -> Held:
        """Its densities at points, and its sites at some that are everybody's."""
        shown = shown_of(self._looks, self._name)
        held: Held = self._timed("log_density", lambda: self.side.held(points, shown, self._again))
        self._shown = held.sites[0]
        return held

    def _compare(self, meet: Callable[[Any], Mapping[str, Any]], points: Sequence[Point]) -> dict[str, ModelCheck]:
        """Every program against the first, at points."""
        self._helds = {who: Held(*one) for who, one in meet(tuple(self.hold(points))).items()}
        return verdicts(self._looks, self._helds, points, self.precision)

    @cached_property
    def _again(self) -> Side | None:
        """For float32 the program in float64."""
        if self.precision == "float64":
            return None
        return Side.of(self._taken_up(self.info.factory("float64")), self.work.naming)

    @property
    def settled(self) -> bool:
        """Whether nobody's model is this one's, so that draws are not judged."""
        others = [model.verdict for who, model in self._models.items() if who != self._reference]
        nobody = bool(others) and all(verdict == "different" for verdict in others)
        return nobody or self._models[self._name].verdict == "different"

    def refusal(self, method: Method) -> str | None:
        """Why it can't fit with a method, or None if it can."""
        return self.work.refusal(self.info, method, self.precision)

    def fit(self, method: Method, *, seed: int, progress: Progress) -> ProgramFit:
        """Fit, warm-up and MCMC draws included."""
        found: ProgramFit = self._timed("fit", lambda: self.program.fit(method, seed=seed, progress=progress))
        self.seconds |= dict(found.seconds)
        self._notes = tuple(found.notes)
        return found

    def sample_posterior(self, fit: ProgramFit, *, seed: int) -> Posterior:
        """Draws by common names."""
        found = self._timed("sample_posterior", lambda: self.program.sample_posterior(fit, seed=seed))
        named = (
            replace(found, draws=self.side.naming.common(found.draws), labels={})
            if isinstance(found, Posterior)
            else found
        )
        found = checked.posterior(self.name, named, self._look.sites, fit.method)
        if found.kind == "guide" and found.moments is None and fit.iterates:
            found = replace(
                found, moments=moments_of(found, self._look.sites, fit.iterates, average=fit.method.averaged)
            )
        self._posterior = found
        return found

    def review(
        self, posterior: Posterior, model: ModelCheck, meet: Callable[[Any], Mapping[str, Any]]
    ) -> tuple[Posterior, ModelCheck]:
        """Hold densities at draws of all posteriors, too; the log joint is then everybody's."""
        self._posterior = posterior
        own = spread(posterior, self._look.sites)
        given = meet(own)
        more = [point for who in given if comparable(self._looks, who, self._name) for point in given[who]]
        earlier = self._helds
        found = self._compare(meet, more)
        if self._reference in given and self._name in found and model.verdict != "not-checked":
            whole = {who: _joined(earlier[who], held) for who, held in self._helds.items()}
            model = verdicts(self._looks, whole, [*self.points, *more], self.precision)[self._name]
        return self._with_log_joint(posterior, model, own), model

    def _with_log_joint(self, posterior: Posterior, model: ModelCheck, own: Sequence[Point]) -> Posterior:
        """With its log joint by the density of what it is held against, of a fit that is kept as of a fresh one."""
        stats = dict(posterior.sample_stats)
        log_joint = stats.pop("log_joint", None)
        if log_joint is not None and model.verdict in {"same", "precision"} and own:
            first = self.side.density(own[0]).total - (model.constant or 0.0)
            stats["log_joint"] = log_joint + (first - log_joint.flat[0])
        return replace(posterior, sample_stats=stats)

    @property
    def _reference(self) -> str:
        return next(iter(self._looks))

    def predict(self, fit: object, posterior: Posterior, *, seed: int) -> None:
        """A program predicts nothing that is judged."""

    @property
    def told(self) -> tuple[Any, ...]:
        """Its sites, and what its draws never change."""
        still = {} if self._posterior is None else _still(self._posterior)
        return tuple(Told(self._shown, self._look.own, still, self._notes))

    def _timed(self, phase: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = call()
        self.seconds[phase] = time.perf_counter() - start
        return found


def comparable(looks: Mapping[str, Look], a: str, b: str) -> bool:
    """Whether a point of one program is a point of the other."""
    return pairwise.comparable({name: look.sites for name, look in looks.items()}, a, b)


def _unobserved(look: Look, name: str) -> bool:
    """Whether a program samples or computes a site."""
    return any(site.name == name and site.role != "observed" and not site.enumerated for site in look.sites)


def points_of(looks: Mapping[str, Look], name: str) -> list[Point]:
    """Draws of all priors that a program has a density at."""
    return [draw for who, look in looks.items() if comparable(looks, who, name) for draw in look.draws]


def shown_of(looks: Mapping[str, Look], name: str) -> list[Point]:
    """The points at which sites are looked at: a draw of each prior."""
    return [look.draws[0] for who, look in looks.items() if comparable(looks, who, name)]


def verdicts(
    looks: Mapping[str, Look], helds: Mapping[str, Held], points: Sequence[Point], precision: Precision
) -> dict[str, ModelCheck]:
    """Every program against the first."""
    a = next(iter(looks))
    sites = {name: look.sites for name, look in looks.items()}
    return {name: pairwise.check(name, a, sites, points, dict(helds), precision) for name in looks if name in helds}


def _joined(earlier: Held, later: Held) -> Held:
    """Densities at two sets of points."""
    again = None if earlier.in_float64 is None else (*earlier.in_float64, *(later.in_float64 or ()))
    return Held((*earlier.densities, *later.densities), again, later.sites)


def spread(posterior: Posterior, sites: Sites) -> list[dict[str, Any]]:
    """Some draws of a posterior, from all of it, as points."""
    flat = posterior.flat()
    count = len(next(iter(flat.values()))) if flat else 0
    at = sorted({round(k) for k in np.linspace(0, count - 1, OF_POSTERIOR)}) if count else []
    return [{name: flat[name][k] for name in latent(sites)} for k in at]


def _still(posterior: Posterior) -> dict[str, Any]:
    found = {}
    for name, values in posterior.flat().items():
        by_entry = values.reshape(len(values), -1)
        found[name] = np.ptp(by_entry, axis=0) == 0 if by_entry.size else np.ones(0, dtype=bool)
    return found
