"""What Monte Carlo error alone leaves open is settled by more draws, as a person would.

Once only, with twice to four times the draws, by the same seeds; what is open still then stays so. A second look has
its price: docs/agreement.md has the rates of both together.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from bayescore.agreement.verdict import Decision
from bayescore.comparison.outcome import Outcome

_BY_CHANCE = {"too-few-draws", "at-margin"}
_BESIDE = {"heavy-tails"}
_FEWEST, _MOST = 2, 4
"""Times the draws: half the variance at least, and not for ever."""


def draw_on(decision: Decision, outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The contenders whose chains are to be longer, and how many times; none where that would settle nothing.

    All that is open must be so by chance, and between chains, or chains and an exact posterior:
    a guide's error is that of its optimization.
    """
    codes = {reason.code for reason in decision.reasons}
    if decision.verdict != "inconclusive" or not codes & _BY_CHANCE or codes - _BY_CHANCE - _BESIDE:
        return {}
    by_name = {outcome.contender.name: outcome for outcome in outcomes}
    found: dict[str, int] = {}
    for pair in decision.pairs:
        sides = [by_name[name] for name in (pair.a, pair.b)]
        if pair.verdict != "inconclusive":
            continue
        if any(side.posterior is None or side.posterior.kind not in {"chains", "exact"} for side in sides):
            return {}
        times = min(_MOST, max(_FEWEST, math.ceil(pair.more_draws or _FEWEST)))
        found |= {s.contender.name: max(times, found.get(s.contender.name, 0)) for s in sides if _can(s)}
    return found


def _can(outcome: Outcome) -> bool:
    """Whether its chains can be made longer, and have not been."""
    posterior = outcome.posterior
    has_draws = any(setting.name == "draws" for setting in fields(outcome.contender.method))
    return posterior is not None and posterior.kind == "chains" and has_draws and not outcome.drawn_on


def taken(
    first: Sequence[Outcome], again: Sequence[Outcome], drawn: Mapping[str, int], why: str
) -> tuple[Outcome, ...] | None:
    """The outcomes after the second look; None where a fit did not end well, so that the first one stands.

    Seconds are those of both fits together.
    """
    if any(outcome.status not in {"ok", "interrupted"} for outcome in again):
        return None
    earlier = {outcome.contender.name: outcome for outcome in first}
    found = []
    for outcome in again:
        name = outcome.contender.name
        if name not in drawn or outcome.posterior is None:
            found.append(outcome)
            continue
        before = earlier[name]
        phases = {*before.seconds, *outcome.seconds}
        seconds = {p: before.seconds.get(p, 0.0) + outcome.seconds.get(p, 0.0) for p in phases}
        draws = [one.posterior.shape[1] for one in (before, outcome) if one.posterior is not None]
        said = f"{draws[0]} draws a chain left the verdict open ({why}); {draws[1]} are judged"
        found.append(replace(outcome, seconds=seconds, drawn_on=said))
    return tuple(found)
