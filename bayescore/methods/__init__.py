"""The inference methods: settings as frozen dataclasses, the same for every backend.

Whatever two libraries set differently by default (initial values, scales, warm-up,
step-size search, target acceptance, mass matrix) is set here, and means the same in
both.
"""

from collections.abc import Sequence
from typing import cast

from bayescore import notation
from bayescore.errors import RequestError
from bayescore.methods.described import Description, describe, in_class_of, method_of, read
from bayescore.methods.direct import Exact, Laplace
from bayescore.methods.method import (
    Beginning,
    Estimand,
    GuideFamily,
    Kind,
    Method,
    Need,
    Optimum,
    Standard,
    estimand_of,
)
from bayescore.methods.nuts import NUTS
from bayescore.methods.optimizers import MAP, MLE, Optimizer
from bayescore.methods.settings import choice, flag, positive, share, whole
from bayescore.methods.svi import SVI

__all__ = [
    "MAP",
    "METHODS",
    "MLE",
    "NUTS",
    "SVI",
    "Beginning",
    "Description",
    "Estimand",
    "Exact",
    "GuideFamily",
    "Kind",
    "Laplace",
    "Method",
    "Need",
    "Optimizer",
    "Optimum",
    "Standard",
    "choice",
    "describe",
    "estimand_of",
    "flag",
    "method_of",
    "parse",
    "positive",
    "read",
    "share",
    "whole",
]

METHODS: dict[str, type[Method]] = {cls.name: cls for cls in (MLE, MAP, SVI, NUTS, Laplace, Exact)}


def parse(text: "str | Method | type[Method] | notation.Call", own: Sequence[type[Method]] = ()) -> Method:
    """Read a method such as ``svi`` or ``"nuts(chains=4, draws=2500)"``.

    ``svi(tutorial)`` stands for `SVI.tutorial`, a known class for itself with its defaults.

    Parameters
    ----------
    own
        The methods that a backend brings, known beside those of METHODS; what was read where
        its plugin is not loaded comes back in its own class.

    Raises
    ------
    RequestError
        It is no method, or a setting is wrong.
    """
    known = METHODS | {cls.name: cls for cls in own}
    if isinstance(text, Method):
        return in_class_of(text, known[text.name]) if text.name in known else text
    if isinstance(text, type) and text in known.values():
        return text()
    call = text if isinstance(text, notation.Call) else notation.parse(cast(str, text))
    call = notation.lower(call)
    if call == notation.Call("svi", ("tutorial",)):
        return SVI.tutorial()
    if call.args:
        raise RequestError(f"{call.name}: write the settings by name, as in svi(steps=2000)")
    return notation.construct(call, known, "method")
