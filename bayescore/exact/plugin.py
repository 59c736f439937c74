"""What the exact backend can't do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl
from bayescore.exact.closed_form import closed_form

if TYPE_CHECKING:
    from bayescore.methods import Method
    from bayescore.model.regression import Regression

_MOST_UNKNOWNS = 3
_NO_GUIDE = "never: exact has no guide to fit; use the method exact"
_NO_GROUPS = "never: group effects are too many unknowns for quadrature; use nuts"
_NO_PROGRAMS = "never: closed forms are known of regressions alone"
GAPS = {
    "feature:programs": _NO_PROGRAMS,
    "program:nuts": _NO_PROGRAMS,
    "program:svi": _NO_PROGRAMS,
    "program:own_guide": _NO_PROGRAMS,
    "method:svi": _NO_GUIDE,
    "method:nuts": "never: exact draws independently; use the method exact",
    "method:laplace": "never: exact approximates nothing; use the method exact",
    "guide:mean_field": _NO_GUIDE,
    "guide:full_rank": _NO_GUIDE,
    "feature:own_guide": _NO_GUIDE,
    "feature:minibatch": _NO_GUIDE,
    "feature:groups": _NO_GROUPS,
    "prior:correlation:LKJ": _NO_GROUPS,
    "feature:network": "never: a network has too many unknowns for quadrature; use nuts",
    "feature:lift": "never: exact knows no modules; pyro and numpyro lift them",
    "prior:coefficient:Horseshoe": "never: a horseshoe has too many unknowns for quadrature; use nuts",
}


def _limits(regression: Regression, method: Method) -> str | None:
    """Closed forms, and quadrature for a few unknowns."""
    unknowns = len(regression.parameters)
    if method.name != "exact" or unknowns <= _MOST_UNKNOWNS or closed_form(regression):
        return None
    return (
        f"never: it has no closed form, and {unknowns} unknowns are too many for quadrature "
        f"(at most {_MOST_UNKNOWNS}); use nuts"
    )


def _make(precision: Precision) -> Backend:
    """Make the backend; a reference is computed in float64, whatever the others are asked for."""
    from bayescore.exact.backend import ExactBackend

    return ExactBackend()


@hookimpl
def bayescore_backends() -> Iterable[BackendInfo]:
    """Declare the exact backend."""
    yield BackendInfo("exact", _make, gaps=GAPS, limits=_limits, default_method="exact")
