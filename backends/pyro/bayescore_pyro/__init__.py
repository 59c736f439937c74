"""The Pyro backend of bayescore, and Bayesian versions of one's own torch modules.

`lift`, `sample_prior` and `fit_module` are imported when they are first asked for,
since torch takes seconds to import.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayescore_pyro.modules import ModuleFit, fit_module, lift, sample_prior

__all__ = ["ModuleFit", "fit_module", "lift", "sample_prior"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bayescore_pyro import modules

    return getattr(modules, name)
