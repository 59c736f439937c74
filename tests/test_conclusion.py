"""What is concluded when a contender could not be run."""

import pytest

from bayescore.comparison.contender import Contender
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.run import conclude_outcomes
from bayescore.methods import Exact
from bayescore.settings import Settings
from bayescore.tables.problem import toy


@pytest.mark.parametrize(
    ("status", "added", "verdict"),
    [
        ("unsupported", {"exact"}, "inconclusive"),
        ("unsupported", set(), "incomplete"),
        ("failed", {"exact"}, "incomplete"),
    ],
)
def test_a_reference_that_nobody_asked_for_is_not_missed(status, added, verdict) -> None:
    """It may turn out only while it runs that no closed form or quadrature serves; a failure is one all the same."""
    outcome = Outcome(Contender("exact", Exact()), status, "too many points")
    found = conclude_outcomes(toy(), [outcome], Settings(), added=added)
    assert found.verdict == verdict
    assert found.document["contenders"][0]["error"] == "too many points"
