"""A module's parameters made into random variables."""

import copy
from collections.abc import Iterable
from typing import Any

from pyro.nn import PyroModule, PyroSample
from pyro.nn.module import to_pyro_module_
from torch import nn

from bayescore.model.sites import Independent
from bayescore_pyro.laws import law


def with_priors(module: nn.Module, sites: Iterable[Independent]) -> PyroModule:
    """A copy of the module that samples its parameters, a site each, whenever it is called."""
    lifted = copy.deepcopy(module)
    to_pyro_module_(lifted)
    for site in sites:
        owner, _, attribute = site.name.rpartition(".")
        setattr(lifted.get_submodule(owner), attribute, PyroSample(_law(site)))
    return lifted


def _law(site: Independent) -> Any:
    """A site's law, or a function of its layer where it depends on another parameter there."""
    if site.shift is None:
        return law(site, {})
    name = site.shift.coefficients
    return lambda layer: law(site, {name: getattr(layer, name.rpartition(".")[2])})
