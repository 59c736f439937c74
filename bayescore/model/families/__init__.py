"""The families: how the response is distributed around the linear predictor."""

from typing import cast

from bayescore import notation
from bayescore.model.families import binary, categories, counts, positive, real
from bayescore.model.families.base import Family, Given, Sides
from bayescore.model.families.binary import Bernoulli, Binomial
from bayescore.model.families.categories import Categorical, Ordinal
from bayescore.model.families.counts import NegativeBinomial, Poisson
from bayescore.model.families.positive import Beta, Exponential, Gamma
from bayescore.model.families.real import Gaussian, StudentT

FAMILIES: dict[str, type[Family]] = notation.classes_of(
    Family,  # type: ignore[type-abstract]
    *(real, binary, counts, positive, categories),
)

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Exponential",
    "Family",
    "Gamma",
    "Gaussian",
    "Given",
    "NegativeBinomial",
    "Ordinal",
    "Poisson",
    "Sides",
    "StudentT",
    "parse",
]

_ALIASES = {"normal": "Gaussian", "t": "StudentT", "student": "StudentT", "negbinomial": "NegativeBinomial",
            "negbin": "NegativeBinomial", "multinomial": "Categorical"}  # fmt: skip
"""Names that people type."""


def parse(text: str | Family | type[Family]) -> Family:
    """Read a family such as ``"Gaussian(sigma=0.1)"`` or a bare ``"bernoulli"``; a class stands for its defaults."""
    if isinstance(text, Family):
        return text
    if isinstance(text, type) and text in FAMILIES.values():
        return text()
    call = notation.parse(cast(str, text))
    return notation.construct(notation.lower(call), FAMILIES, "family", aliases=_ALIASES)
