"""Draws as the libraries of this field hand them out: dictionaries, ArviZ data, samplers after their run."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescore.errors import DataError, in_one_line
from bayescore.inference_data import from_arviz
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior

Draws = Posterior | Mapping[str, Any] | Any
"""A `Posterior`, ArviZ data, an MCMC of Pyro or NumPyro after its run, or a dictionary of arrays (chain, draw, ...)."""


def read(side: str, data: Draws) -> Posterior:
    """What a side has drawn, by site.

    Raises
    ------
    DataError
        It holds no draws of a posterior, by site.
    """
    posterior = _posterior(side, data)
    if not posterior.draws:
        raise DataError(f"{side} has no parameters")
    if posterior.estimand != "posterior":
        raise DataError(f"{side} is a point estimate ({posterior.kind}), which has no spread to judge it by")
    parameters = posterior.parameters()
    if not parameters:
        raise DataError(f"{side} has no parameters: {next(iter(posterior.draws))!r} is empty")
    if len(parameters) < sum(math.prod(values.shape[2:]) for values in posterior.draws.values()):
        raise DataError(f"{side} has two parameters of one name (of {', '.join(posterior.draws)})")
    return posterior


def array(what: str, values: Any) -> Array:
    """Real numbers of anything that holds some, a tensor that requires a gradient included."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "biuf":
            raise TypeError(f"{found.dtype} values")
        return found.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} holds no real numbers: {error}") from error


def _posterior(side: str, data: Draws) -> Posterior:
    if isinstance(data, Posterior):
        return data
    if hasattr(data, "get_samples"):
        return _from_mcmc(side, data)
    if isinstance(data, Mapping) and not hasattr(data, "posterior"):
        return Posterior(_arrays(side, data))
    try:
        return from_arviz(data)
    except (DataError, TypeError, ValueError) as error:
        raise DataError(f"{side}: {error}") from error


def _arrays(side: str, data: Mapping[str, Any]) -> dict[str, Array]:
    draws = {str(name): array(f"{side}: {name!r}", values) for name, values in data.items()}
    for name, values in draws.items():
        if values.ndim < 2:
            raise DataError(f"{side}: {name!r} has shape {values.shape}; draws have shape (chain, draw, ...)")
    return draws


def _from_mcmc(side: str, mcmc: Any) -> Posterior:
    """Of an object that has ``get_samples(group_by_chain=True)``, with what else it tells of its chains."""
    try:
        samples = mcmc.get_samples(group_by_chain=True)
    except Exception as error:  # somebody's object: before its run each library raises something else
        raise DataError(f"{side}: the MCMC has no draws; was it run? ({in_one_line(error)})") from error
    if samples is None:
        raise DataError(f"{side}: the MCMC has no draws; was it run?")
    if not isinstance(samples, Mapping):
        raise DataError(f"{side}: the MCMC's samples are a {type(samples).__name__}, not a dictionary by site")
    draws = _arrays(side, samples)
    try:
        stats = _stats(mcmc, next(iter(draws.values())).shape[:2]) if draws else {}
    except Exception as error:  # what it doesn't tell must not be taken for health
        raise DataError(f"{side}: the MCMC doesn't tell which transitions diverged ({in_one_line(error)})") from error
    return Posterior(draws, {}, stats)


def _stats(mcmc: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Divergences and energy under ArviZ's names; NumPyro has them by draw, Pyro the numbers of draws that diverged."""
    if hasattr(mcmc, "get_extra_fields"):
        known = mcmc.get_extra_fields(group_by_chain=True)
        return {name: np.asarray(known[name]) for name in ("diverging", "energy") if name in known}
    found = mcmc.diagnostics().get("divergences") if hasattr(mcmc, "diagnostics") else None
    if found is None:
        return {}
    diverging = np.zeros(shape, dtype=bool)
    for chain, at in zip(diverging, found.values(), strict=True):
        chain[list(at)] = True
    return {"diverging": diverging}
