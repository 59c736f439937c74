"""What the exact backend declares."""

from collections.abc import Iterable

from bayescore.backend import Backend, BackendInfo, Precision, hookimpl

_COEFFICIENT = ("Normal", "StudentT", "Cauchy", "Laplace", "Flat")
_AUXILIARY = ("HalfNormal", "HalfCauchy", "Exponential", "InverseGamma", "Gamma", "LogNormal", "Flat")
_CLOSED = {
    "family:Gaussian",
    "link:identity",
    "prior:coefficient:Normal",
    "prior:coefficient:Flat",
    *(f"prior:auxiliary:{prior}" for prior in _AUXILIARY),
}
_SUPPORTS = {
    "family:Gaussian",
    "family:Bernoulli",
    "link:identity",
    "link:logit",
    *(f"prior:coefficient:{prior}" for prior in _COEFFICIENT),
    *(f"prior:auxiliary:{prior}" for prior in _AUXILIARY),
    "method:exact",
    "method:mle",
    "method:map",
    "feature:log_density",
    "precision:float64",
    "precision:float32",
    *(f"exact:{name}" for name in _CLOSED),
}
_NOT_CONJUGATE = "never: with a {} prior on a coefficient the posterior has no closed form; use Normal or Flat, or nuts"
_GAPS = {
    "exact:family:Bernoulli": "not yet: a Bernoulli regression has no closed form; use nuts",
    "exact:link:logit": "not yet: a Bernoulli regression has no closed form; use nuts",
    **{f"exact:prior:coefficient:{prior}": _NOT_CONJUGATE.format(prior) for prior in ("StudentT", "Cauchy", "Laplace")},
    "method:svi": "never: exact has no guide to fit; use the method exact",
    "method:nuts": "never: exact draws independently; use the method exact",
}


def _make(precision: Precision) -> Backend:
    """Make the backend; a reference is computed in float64, whatever the others are asked for."""
    from bayescore.exact.backend import ExactBackend

    return ExactBackend()


@hookimpl
def bayescore_backends() -> Iterable[BackendInfo]:
    """Declare the exact backend."""
    yield BackendInfo("exact", _make, _SUPPORTS, _GAPS, default_method="exact")
