"""One's own equinox or flax nnx modules, lifted: every parameter becomes a random variable with a prior.

>>> lifted = lift(net, "Normal(0, 10)")
>>> fit = fit_module(lifted, x, y, "Gaussian(sigma=0.1)", "svi", seed=0)
>>> fit.posterior.draws["linear.weight"].mean(axis=(0, 1))
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import numpyro

from bayescore import methods
from bayescore.backend import Precision, Progress, no_progress
from bayescore.density.coordinates import for_density
from bayescore.errors import RequestError
from bayescore.methods import Method
from bayescore.model import families, lifting
from bayescore.model.arrays import Array
from bayescore.model.families import Family
from bayescore.model.lifting import Prior
from bayescore.model.network import Network
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.model.sites import Independent
from bayescore_numpyro.backend import METHODS
from bayescore_numpyro.form import Form, form_of, numbers_of, prior_numbers, variable_of
from bayescore_numpyro.laplace import mode
from bayescore_numpyro.libraries import Opened, take_apart
from bayescore_numpyro.model import prior_of
from bayescore_numpyro.native import Density, place
from bayescore_numpyro.precision import precision_of
from bayescore_numpyro.predict import predict
from bayescore_numpyro.rows import Rows, Values, rows_of

FITTED = ("svi", "nuts", "map", "laplace")


@dataclass(frozen=True, eq=False)
class Lifted:
    """A module whose parameters have priors.

    Called inside of a NumPyro model it samples them, a site each, and returns the output
    for rows (row, column).

    Attributes
    ----------
    opened
        The module, taken apart.
    sites
        One a parameter, named as it is.
    """

    opened: Opened
    sites: tuple[Independent, ...]
    precision: Precision

    def __call__(self, x: jax.Array) -> jax.Array:
        values = {}
        for site in self.sites:
            values[site.name] = numpyro.sample(site.name, prior_of(variable_of(site), prior_numbers(site), {}))
        return self.output(values, x)

    def output(self, values: Values, x: jax.Array) -> jax.Array:
        """What the module with these parameters makes of the rows."""
        return self.opened.call(self.opened.build([values[site.name] for site in self.sites]), x)

    def predictor(self, values: Values, rows: Rows) -> jax.Array:
        """The same as a linear predictor, shape (row,)."""
        return jnp.reshape(self.output(values, rows.x), rows.x.shape[:1])


@dataclass(frozen=True)
class ModuleFit:
    """A lifted module after its fit.

    Attributes
    ----------
    posterior
        Draws by the parameters' names, (chain, draw, *parameter's shape), and of the
        family's auxiliary parameters, (chain, draw).
    losses
        The negative ELBO at each step, in nats, shape (step,), or None.
    """

    posterior: Posterior
    losses: Array | None
    _regression: Regression
    _form: Form
    _precision: Precision

    def predict(
        self,
        x: object,
        *,
        offset: object = None,
        trials: object = None,
        kind: Literal["mean", "response"] = "mean",
        seed: int,
    ) -> Array:
        """Posterior draws of the expected response, or of new responses: (chain, draw, row)."""
        data = lifting.rows(x, offset=offset, trials=trials)
        with precision_of(self._precision):
            rows = rows_of(data, self._regression)
            return predict(self._form, self._regression.family.fixed, self.posterior.draws, rows, kind, seed)


@dataclass(frozen=True)
class _Parameters(Network):
    """A module's parameters in a network's place: what only JAX can evaluate has no layers."""

    own: tuple[Independent, ...] = ()

    def sites(self, columns: tuple[str, ...], means: tuple[float, ...] | None = None) -> list[Independent]:
        return [*self.own]


def lift(module: Any, prior: Prior | Mapping[str, Prior], *, precision: Precision = "float64") -> Lifted:
    """Give every parameter of a module a prior; the module itself is left as it is.

    Parameters
    ----------
    module
        An equinox module, which takes (column,) and returns (1,) or (), or a flax nnx
        module, which takes (row, column) and returns (row, 1) or (row,): the linear
        predictor.
    prior
        One for all elements of all parameters, or one for each parameter by name.

    Raises
    ------
    RequestError
        A name is no parameter of the module, or a parameter has no prior or two names.
    """
    opened = take_apart(module)
    sites = lifting.lift({name: value.shape for name, value in opened.parameters.items()}, prior)
    return Lifted(opened, sites, precision)


def _checked(lifted: Any) -> Lifted:
    if not isinstance(lifted, Lifted):
        raise RequestError(f"this {type(lifted).__name__} is not lifted: make it so with lift(module, prior)")
    return lifted


def sample_prior(lifted: Lifted, seed: int) -> Any:
    """Draw a regressor: the module that was lifted, its parameters drawn from their priors.

    Raises
    ------
    RequestError
        A prior is improper.
    """
    opened, rng = _checked(lifted).opened, np.random.default_rng(seed)
    drawn = [
        jnp.asarray(site.priors[0].sample(rng, site.shape), dtype=own.dtype)
        for site, own in zip(lifted.sites, opened.parameters.values(), strict=True)
    ]
    return opened.build(drawn)


def fit_module(
    lifted: Lifted,
    x: object,
    y: object,
    family: Family | str,
    method: Method | str,
    *,
    auxiliary: Mapping[str, Prior] | None = None,
    offset: object = None,
    trials: object = None,
    weights: object = None,
    seed: int,
    progress: Progress = no_progress,
) -> ModuleFit:
    """Fit a lifted module with SVI, NUTS, MAP or Laplace.

    It is fitted in the module's own parameters, from the mode nearest to their values:
    ``standardize`` has no meaning here.

    Parameters
    ----------
    lifted
        From `lift`.
    x, y
        Arrays of shape (row, column) or (row,), and (row,).
    auxiliary
        A prior for each of the family's free auxiliary parameters, such as ``sigma``.
    offset, trials, weights
        Arrays of shape (row,), as `bayescore.Data` has them, or None.

    Raises
    ------
    RequestError, DataError
        A method, prior, shape or response doesn't fit.
    """
    lifted, family, method = _checked(lifted), families.parse(family), methods.parse(method)
    if method.name not in FITTED:
        known = ", ".join(FITTED)
        raise RequestError(f"a lifted module can't be fitted with {method.name} (methods: {known})")
    data = lifting.observations(x, y, family, offset=offset, trials=trials, weights=weights)
    priors = lifting.auxiliary_priors(family, auxiliary)
    regression = Regression(family, data.columns, None, (), priors, network=_Parameters((), {}, lifted.sites))
    with precision_of(lifted.precision):
        numbers = numbers_of(regression, data)
        _check_output(lifted, numbers.rows.x)
        form = replace(form_of(regression), predictor=lifted.predictor)
        slots = regression.slots()
        start = lifting.start(slots, {name: np.asarray(own) for name, own in lifted.opened.parameters.items()})
        coordinates = for_density(slots, start, method, lambda z: mode(place(form, numbers, z)))
        target = Density(regression, coordinates, place(form, numbers, coordinates))
        fit = METHODS[method.name].fit(target, method, seed, progress)
        posterior = METHODS[method.name].draw(fit, seed)
    return ModuleFit(posterior, fit.losses, regression, form, lifted.precision)


def _check_output(lifted: Lifted, x: jax.Array) -> None:
    values = {site.name: jnp.zeros(site.shape) for site in lifted.sites}
    lifting.check_output(jax.eval_shape(lifted.output, values, x).shape, x.shape[0])
