"""The table that the terminal has, for the message of a test."""

from bayescore.agreement.pairs import Pair
from bayescore.comparison.document import pair_entry
from bayescore.report import tables
from bayescore.report.terminal import as_text


def differences(pair: Pair, margin: float) -> str:
    """What differs, the worst first where there is much."""
    return as_text(tables.differences(pair_entry(pair, margin)))
