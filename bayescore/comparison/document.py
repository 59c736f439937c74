"""The comparison written down as one document (`bayescore.report.document`).

Everything that is printed is in it, and reports are made from it alone, so that a
stored one can be shown again.
"""

import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from bayescore.agreement.candidate import Candidate
from bayescore.agreement.health import Health
from bayescore.agreement.model_check import ModelCheck
from bayescore.agreement.pairs import Pair, Reason
from bayescore.agreement.rule import Row
from bayescore.agreement.verdict import Decision
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.subject import Subject
from bayescore.contract.refit import sentence
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions, max_difference
from bayescore.plugins.distributions import versions
from bayescore.report.document import (
    SCHEMA,
    AttemptEntry,
    ContenderEntry,
    Document,
    EnvironmentEntry,
    GapEntry,
    ModelEntry,
    PairEntry,
    ParameterEntry,
    PredictionEntry,
    ProblemEntry,
    ReasonEntry,
    RowEntry,
    ScoreEntry,
    SettingsEntry,
    ShapeEntry,
)
from bayescore.system import cores


def document(
    subject: Subject,
    told: Mapping[str, Any],
    settings: Mapping[str, Any],
    outcomes: Sequence[Outcome],
    candidates: Mapping[str, Candidate],
    decision: Decision,
) -> Document:
    """Write a comparison down, with what contenders told of it; NaN and infinity become null."""
    by_name = {outcome.contender.name: outcome for outcome in outcomes}
    content = {
        "schema": SCHEMA,
        "verdict": decision.verdict,
        "reasons": reasons(decision.reasons),
        **of_contenders(subject, told, settings, outcomes, candidates),
        "pairs": [_pair(pair, by_name, float(settings["margin"])) for pair in decision.pairs],
    }
    return cast(Document, for_json({name: content[name] for name in Document.__annotations__}))


def of_contenders(
    subject: Subject,
    told: Mapping[str, Any],
    settings: Mapping[str, Any],
    outcomes: Sequence[Outcome],
    candidates: Mapping[str, Candidate],
) -> dict[str, Any]:
    """What is written down of contenders by themselves, whether they are compared or not."""
    healths = {name: candidate.health for name, candidate in candidates.items()}
    return {
        "problem": cast(ProblemEntry, subject.described(told)),
        "settings": cast(SettingsEntry, dict(settings)),
        "environment": _environment(int(settings["seed"])),
        "contenders": [_contender(outcome, healths.get(outcome.contender.name)) for outcome in outcomes],
        "parameters": [
            row
            for candidate in candidates.values()
            for row in parameter_rows(candidate.name, candidate.posterior, candidate.health)
        ],
        "model_check": [_model(outcome.model) for outcome in outcomes if outcome.model is not None],
        "predictions": [
            row
            for outcome in outcomes
            if outcome.predictions is not None
            for row in _prediction_rows(outcome.contender.name, outcome.predictions, subject.categories)
        ],
        "scores": _scores(outcomes),
    }


