"""What a failed assertion says: the verdict in a sentence, and the table that a report has."""

import math
from collections.abc import Sequence
from typing import Any, cast

from bayescore.agreement.pairs import Pair
from bayescore.agreement.rule import Row
from bayescore.report.document import PairEntry, RowEntry
from bayescore.report.tables import differences
from bayescore.report.terminal import render_table

_MOST_ROWS = 10
_ORDER = ("disagree", "inconclusive", "agree", "expected")


def failure(pair: Pair, follow: Sequence[str], margin: float) -> str:
    """In words why a pair does not agree, then its rows, the worst first.

    Parameters
    ----------
    follow
        Parameters that were not judged, as they follow from others.
    """
    said = [f"{pair.verdict}: " + "; ".join(f"{reason.code}: {reason.text}" for reason in pair.reasons)]
    worst = sorted(pair.rows, key=_place)[:_MOST_ROWS]
    if worst:
        entry = cast(PairEntry, {"rows": [_entry(row, margin) for row in worst]})
        said += ["", f"{pair.a} less {pair.b}, in posterior sds:", render_table(differences(entry))]
    if len(worst) < len(pair.rows):
        said.append(f"the {len(worst)} worst of {len(pair.rows)}")
    if follow:
        more = f" and {len(follow) - _MOST_ROWS} more" if len(follow) > _MOST_ROWS else ""
        said.append(f"not judged, as they follow from the others: {', '.join(follow[:_MOST_ROWS])}{more}")
    return "\n".join(said)


def _place(row: Row) -> tuple[int, float]:
    reach = row.reach / row.tolerance
    return _ORDER.index(row.verdict), -reach if math.isfinite(reach) else -math.inf


def _entry(row: Row, margin: float) -> RowEntry:
    """A row as a document has it."""
    figures: dict[str, Any] = {"lower": row.lower, "upper": row.upper, "margin": margin * row.tolerance, **vars(row)}
    known = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in figures.items()}
    return cast(RowEntry, known)
