"""Draws from where users have them: an MCMC object of Pyro's or NumPyro's, told by what it can, without its library."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescore.errors import DataError
from bayescore.model.posterior import Posterior


def is_sampler(data: object) -> bool:
    """Whether it is an MCMC object."""
    return callable(getattr(data, "get_samples", None)) and hasattr(data, "num_chains")


def posterior_of(side: str, sampler: Any) -> Posterior:
    """Its draws by site with chains and order kept, and its divergences where it tells them.

    Raises
    ------
    DataError
        It has not been run.
    """
    try:
        samples: Any = sampler.get_samples(group_by_chain=True)
    except Exception as error:  # each library's own way of having none
        raise DataError(f"{side} has no draws: run the MCMC before they are compared") from error
    if samples is None or (isinstance(samples, Mapping) and not samples):
        raise DataError(f"{side} has no draws: run the MCMC before they are compared")
    if not isinstance(samples, Mapping):
        raise DataError(f"{side} has no draws by site: its samples are of a single value")
    draws = {str(name): _numbers(value) for name, value in samples.items()}
    shape = next(iter(draws.values())).shape[:2]
    diverging = _diverging(sampler, shape)
    return Posterior(draws, sample_stats={} if diverging is None else {"diverging": diverging})


def _numbers(value: Any) -> np.ndarray:
    found = value.detach().cpu() if hasattr(value, "detach") else value
    return np.asarray(found, dtype=np.float64)


def _diverging(sampler: Any, shape: tuple[int, ...]) -> "np.ndarray | None":
    """NumPyro keeps a flag of each draw, Pyro the numbers of the draws of each chain."""
    if hasattr(sampler, "get_extra_fields"):
        found = sampler.get_extra_fields(group_by_chain=True).get("diverging")
        return None if found is None else np.asarray(found, dtype=bool)
    if not hasattr(sampler, "diagnostics"):
        return None
    told = sampler.diagnostics().get("divergences")
    if not isinstance(told, Mapping):
        return None
    flags = np.zeros(shape, dtype=bool)
    for chain, numbers in enumerate(told.values()):
        flags[chain, [n for n in numbers if n < shape[1]]] = True
    return flags
