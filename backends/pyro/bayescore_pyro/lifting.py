"""A module's parameters made into random variables."""

import copy
from collections.abc import Iterable

from pyro.nn import PyroModule, PyroSample
from pyro.nn.module import to_pyro_module_
from torch import nn

from bayescore.sites import Independent
from bayescore_pyro.laws import law


def with_priors(module: nn.Module, sites: Iterable[Independent]) -> PyroModule:
    """A copy of the module that samples its parameters, a site each, whenever it is called."""
    lifted = copy.deepcopy(module)
    to_pyro_module_(lifted)
    for site in sites:
        owner, _, attribute = site.name.rpartition(".")
        setattr(lifted.get_submodule(owner), attribute, PyroSample(law(site, {})))
    return lifted
