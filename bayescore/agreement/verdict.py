"""From all pairs to one verdict and one exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Literal

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.agreement.model_check import ModelCheck
from bayescore.agreement.pairs import Pair, Reason, judge_pair
from bayescore.agreement.shape import compare_shapes
from bayescore.density.target import Target
from bayescore.model.posterior import Posterior

Overall = Literal["agree", "disagree", "inconclusive", "incomplete"]
_ABOUT_CONTENDER = {
    "unconverged", "resampled", "different-model", "precision", "different-support", "different-shape", "missing-site",
    "observed-on-one-side",
}  # fmt: skip
EXIT_CODES: dict[Overall, int] = {"agree": 0, "disagree": 1, "inconclusive": 3, "incomplete": 4}


@dataclass(frozen=True)
class Decision:
    """The verdict of a comparison, with all pairs."""

    verdict: Overall
    reasons: tuple[Reason, ...]
    pairs: tuple[Pair, ...]

    @property
    def exit_code(self) -> int:
        """0 agree, 1 disagree, 3 inconclusive, 4 incomplete."""
        return EXIT_CODES[self.verdict]


def decide(
    candidates: Sequence[Candidate],
    target: Target,
    *,
    lost: Mapping[str, str],
    points: Sequence[Posterior] = (),
    models: Sequence[ModelCheck] = (),
    prediction_gaps: Mapping[tuple[str, str], float | None] = MappingProxyType({}),
    smoke: bool = False,
    model_only: bool = False,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> Decision:
    """Judge every pair of the contenders that finished, and all of them together.

    Parameters
    ----------
    lost
        The contenders that did not finish, with the reason.
    points
        The candidates' point estimates, of all parameters, whatever they are judged on.
    models
        How the contenders' log densities compare with what they are held against.
    prediction_gaps
        For pairs of contenders the largest difference of their predictions, in sds.
    model_only
        Whether nothing was fitted.
    smoke
        Whether this was a trial of two iterations, from which nothing follows.
    """
    exact = next((c for c in candidates if c.exact), None)
    cov = None if exact is None else exact.marginals.cov
    kinds = {c.posterior.estimand for c in candidates if c.point}
    units = {kind: target.point_scale(kind, [p for p in points if p.estimand == kind]) for kind in kinds}
    by_name = {model.contender: model for model in models}
    pairs = []
    for a, b in combinations(candidates, 2):
        checked = [by_name[c.name] for c in (a, b) if c.name in by_name]
        pair = of_models(a.name, b.name, checked)
        if pair is None:
            pair = judge_pair(a, b, scale=units.get(a.posterior.estimand), cov=cov, margin=margin, alpha=alpha)
            if not (smoke or a.point or b.point):
                pair = replace(pair, shape=compare_shapes(a, b))
        gap = prediction_gaps.get((a.name, b.name))
        pairs.append(_with_identification(pair, target, gap, margin) if gap is not None else pair)
    if model_only:
        verdict, reasons = _of_models_alone(models, lost)
    else:
        unfitted = [m for m in models if m.verdict == "different" and m.contender not in {c.name for c in candidates}]
        verdict, reasons = _overall(candidates, pairs, exact, lost, smoke, unfitted)
    return Decision(verdict, tuple(reasons), tuple(pairs))


def of_model(model: ModelCheck) -> tuple[Reason, ...]:
    """What is wrong with a contender's model by itself; nothing where it is that of the specification."""
    if model.verdict == "different":
        return (_different(model),)
    return (_imprecise(model),) if model.verdict == "precision" else ()


def of_models(a: str, b: str, checked: Sequence[ModelCheck]) -> Pair | None:
    """The verdict where a model is another one; None where the draws have to be judged."""
    different = [model for model in checked if model.verdict == "different"]
    if different:
        return Pair(a, b, "disagree", tuple(_different(model) for model in different))
    imprecise = [model for model in checked if model.verdict == "precision"]
    if imprecise:
        return Pair(a, b, "inconclusive", tuple(map(_imprecise, imprecise)))
    return None