def for_json(value: Any) -> Any:
    """The same in Python's own types, with None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {str(key): for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return for_json(value.tolist())
    if isinstance(value, np.generic):
        return for_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def reasons(given: Sequence[Reason]) -> list[ReasonEntry]:
    """Why something is as it is said to be."""
    return [{"code": reason.code, "text": reason.text} for reason in given]


def _environment(seed: int) -> EnvironmentEntry:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": cores.usable(),
        "seed": seed,
        "versions": versions(),
    }


def _contender(outcome: Outcome, health: Health | None) -> ContenderEntry:
    contender = outcome.contender
    diagnostics: dict[str, float | None] = dict(health.figures) if health else {}
    if outcome.losses is not None and len(outcome.losses):
        diagnostics["loss_first"], diagnostics["loss_last"] = outcome.losses[0], outcome.losses[-1]
    moments = outcome.posterior.moments if outcome.posterior else None
    if moments is not None and moments.log_evidence is not None:
        diagnostics["log_evidence"] = moments.log_evidence
    if moments is not None and moments.quadrature_error:
        diagnostics["quadrature_error"] = moments.quadrature_error
    entry: ContenderEntry = {
        "name": contender.name,
        "backend": contender.backend,
        "distribution": None if outcome.origin is None else outcome.origin.distribution,
        "version": None if outcome.origin is None else outcome.origin.version,
        "method": str(contender.method),
        "kind": None if outcome.posterior is None else outcome.posterior.kind,
        "status": outcome.status,
        "error": outcome.error,
        "seconds": dict(outcome.seconds),
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "healthy": None if health is None else not health.ailments,
        "diagnostics": diagnostics,
    }
    if outcome.attempts:
        entry["refitted"] = sentence(outcome.attempts)
        entry["attempts"] = [cast(AttemptEntry, vars(attempt)) for attempt in outcome.attempts]
    if outcome.drawn_on:
        entry["drawn_on"] = outcome.drawn_on
    return entry


def _model(check: ModelCheck) -> ModelEntry:
    """A check, without the terms that differ where none does."""
    return cast(ModelEntry, {key: value for key, value in vars(check).items() if key != "apart" or value})


def parameter_rows(name: str, posterior: Posterior, health: Health) -> list[ParameterEntry]:
    """One row a parameter, in the constrained space."""
    moments = posterior.moments
    rows = []
    for j, (parameter, values) in enumerate(posterior.parameters().items()):
        of = health.parameters.get(parameter, {})
        row: ParameterEntry = {
            "contender": name,
            "name": parameter,
            "mean": float(values[0, 0]),
            "sd": None,
            "mcse_mean": None,
            "q05": None,
            "q50": None,
            "q95": None,
            "ess_bulk": of.get("ess_bulk"),
            "ess_tail": of.get("ess_tail"),
            "rhat": of.get("rhat"),
        }
        if posterior.estimand == "posterior":
            row["q05"], row["q50"], row["q95"] = np.quantile(values, [0.05, 0.5, 0.95])
            if moments is not None:
                row["mean"], row["sd"], row["mcse_mean"] = moments.mean[j], moments.sd[j], moments.mean_error[j]
            else:
                row["mean"], row["sd"], row["mcse_mean"] = values.mean(), values.std(), _mcse(values)
        rows.append(row)
    return rows


def _mcse(values: Array) -> float:
    from arviz_stats.base import array_stats

    if values.shape[1] < 4:
        return math.nan
    with np.errstate(all="ignore"):
        return float(values.std() / np.sqrt(array_stats.ess(values, method="mean")))


def _pair(pair: Pair, outcomes: Mapping[str, Outcome], margin: float) -> PairEntry:
    return {
        "a": pair.a,
        "b": pair.b,
        "verdict": pair.verdict,
        "reasons": reasons(pair.reasons),
        "summary": pair.summary,
        "max_difference_sd": pair.max_difference_sd,
        "rows": [_row(row, margin) for row in pair.rows],
        "predictions": _pair_predictions(pair, outcomes),
        "shape": None if pair.shape is None else cast(ShapeEntry, vars(pair.shape)),
    }


def _row(row: Row, margin: float) -> RowEntry:
    return {
        "quantity": row.quantity,
        "statistic": row.statistic,
        "difference": row.difference,
        "se": row.se,
        "lower": row.lower,
        "upper": row.upper,
        "verdict": row.verdict,
        "expected_ratio": row.expected_ratio,
        "level": row.level,
        "margin": margin * row.tolerance,
        "among": row.among,
        "tail_index": row.tail_index,
    }


def _prediction_rows(name: str, predictions: Predictions, categories: tuple[str, ...]) -> list[PredictionEntry]:
    """One row a predicted row, or one for each of its categories."""
    columns = (predictions.mean, predictions.sd, predictions.q05, predictions.q95)
    found = []
    for index in np.ndindex(predictions.mean.shape):
        mean, sd, q05, q95 = (float(column[index]) for column in columns)
        row: PredictionEntry = {"contender": name, "row": index[0], "mean": mean, "sd": sd, "q05": q05, "q95": q95}
        if len(index) > 1:
            row["category"] = categories[index[1]]
        found.append(row)
    return found


def _scores(outcomes: Sequence[Outcome]) -> list[ScoreEntry]:
    """How well the predictions meet the known response of the predicted rows."""
    return [
        cast(
            ScoreEntry,
            {"contender": outcome.contender.name, "rows": len(outcome.predictions.mean), **outcome.predictions.score},
        )
        for outcome in outcomes
        if outcome.predictions is not None and outcome.predictions.score
    ]


def _pair_predictions(pair: Pair, outcomes: Mapping[str, Outcome]) -> GapEntry | None:
    """Differences of two contenders' predictions, each with its standard error."""
    a, b = outcomes[pair.a].predictions, outcomes[pair.b].predictions
    if a is None or b is None:
        return None
    found: GapEntry = {"max_difference_sd": max_difference(a, b)}
    if "mse" in a.score and "mse" in b.score:
        found["mse_difference"] = a.score["mse"] - b.score["mse"]
        found["mse_se"] = float(np.hypot(a.score["mse_error"], b.score["mse_error"]))
    if "lpd" in a.score and "lpd" in b.score:
        found["lpd_difference"] = a.score["lpd"] - b.score["lpd"]
        found["lpd_se"] = float(np.hypot(a.score["lpd_error"], b.score["lpd_error"]))
    return found
