"""The document of one fit, and its report."""

from typing import Final, Literal, TypedDict

from bayescore.report.document import (
    ContenderEntry,
    EnvironmentEntry,
    ModelEntry,
    ParameterEntry,
    PredictionEntry,
    ProblemEntry,
    ReasonEntry,
    ScoreEntry,
    SettingsEntry,
)

SCHEMA: Final = "bayescore.fit/1"


class FitDocument(TypedDict):
    """A fit: the parts of a comparison's document that one contender has, and whether it is healthy.

    What is NaN or infinite is None.
    """

    schema: Literal["bayescore.fit/1"]
    healthy: bool
    reasons: list[ReasonEntry]
    problem: ProblemEntry
    settings: SettingsEntry
    environment: EnvironmentEntry
    contenders: list[ContenderEntry]
    parameters: list[ParameterEntry]
    model_check: list[ModelEntry]
    predictions: list[PredictionEntry]
    scores: list[ScoreEntry]
