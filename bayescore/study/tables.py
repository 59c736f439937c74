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
    """Faults of draws, those that were planted: verdicts against another set of draws, and the exact posterior."""
    lines = [
        "| target | fault | true effect | to be caught by | right reason | agree / inconclusive / disagree "
        "| the same, against exact | passes 0.05 absolute | passes 0.3 sd |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for target in targets:
        for fault in DRAW_FAULTS:
            if (target, fault.name) not in found:
                continue
            counts = found[target, fault.name]
            against = _verdicts(counts, "exact ") if counts["exact repetitions"] else ""
            reason = f"{fault.reason} {_share(counts, 'reason')}" if fault.reason else ""
            lines.append(
                f"| {target} | {fault.name} | {fault.effect} | {fault.caught_by} | {reason} "
                f"| {_verdicts(counts)} | {against} | {_share(counts, 'fixed')} | {_share(counts, 'stan')} |"
            )
    return "\n".join(lines)


def refits(found: Mapping[Key, Counter[str]]) -> str:
    """Faults of fits, against the exact posterior."""
    lines = [
        "| fault | error of a mean, on average [sd] | right reason | agree / inconclusive / disagree "
        "| passes 0.05 absolute | passes 0.3 sd |",
        "|---|---|---|---|---|---|",
    ]
    for fault, (_, reason) in REFITS.items():
        counts = found["refits", fault]
        if fault.startswith("float32"):
            share = _share(counts, "exact precision", "exact ")
            lines.append(f"| {fault} | | model check: {reason} {share} | 0 / 1 / 0 | | |")
            continue
        effect = counts["exact thousandths"] / 1000 / counts["exact repetitions"]
        given = f"{reason} {_share(counts, 'exact reason', 'exact ')}" if reason else ""
        lines.append(
            f"| {fault} | {effect:.3f} | {given} | {_verdicts(counts, 'exact ')} "
            f"| {_share(counts, 'exact fixed', 'exact ')} | {_share(counts, 'exact stan', 'exact ')} |"
        )
    return "\n".join(lines)


def _share(counts: Counter[str], name: str, prefix: str = "") -> str:
    total = counts[f"{prefix}repetitions"]
    return f"{counts[name] / total:.3f}" if total else ""


def _verdicts(counts: Counter[str], prefix: str = "") -> str:
    return " / ".join(_share(counts, prefix + verdict, prefix) for verdict in ("agree", "inconclusive", "disagree"))
