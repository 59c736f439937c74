"""Which module carries out which method."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bayescore.backend import Progress, entry_of
from bayescore.methods import MAP, NUTS, SVI, Laplace, Method
from bayescore_pyro import laplace, nuts, svi
from bayescore_pyro.density import Density
from bayescore_pyro.found import Found

FITTERS: Mapping[type[Method], Callable[[Density, Any, int, Progress], Found]] = {
    SVI: svi.fit,
    NUTS: nuts.fit,
    Laplace: laplace.fit,
    MAP: svi.fit_map,
}


def infer(target: Density, method: Method, seed: int, progress: Progress) -> Found:
    """Carry out a method that works on a log density; the caller has seeded the generators."""
    target = replace(target, jacobian=method.estimand == "posterior")
    return entry_of(FITTERS, type(method), f"the method {method.name}")(target, method, seed, progress)
