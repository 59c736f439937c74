"""What the tests of the Pyro plugin share; importing it skips them where Pyro isn't installed."""

from functools import cache

import numpy as np
import pytest

for library in ("pyro", "bayescore_pyro"):
    pytest.importorskip(library, reason=f"the Pyro plugin can't be tested without {library}")

from bayescore_pyro.plugin import make  # noqa: E402
from declared import problems  # noqa: E402

from bayescore.model import data  # noqa: E402
from bayescore.tables import default_priors  # noqa: E402

BACKEND = make("float64")
PROBLEMS = problems()
TELLING = [
    name
    for name in PROBLEMS
    if name.startswith(("groups", "network")) or name.endswith(("weights-offset", "probit", "cloglog", "Horseshoe"))
] + ["prior-coefficient-Uniform", "prior-auxiliary-Beta"]
"""Every family, link and structure once."""


@cache
def toy():
    """The tutorial's model and data, and its exact posterior: mean and covariance of (intercept, beta)."""
    table = data.toy_data(seed=0)
    rows = data.from_arrays(table[:, :-1], table[:, -1])
    stated = {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}
    model = default_priors.state("Gaussian(sigma=0.1)", rows, stated)
    design = np.column_stack([np.ones(rows.rows), rows.x])
    precision = design.T @ design / 0.1**2 + np.eye(2) / 10**2
    mean = np.linalg.solve(precision, design.T @ rows.y / 0.1**2)
    return model, rows, mean, np.linalg.inv(precision)


def run(model, rows, method, *, seed=0, backend=BACKEND):
    """Fit and draw."""
    fit = backend.fit(model, backend.build_data(model, rows), method, seed=seed)
    return fit, backend.sample_posterior(fit, seed=seed)


def program(function, backend=BACKEND, **data):
    """A program of one's own with its data."""
    return backend.program(function, data)


def by_name(program, values=None):
    """Its sites at values."""
    return {site.name: site for site in program.sites(values)}
