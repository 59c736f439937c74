"""The NumPyro backend of bayescore, and Bayesian versions of one's own equinox or flax nnx modules.

`lift`, `sample_prior` and `fit_module` are imported when they are first asked for,
since JAX takes seconds to import.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayescore_numpyro.modules import Lifted, ModuleFit, fit_module, lift, sample_prior

__all__ = ["Lifted", "ModuleFit", "fit_module", "lift", "sample_prior"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bayescore_numpyro import modules

    return getattr(modules, name)
