"""What the tests of the NumPyro plugin share; importing it skips them where NumPyro isn't installed."""

import numpy as np
import pytest

for library in ("jax", "numpyro", "bayescore_numpyro"):
    pytest.importorskip(library, reason=f"the NumPyro plugin can't be tested without {library}")

from bayescore.contract.checked import Checked  # noqa: E402
from bayescore.model.data import from_arrays, toy_data  # noqa: E402
from bayescore.plugins import loading  # noqa: E402
from bayescore.tables.problem import from_data  # noqa: E402

TABLE = toy_data(seed=0)
DATA = from_arrays(TABLE[:, :1], TABLE[:, 1])
PRIORS = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)", "sigma": "HalfNormal(1)"}


def stated(family, data, priors, **more):
    """A regression; priors are written as text."""
    return from_data(data, family=family, priors=priors, **more).regression


TOY = stated("Gaussian(sigma=0.1)", DATA, {name: PRIORS[name] for name in ("intercept", "beta")})
FREE = stated("Gaussian", DATA, PRIORS)


def backend(precision="float64"):
    """The plugin behind the contract's checks."""
    registered = loading.load()["numpyro"]
    return Checked(registered.make(precision), registered.info, precision)


def fitted(regression, method, seed=0, data=DATA, **more):
    """A fit and its posterior."""
    numpyro = backend()
    fit = numpyro.fit(regression, numpyro.build_data(regression, data), method, seed=seed, **more)
    return fit, numpyro.sample_posterior(fit, seed=seed)


def exact_toy():
    """Mean and sd of (intercept, beta)."""
    design = np.column_stack([np.ones(DATA.rows), DATA.x])
    cov = np.linalg.inv(design.T @ design / 0.01 + np.eye(2) / 100)
    return cov @ (design.T @ DATA.y / 0.01), np.sqrt(np.diag(cov))
