"""What the study counted, as Markdown tables."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bayescore.study.faults import DENSITY_FAULTS, DRAW_FAULTS
from bayescore.study.measure import REFITS, Key


def density(found: Mapping[Key, Counter[str]]) -> str:
    """Faults of a density: the share that the model check catches, and names rightly."""
    lines = ["| fault | term | caught | term named |", "|---|---|---|---|"]
    for fault in DENSITY_FAULTS:
        counts = found["density", fault.name]
        lines.append(f"| {fault.name} | {fault.site} | {_share(counts, 'caught')} | {_share(counts, 'named')} |")
    return "\n".join(lines)


def draws(found: Mapping[Key, Counter[str]], targets: Sequence[str]) -> str:
    """Faults of draws: verdicts against another set of draws, and against the exact posterior."""
    lines = [
        "| target | fault | true effect | to be caught by | unhealthy | agree / inconclusive / disagree "
        "| the same, against exact | passes 0.05 absolute | passes 0.3 sd |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for target in targets:
        for fault in DRAW_FAULTS:
            counts = found[target, fault.name]
            against = _verdicts(counts, "exact ") if counts["exact repetitions"] else ""
            lines.append(
                f"| {target} | {fault.name} | {fault.effect} | {fault.caught_by} | {_share(counts, 'health')} "
                f"| {_verdicts(counts)} | {against} | {_share(counts, 'fixed')} | {_share(counts, 'stan')} |"
            )
    return "\n".join(lines)


def refits(found: Mapping[Key, Counter[str]]) -> str:
    """Faults of fits, against the exact posterior."""
    lines = [
        "| fault | unhealthy | agree / inconclusive / disagree | passes 0.05 absolute | passes 0.3 sd |",
        "|---|---|---|---|---|",
    ]
    for fault in REFITS:
        counts = found["refits", fault]
        if fault.startswith("float32"):
            lines.append(
                f"| {fault} | model check: precision {_share(counts, 'exact precision', 'exact ')} | 0 / 1 / 0 | | |"
            )
            continue
        lines.append(
            f"| {fault} | {_share(counts, 'exact health', 'exact ')} | {_verdicts(counts, 'exact ')} "
            f"| {_share(counts, 'exact fixed', 'exact ')} | {_share(counts, 'exact stan', 'exact ')} |"
        )
    return "\n".join(lines)


def _share(counts: Counter[str], name: str, prefix: str = "") -> str:
    total = counts[f"{prefix}repetitions"]
    return f"{counts[name] / total:.3f}" if total else ""


def _verdicts(counts: Counter[str], prefix: str = "") -> str:
    return " / ".join(_share(counts, prefix + verdict, prefix) for verdict in ("agree", "inconclusive", "disagree"))
