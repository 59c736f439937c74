"""Which regressions have a posterior in closed form; nothing heavy is imported to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayescore.model.regression import Regression


def closed_form(regression: Regression) -> bool:
    """Whether the posterior of the coefficients given sigma is Gaussian."""
    coefficients = (p for s in regression.sites if s.name in {"intercept", "beta"} for p in s.requirements)
    conjugate = set(coefficients) <= {f"prior:coefficient:{name}" for name in ("Normal", "Flat", "AtMeans")}
    sigma = regression.auxiliary.get("sigma")
    return (
        regression.family.name == "Gaussian"
        and conjugate
        and (sigma is None or sigma.support == "positive" or not sigma.proper)
    )
