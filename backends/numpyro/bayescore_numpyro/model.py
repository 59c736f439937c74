"""The regression as a NumPyro model, as stated and in the coordinates of inference."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.infer.util import log_density

from bayescore_numpyro.families import RESPONSES
from bayescore_numpyro.form import Affine, Form, Numbers, Variable
from bayescore_numpyro.priors import Mixed, prior

Values = Mapping[str, jax.Array]


def stated(form: Form, numbers: Numbers, batch_size: int | None = None) -> None:
    """The regression as it is stated: a sample site each, and ``y`` in a plate over the rows."""
    values = {v.name: numpyro.sample(v.name, prior_of(v, numbers)) for v in form.variables}
    with numpyro.plate("data", numbers.y.shape[0], subsample_size=batch_size) as rows:
        x, y = (numbers.x, numbers.y) if batch_size is None else (numbers.x[rows], numbers.y[rows])
        numpyro.sample("y", response(form, {**numbers.fixed, **values}, x), obs=y)


def prior_of(variable: Variable, numbers: Numbers) -> dist.Distribution:
    """The prior of a whole site."""
    shapes = [variable.shape if len(variable.priors) == 1 else (len(at),) for _, at in variable.priors]
    parts = [
        (positions, prior(kind, variable.support, shape, parameters))
        for (kind, positions), shape, parameters in zip(
            variable.priors, shapes, numbers.priors[variable.name], strict=True
        )
    ]
    return Mixed(parts) if len(parts) > 1 else parts[0][1].to_event(len(variable.shape))


def response(form: Form, values: Values, x: jax.Array) -> dist.Distribution:
    """Distribution of the response, shape (..., row), for values (...) of the sites and fixed parameters."""
    eta = jnp.zeros(x.shape[0], dtype=x.dtype)
    if "beta" in values:
        eta = values["beta"] @ x.T
    if "intercept" in values:
        eta = eta + values["intercept"][..., None]
    return RESPONSES[form.family, form.link](eta, **{name: values[name][..., None] for name in form.auxiliaries})


def constrained(form: Form, affine: Affine, z: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
    """Each site's values at z of shape (..., d), and log |d theta / d z|, shape (...)."""
    u = affine.centre + z @ affine.matrix.T
    values, log_jacobian = {}, affine.log_det
    for variable in form.variables:
        part = u[..., variable.start : variable.start + variable.size]
        if variable.support == "positive":
            log_jacobian = log_jacobian + part.sum(axis=-1)
            part = jnp.exp(part)
        values[variable.name] = jnp.reshape(part, (*z.shape[:-1], *variable.shape))
    return values, log_jacobian


def on_coordinates(form: Form, numbers: Numbers, affine: Affine, rows: jax.Array | None = None) -> None:
    """The stated model's density as one of z, with its Jacobian; on some rows only, scaled up, if given."""
    z = numpyro.sample("z", dist.ImproperUniform(dist.constraints.real_vector, (), (form.size,)))
    values, log_jacobian = constrained(form, affine, z)
    batch = {} if rows is None else {"data": rows}
    with handlers.substitute(data=batch), handlers.condition(data=values):
        stated(form, numbers, None if rows is None else rows.shape[0])
    numpyro.factor("log_jacobian", log_jacobian)


def potential(form: Form, numbers: Numbers, affine: Affine, z: jax.Array, rows: jax.Array | None = None) -> jax.Array:
    """Minus the log density of z, in nats, or its estimate from some rows."""
    log_joint: jax.Array = log_density(on_coordinates, (form, numbers, affine, rows), {}, {"z": z})[0]
    return -log_joint


def terms(form: Form, numbers: Numbers, values: Values) -> dict[str, jax.Array]:
    """Log density by site of the stated model at constrained values, and ``likelihood``."""
    with handlers.trace() as trace, handlers.condition(data=values):
        stated(form, numbers)
    sites = {name: site for name, site in trace.items() if site["type"] == "sample"}
    by_site = {name: jnp.sum(site["fn"].log_prob(site["value"])) for name, site in sites.items()}
    by_site["likelihood"] = by_site.pop("y")
    return by_site
