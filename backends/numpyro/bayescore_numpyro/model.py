"""The regression as a NumPyro model, as stated and in the coordinates of inference."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.infer.util import compute_log_probs

from bayescore.backend import entry_of
from bayescore.model.transforms import Correlations, GroupOffsets, Shrinkage, constrain
from bayescore_numpyro import hierarchy, predictors, priors
from bayescore_numpyro.families import RESPONSES
from bayescore_numpyro.form import Form, Numbers, Variable
from bayescore_numpyro.native import Place
from bayescore_numpyro.priors import Parameters
from bayescore_numpyro.rows import Rows, Values


def stated(form: Form, numbers: Numbers, batch_size: int | None = None) -> None:
    """The regression as it is stated: a sample site each, and ``y`` in a plate over the rows."""
    values: dict[str, jax.Array] = {}
    for variable in form.variables:
        prior = prior_of(variable, numbers.priors[variable.name], values)
        if variable.shift is not None:
            prior = priors.Moved(prior, variable.name, *variable.shift, numbers.means[variable.name], values)
        values[variable.name] = numpyro.sample(variable.name, prior)
    with numpyro.plate("data", numbers.rows.x.shape[0], subsample_size=batch_size) as chosen:
        rows = numbers.rows if batch_size is None else jax.tree.map(lambda leaf: leaf[chosen], numbers.rows)
        with handlers.scale(scale=1.0 if rows.weights is None else rows.weights):
            numpyro.sample("y", response(form, {**numbers.fixed, **values}, rows), obs=rows.y)


def prior_of(variable: Variable, numbers: Sequence[Parameters], values: Values) -> dist.Distribution:
    """The prior of a whole site, given those before it."""
    match variable.given:
        case GroupOffsets() as given:
            return hierarchy.offsets(given, variable.shape[0], values)
        case Correlations(k):
            return hierarchy.CorrelationVector(k, numbers[0]["concentration"], variable.shape)
        case Shrinkage() as given:
            return hierarchy.shrunken(given, values)
        case _:
            return priors.independent(variable.kinds, variable.support, variable.shape, numbers)


def response(form: Form, values: Values, rows: Rows) -> dist.Distribution:
    """Distribution of the response of each row, for one draw's values and the fixed parameters."""
    eta = predictors.whole(form.predictor(values, rows), values, rows)
    given = {name: values[name] for name in form.given}
    given |= {} if rows.trials is None else {"trials": rows.trials}
    made = entry_of(RESPONSES, (form.family, form.link), f"the family {form.family}(link={form.link})")
    return made(eta, **given)


def terms(form: Form, numbers: Numbers, values: Values, chosen: jax.Array | None = None) -> dict[str, jax.Array]:
    """Log density by site of the stated model at constrained values, and ``likelihood``.

    The likelihood is estimated from the rows chosen, where some are.
    """
    batch = {} if chosen is None else {"data": chosen}
    size = None if chosen is None else chosen.shape[0]
    by_site: dict[str, jax.Array] = compute_log_probs(stated, (form, numbers, size), {}, {**values, **batch})[0]
    by_site["likelihood"] = by_site.pop("y")
    return by_site


def constrained(place: Place, z: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
    """Each site's values at z, and log |d values / d z|."""
    values, log_det = constrain(place.slots, place.centre + place.matrix @ z, jnp, place.shares)
    return values, log_det + place.log_det


def potential(place: Place, z: jax.Array, chosen: jax.Array | None = None) -> jax.Array:
    """Minus the log density of z, in nats, or its estimate from some rows."""
    values, log_det = constrained(place, z)
    return -sum(terms(place.form, place.numbers, values, chosen).values(), log_det)
