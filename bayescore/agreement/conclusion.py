"""From finished fits to a verdict: the one road, whoever made the fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.agreement.guide_family import at_laplace, at_optimum
from bayescore.agreement.guide_quality import figures
from bayescore.agreement.health import Health, examine
from bayescore.agreement.model_check import ModelCheck
from bayescore.agreement.pairs import Pair, judge_pair
from bayescore.agreement.verdict import Decision, decide
from bayescore.density.coordinates import Coordinates
from bayescore.density.target import Guided, Target
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior


@dataclass(frozen=True)
class Finished:
    """A fit that came to its end.

    Attributes
    ----------
    iterates
        As in `bayescore.backend.Fit`.
    """

    name: str
    method: Method
    posterior: Posterior
    iterates: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Conclusion:
    """The verdict, and the candidates by name, with what was found of their health."""

    decision: Decision
    candidates: Mapping[str, Candidate]


def conclude(
    target: Target,
    finished: Sequence[Finished],
    *,
    lost: Mapping[str, str] = MappingProxyType({}),
    models: Sequence[ModelCheck] = (),
    prediction_gaps: Mapping[tuple[str, str], float | None] = MappingProxyType({}),
    smoke: bool = False,
    model_only: bool = False,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> Conclusion:
    """Judge fits of a target.

    Parameters
    ----------
    lost, models, prediction_gaps, smoke, model_only
        As `bayescore.agreement.verdict.decide` takes them.
    """
    candidates = [enter(target, fit) for fit in finished]
    decision = decide(
        candidates,
        target,
        lost=lost,
        points=[fit.posterior for fit in finished],
        models=models,
        prediction_gaps=prediction_gaps,
        smoke=smoke,
        model_only=model_only,
        margin=margin,
        alpha=alpha,
    )
    return Conclusion(decision, {c.name: replace(c, health=_with_guide_figures(c, candidates)) for c in candidates})


def conclude_pair(a: Candidate, b: Candidate, *, margin: float = MARGIN, alpha: float = ALPHA) -> Pair:
    """Judge two posteriors by their draws alone."""
    cov = next((c.marginals.cov for c in (a, b) if c.exact), None)
    return judge_pair(a, b, scale=None, cov=cov, margin=margin, alpha=alpha)


def enter(target: Target, fit: Finished) -> Candidate:
    """A finished fit as the decision sees it, its health examined."""
    method, posterior = fit.method, fit.posterior
    log_joint = target.log_joint(posterior) if posterior.estimand == "posterior" else None
    place = None if method.guide_family == "none" else target.coordinates(method)
    judged = target.judged(posterior, None if place is None else Guided(place, fit.iterates, method.averaged))
    of_health = judged
    if log_joint is not None and not target.identified:  # a few outputs alone could hide that chains differ
        of_health = replace(judged, draws={**judged.draws, "log joint": log_joint})
    health = examine(method, of_health, fit.iterates)
    best = None if place is None else _at_best(target, place, fit, health)
    return Candidate(fit.name, target, method, judged, health, place, log_joint, best)


def _at_best(target: Target, place: Coordinates, fit: Finished, health: Health) -> bool | None:
    """Whether a guide is its family's best, a Laplace approximation that at the mode; None where nobody looked."""
    method = fit.method
    if method.optimum == "mode":
        return at_laplace(place, fit.posterior)
    if method.optimum == "elbo" and not health.ailments:
        return at_optimum(target, place, fit.posterior, diagonal=method.guide_family == "diagonal")
    return None


def _with_guide_figures(candidate: Candidate, candidates: Sequence[Candidate]) -> Health:
    """A guide's health with its ELBO and Pareto k."""
    if candidate.method.standard != "iterates":
        return candidate.health
    known = (c.posterior.moments.log_evidence for c in candidates if c.exact and c.posterior.moments)
    more = figures(candidate, next(known, None))
    return replace(candidate.health, figures={**candidate.health.figures, **more})
