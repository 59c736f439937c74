"""The document of a comparison: what is in it. Every report is made from one, and from nothing else.

Keys may be added under the same schema; none is removed or changes its meaning. What is NaN or
infinite is None. ``schema.json``, beside this file, is made of these types.
"""

from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, TypedDict

from bayescore.agreement.model_check import Apart, ModelVerdict
from bayescore.agreement.rule import RowVerdict, Statistic, Verdict
from bayescore.agreement.verdict import Overall
from bayescore.methods import Kind
from bayescore.options import in_json
from bayescore.settings import Settings

SCHEMA: Final = "bayescore.comparison/1"
Status = Literal["ok", "unsupported", "missing", "failed", "timeout", "interrupted"]
"""What became of a contender."""


class ReasonEntry(TypedDict):
    """Why a verdict is what it is: a code that ``bayescore explain`` knows, and a sentence."""

    code: str
    text: str


class SiteEntry(TypedDict):
    """A site of programs of one's own: its shape, and what it is in each program, by its contender."""

    name: str
    shape: str
    programs: dict[str, str]


class ProblemEntry(TypedDict):
    """What was fitted: priors by parameter, and the model as text; of programs their sites."""

    source: str
    formula: str | None
    rows: int
    response: str
    columns: list[str]
    family: str
    priors: dict[str, str]
    model: str
    warnings: list[str]
    notes: list[str]
    sites: NotRequired[list[SiteEntry]]


if TYPE_CHECKING:
    SettingsEntry = dict[str, Any]
else:  # how it was run, as the options declare it
    SettingsEntry = in_json("SettingsEntry", Settings)


class EnvironmentEntry(TypedDict):
    """Where it was run: versions by library, null for one that is not installed."""

    python: str
    platform: str
    cores: int | None
    seed: int
    versions: dict[str, str | None]


class AttemptEntry(TypedDict):
    """One fit of a contender that was made again because it diverged; taken is the one whose draws are judged."""

    target_accept: float
    divergences: int
    seconds: float | None
    taken: bool


class ContenderEntry(TypedDict):
    """What became of a contender: seconds by phase, and the diagnostics that its method has."""

    name: str
    backend: str
    distribution: str | None
    version: str | None
    method: str
    kind: Kind | None
    status: Status
    error: str | None
    seconds: dict[str, float | None]
    peak_memory_bytes: int | None
    healthy: bool | None
    diagnostics: dict[str, float | None]
    refitted: NotRequired[str]
    attempts: NotRequired[list[AttemptEntry]]
    drawn_on: NotRequired[str]


class ParameterEntry(TypedDict):
    """A scalar parameter of a contender's posterior, in the constrained space."""

    contender: str
    name: str
    mean: float | None
    sd: float | None
    mcse_mean: float | None
    q05: float | None
    q50: float | None
    q95: float | None
    ess_bulk: float | None
    ess_tail: float | None
    rhat: float | None


class ModelEntry(TypedDict):
    """How a contender's log density compares with what it is held against; spread and constant in nats."""

    contender: str
    verdict: ModelVerdict
    points: int
    spread: float | None
    gradient_spread: float | None
    constant: float | None
    site: str | None
    pattern: str | None
    code: str
    against: str
    apart: NotRequired[list[Apart]]


class RowEntry(TypedDict):
    """A difference of a pair, with its 90 % interval."""

    quantity: str
    statistic: Statistic
    difference: float | None
    se: float | None
    lower: float | None
    upper: float | None
    verdict: RowVerdict
    expected_ratio: float | None
    level: float | None
    margin: float
    among: int
    tail_index: float | None


class GapEntry(TypedDict):
    """How far two contenders' predictions are apart; scores where the response is known."""

    max_difference_sd: float | None
    mse_difference: NotRequired[float | None]
    mse_se: NotRequired[float | None]
    lpd_difference: NotRequired[float | None]
    lpd_se: NotRequired[float | None]


class ShapeEntry(TypedDict):
    """How far two posteriors' shapes are apart: reported, not decisive."""

    energy_distance: float | None
    energy_p: float | None
    quantile: str
    quantile_difference_sd: float | None


class PairEntry(TypedDict):
    """Two contenders held against each other."""

    a: str
    b: str
    verdict: Verdict | Literal["not-comparable"]
    reasons: list[ReasonEntry]
    summary: str | None
    max_difference_sd: float | None
    rows: list[RowEntry]
    predictions: GapEntry | None
    shape: ShapeEntry | None


class PredictionEntry(TypedDict):
    """The expected response of a predicted row, or the probability of one of its categories."""

    contender: str
    row: int
    category: NotRequired[str]
    mean: float | None
    sd: float | None
    q05: float | None
    q95: float | None


class ScoreEntry(TypedDict):
    """How well predictions meet the known responses; a point estimate has no log predictive density."""

    contender: str
    rows: int
    mse: float | None
    mse_error: float | None
    lpd: NotRequired[float | None]
    lpd_error: NotRequired[float | None]


class Document(TypedDict):
    """A comparison."""

    schema: Literal["bayescore.comparison/1"]
    verdict: Overall
    reasons: list[ReasonEntry]
    problem: ProblemEntry
    settings: SettingsEntry
    environment: EnvironmentEntry
    contenders: list[ContenderEntry]
    parameters: list[ParameterEntry]
    model_check: list[ModelEntry]
    pairs: list[PairEntry]
    predictions: list[PredictionEntry]
    scores: list[ScoreEntry]