def _imprecise(model: ModelCheck) -> Reason:
    return Reason("precision", f"{model.contender}: float32 moves its log density by {model.spread:.2g} nats")


def _with_identification(pair: Pair, target: Target, gap: float, margin: float) -> Pair:
    """Say so where coefficients differ and predictions do not."""
    apart = [row.quantity for row in pair.rows if row.statistic == "mean" and abs(row.difference) > margin]
    coefficients = [name for name in apart if name in target.interchangeable]
    if pair.verdict not in {"disagree", "inconclusive"} or not coefficients or gap > margin:
        return pair
    text = (
        f"the means of {', '.join(coefficients)} differ, yet all predictions lie within {gap:.3f} posterior sd: "
        "the data do not tell these coefficients apart"
    )
    return replace(pair, reasons=(*pair.reasons, Reason("not-identified", text)))


def _different(model: ModelCheck) -> Reason:
    if model.spread is None:  # no density had to be looked at
        return Reason(model.code, f"{model.contender} and {model.against}: {model.pattern}")
    term = f", in the term of {model.site}" if model.site else ""
    return Reason(
        model.code,
        f"{model.contender} has another log density than {model.against}{term} "
        f"({model.pattern}; spread {model.spread:.2g} nats at {model.points} points)",
    )


def _of_models_alone(models: Sequence[ModelCheck], lost: Mapping[str, str]) -> tuple[Overall, list[Reason]]:
    different = [_different(model) for model in models if model.verdict == "different"]
    if different:
        return "disagree", different
    if lost:
        return "incomplete", [Reason("not-run", f"{name}: {why}") for name, why in lost.items()]
    unknown = [model for model in models if model.verdict != "same"]
    if unknown:
        return "inconclusive", [_imprecise(m) if m.verdict == "precision" else _unchecked(m) for m in unknown]
    return "agree", []


def _unchecked(model: ModelCheck) -> Reason:
    return Reason("not-checked", f"{model.contender}: {model.pattern or 'its log density could not be compared'}")


def _overall(
    candidates: Sequence[Candidate],
    pairs: Sequence[Pair],
    exact: Candidate | None,
    lost: Mapping[str, str],
    smoke: bool,
    unfitted: Sequence[ModelCheck],
) -> tuple[Overall, list[Reason]]:
    """The verdict of all; ``unfitted`` are other models, which nobody fitted for that."""
    if smoke and not (lost or unfitted):
        return "inconclusive", [Reason("smoke", "this was a smoke run of two iterations: nothing can be concluded")]
    judged = [pair for pair in pairs if pair.verdict != "not-comparable"]
    wrong = [pair for pair in judged if pair.verdict == "disagree"]
    if wrong or unfitted:
        return "disagree", [*map(_different, unfitted), *_gather(wrong)]
    if lost:
        return "incomplete", [Reason("not-run", f"{name}: {why}") for name, why in lost.items()]
    if exact is not None:
        against = [pair for pair in judged if exact.name in (pair.a, pair.b)]
        others = [pair for pair in judged if pair not in against and _points(candidates, pair)]
        judged = against + others
    if not judged:
        if pairs:
            return "inconclusive", _gather(pairs)
        return "inconclusive", [
            Reason("nothing-to-compare", "a single contender was fitted; name a second one, or a reference")
        ]
    unsettled = [pair for pair in judged if pair.verdict == "inconclusive"]
    return ("inconclusive", _gather(unsettled)) if unsettled else ("agree", _gather(judged))


def _points(candidates: Sequence[Candidate], pair: Pair) -> bool:
    return any(c.point for c in candidates if c.name in (pair.a, pair.b))


def _gather(pairs: Sequence[Pair]) -> list[Reason]:
    """The pairs' reasons, each once."""
    reasons: dict[str, Reason] = {}
    for pair in pairs:
        for reason in pair.reasons:
            about_contender = reason.code in _ABOUT_CONTENDER
            text = reason.text if about_contender else f"{pair.a} and {pair.b}: {reason.text}"
            reasons.setdefault(text, Reason(reason.code, text))
    return list(reasons.values())
