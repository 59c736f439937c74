"""The log density of the stated model at constrained values, with its gradient."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from bayescore.backend import LogDensity
from bayescore.model.arrays import Array
from bayescore_numpyro.compiling import ONCE, compiled
from bayescore_numpyro.form import Form, Numbers
from bayescore_numpyro.model import terms
from bayescore_numpyro.native import Native
from bayescore_numpyro.rows import Values


@compiled(ONCE, 0)
def _evaluate(
    form: Form, numbers: Numbers, values: Values
) -> tuple[tuple[jax.Array, dict[str, jax.Array]], dict[str, jax.Array]]:
    def total(values: Values) -> tuple[jax.Array, dict[str, jax.Array]]:
        by_site = terms(form, numbers, values)
        return sum(by_site.values(), jnp.zeros(())), by_site

    return jax.value_and_grad(total, has_aux=True)(values)


def log_density(problem: Native, values: Mapping[str, Array]) -> LogDensity:
    """Total, terms by site and gradient at one point."""
    point = {v.name: jnp.asarray(values[v.name], dtype=float) for v in problem.form.variables}
    (total, by_site), gradient = jax.device_get(_evaluate(problem.form, problem.numbers, point))
    return LogDensity(
        float(total),
        {name: float(term) for name, term in by_site.items()},
        {name: np.asarray(slope, dtype=np.float64) for name, slope in gradient.items()},
    )
