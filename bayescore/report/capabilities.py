"""What each backend can do, as a table made from the plugins' declarations."""

from collections.abc import Mapping

from bayescore.plugins.registry import Registered
from bayescore.printable import cell

_KINDS = {
    "family": "family",
    "link": "link",
    "prior:coefficient": "prior of a coefficient",
    "prior:auxiliary": "prior of a positive parameter",
    "prior:correlation": "prior of correlations",
    "method": "method",
    "guide": "guide of svi",
    "program": "method for programs of one's own",
    "feature": "feature",
    "precision": "precision",
}


def markdown(backends: Mapping[str, Registered]) -> str:
    """A Markdown table: one row a capability, one column a backend."""
    declared = {name: registered.info.declared() for name, registered in backends.items()}
    lines = [f"| | | {' | '.join(declared)} |", f"|---|---|{'---|' * len(declared)}"]
    every = set().union(*declared.values()) if declared else set()
    for kind, words in _KINDS.items():
        for capability in sorted(c for c in every if c.rpartition(":")[0] == kind):
            marks = ["yes" if capability in supports else "" for supports in declared.values()]
            lines.append(f"| {words} | `{cell(capability.rpartition(':')[2])}` | {' | '.join(marks)} |")
    return "\n".join(lines)
