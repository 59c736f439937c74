"""What the exact backend declares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl
from bayescore.exact.closed_form import closed_form

if TYPE_CHECKING:
    from bayescore.methods import Method
    from bayescore.model.regression import Regression

_FAMILIES = ("Gaussian", "StudentT", "Bernoulli", "Binomial", "Poisson", "NegativeBinomial", "Gamma", "Exponential")
_LINKS = ("identity", "log", "logit", "probit", "cloglog", "softmax")
_REAL = ("Normal", "StudentT", "Cauchy", "Laplace", "Flat", "Uniform", "Beta", "AtMeans")
_POSITIVE = ("HalfNormal", "HalfCauchy", "HalfStudentT", "Exponential", "InverseGamma", "Gamma", "LogNormal")
_SUPPORTS = {
    *(f"family:{name}" for name in (*_FAMILIES, "Beta", "Ordinal", "Categorical")),
    *(f"link:{name}" for name in _LINKS),
    *(f"prior:coefficient:{name}" for name in _REAL),
    *(f"prior:auxiliary:{name}" for name in (*_POSITIVE, "Flat", "Uniform", "Beta")),
    *(f"method:{name}" for name in ("exact", "mle", "map")),
    *(f"feature:{name}" for name in ("log_density", "offset", "weights", "reduction")),
    *(f"precision:{name}" for name in ("float64", "float32")),
}
_MOST_UNKNOWNS = 3
_GAPS = {
    "method:svi": "never: exact has no guide to fit; use the method exact",
    "method:nuts": "never: exact draws independently; use the method exact",
    "method:laplace": "never: exact approximates nothing; use the method exact",
    "feature:groups": "never: group effects are too many unknowns for quadrature; use nuts",
    "feature:network": "never: a network has too many unknowns for quadrature; use nuts",
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
    yield BackendInfo("exact", _make, _SUPPORTS, _GAPS, limits=_limits, default_method="exact")
