"""bayescore: one Bayesian regression, every inference backend, one verdict."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayescore.comparison.run import Comparison, compare
    from bayescore.contract.checked import Checked
    from bayescore.fitting.fit import Fit, load_fit
    from bayescore.fitting.run import fit
    from bayescore.inference_data import from_arviz, load, save, to_datatree
    from bayescore.methods import MAP, MLE, NUTS, SVI, Exact
    from bayescore.model.data import Data, from_arrays, toy_data
    from bayescore.model.posterior import Posterior
    from bayescore.model.regression import Regression
    from bayescore.pictures.prior import plot_prior
    from bayescore.plugins.registered import get_backend
    from bayescore.porting import compare_programs
    from bayescore.regressions.problem import Problem
    from bayescore.settings import Settings
    from bayescore.tables.problem import from_data, from_table, toy

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "comparison.run",
    "Fit": "fitting.fit",
    "fit": "fitting.run",
    "load_fit": "fitting.fit",
    "plot_prior": "pictures.prior",
    "Settings": "settings",
    "compare": "comparison.run",
    "compare_programs": "porting",
    "Checked": "contract.checked",
    "Data": "model.data",
    "from_arrays": "model.data",
    "toy_data": "model.data",
    "from_arviz": "inference_data",
    "load": "inference_data",
    "save": "inference_data",
    "to_datatree": "inference_data",
    "MAP": "methods",
    "MLE": "methods",
    "NUTS": "methods",
    "SVI": "methods",
    "Exact": "methods",
    "Posterior": "model.posterior",
    "Problem": "regressions.problem",
    "from_data": "tables.problem",
    "from_table": "tables.problem",
    "toy": "tables.problem",
    "get_backend": "plugins.registered",
    "Regression": "model.regression",
}

__all__ = [
    "MAP",
    "MLE",
    "NUTS",
    "SVI",
    "Checked",
    "Comparison",
    "Data",
    "Exact",
    "Fit",
    "Posterior",
    "Problem",
    "Regression",
    "Settings",
    "__version__",
    "compare",
    "compare_programs",
    "fit",
    "from_arrays",
    "from_arviz",
    "from_data",
    "from_table",
    "get_backend",
    "load",
    "load_fit",
    "plot_prior",
    "save",
    "to_datatree",
    "toy",
    "toy_data",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import bayescore`` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bayescore' has no attribute {name!r}")
    return getattr(import_module(f"bayescore.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
