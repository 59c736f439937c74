"""One's own torch modules, lifted: every parameter becomes a random variable with a prior.

>>> lifted = lift(net, "Normal(0, 10)")
>>> fit = fit_module(lifted, x, y, "Gaussian(sigma=0.1)", "svi", seed=0)
>>> fit.posterior.draws["linear.weight"].mean(axis=(0, 1))
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pyro.nn import PyroModule
from torch import Tensor, nn

from bayescore import methods
from bayescore.backend import Precision, Progress, no_progress
from bayescore.density.coordinates import Coordinates, for_density
from bayescore.density.guide import moments_by_draws
from bayescore.errors import RequestError
from bayescore.methods import Method
from bayescore.model import families, lifting
from bayescore.model.arrays import Array
from bayescore.model.families import Family
from bayescore.model.lifting import Prior
from bayescore.model.posterior import Posterior
from bayescore.model.sites import Independent
from bayescore.model.transforms import Slot
from bayescore_pyro.density import Density
from bayescore_pyro.found import Found
from bayescore_pyro.inference import FITTERS, infer
from bayescore_pyro.isolation import isolated
from bayescore_pyro.laplace import mode_and_precision
from bayescore_pyro.laws import Values, draw
from bayescore_pyro.lifting import with_priors
from bayescore_pyro.prediction import predict
from bayescore_pyro.rows import Rows, to_tensors
from bayescore_pyro.stated import Stated, with_offset

_ORIGIN = "_bayescore_origin"


@dataclass(frozen=True)
class Origin:
    """What a lifted module was made from: a copy of the module, and a site for each parameter."""

    module: nn.Module
    sites: tuple[Independent, ...]
    precision: Precision


def lift(module: nn.Module, prior: Prior | Mapping[str, Prior], *, precision: Precision = "float64") -> PyroModule:
    """Give every parameter of a module a prior; the module itself is left as it is.

    Parameters
    ----------
    module
        Takes (row, column) and returns (row, 1) or (row,): the linear predictor.
    prior
        One for all elements of all parameters, or one for each parameter by name.

    Returns
    -------
    PyroModule
        A copy, in evaluation mode, whose sites are named as the parameters:
        ``linear.weight``, ``linear.bias``. Called outside of an inference it samples
        them from the priors, as any `PyroModule` does.

    Raises
    ------
    RequestError
        A name is no parameter of the module, or a parameter has no prior or two names.
    """
    parameters = dict(module.named_parameters())
    aliases = [name for name, _ in module.named_parameters(remove_duplicate=False) if name not in parameters]
    if aliases:
        raise RequestError(f"{aliases[0]} is the same parameter as another one: shared parameters can't be lifted")
    if not parameters:
        raise RequestError("the module has no parameters: there is nothing to lift")
    sites = lifting.lift({name: tuple(parameter.shape) for name, parameter in parameters.items()}, prior)
    copied = copy.deepcopy(module).eval().to(getattr(torch, precision))
    with isolated(precision):
        lifted = with_priors(copied, sites)
    object.__setattr__(lifted, _ORIGIN, Origin(copied, sites, precision))
    return lifted


def _origin(lifted: nn.Module) -> Origin:
    origin = getattr(lifted, _ORIGIN, None)
    if not isinstance(origin, Origin):
        raise RequestError(f"this {type(lifted).__name__} is not lifted: make it so with lift(module, prior)")
    return origin


def sample_prior(lifted: nn.Module, seed: int) -> nn.Module:
    """Draw a regressor: the module that was lifted, its parameters drawn from their priors.

    Raises
    ------
    RequestError
        A prior is improper.
    """
    origin = _origin(lifted)
    rng = np.random.default_rng(seed)
    drawn = copy.deepcopy(origin.module)
    with torch.no_grad():
        for site, parameter in zip(origin.sites, drawn.parameters(), strict=True):
            parameter.copy_(torch.from_numpy(np.asarray(site.priors[0].sample(rng, site.shape))))
    return drawn


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
    _stated: Stated
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
        with isolated(self._precision, seed):
            return predict(self._stated, self.posterior.draws, to_tensors(data), kind)


def fit_module(
    lifted: nn.Module,
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
    origin, family, method = _origin(lifted), families.parse(family), methods.parse(method)
    if type(method) not in FITTERS:
        known = ", ".join(m.name for m in FITTERS)
        raise RequestError(f"a lifted module can't be fitted with {method.name} (methods: {known})")
    data = lifting.observations(x, y, family, offset=offset, trials=trials, weights=weights)
    priors = lifting.auxiliary_priors(family, auxiliary)
    own = tuple(Independent(name, (), (), "positive", (priors[name],)) for name in family.free)
    with isolated(origin.precision, seed):
        rows = to_tensors(data)
        with torch.no_grad():
            lifting.check_output(tuple(origin.module(rows.x).shape), data.rows)

        def predictor(rows: Rows) -> tuple[Tensor, Values]:
            return with_offset(lifted(rows.x).reshape(rows.count), rows), draw(own)

        stated = Stated(predictor, family, family.free)
        slots = _slots([*origin.sites, *own])
        parameters = {name: p.detach().double().numpy() for name, p in origin.module.named_parameters()}
        start = lifting.start(slots, parameters)
        target = Density(stated, rows, Coordinates(start, np.eye(start.size), slots))
        target = target.at(for_density(slots, start, method, lambda z: mode_and_precision(target.at(z))))
        outcome = infer(target, method, seed, progress)
        draws, stats = outcome.draw(seed)
    posterior = _labelled([*origin.sites, *own], draws, stats, target.coordinates, outcome, method)
    return ModuleFit(posterior, outcome.losses, stated, origin.precision)


def _labelled(
    sites: Sequence[Independent],
    draws: Mapping[str, Array],
    stats: Mapping[str, np.ndarray],
    coordinates: Coordinates,
    outcome: Found,
    method: Method,
) -> Posterior:
    """The draws with their labels, and a guide's moments with the errors of its iterates."""
    moments = None
    if outcome.iterates:
        names = tuple(name for site in sites for name in site.parameters)
        bounds = tuple(ends for site in sites for ends in site.bounds)

        def flat(values: Mapping[str, Array]) -> Array:
            return np.concatenate([np.reshape(values[site.name], (-1, site.size)) for site in sites], axis=1)

        moments = moments_by_draws(names, bounds, flat, coordinates, outcome.iterates, average=method.averaged)
    ordered = {site.name: draws[site.name] for site in sites}
    labels = {site.name: site.labels for site in sites if site.shape}
    return Posterior(ordered, labels, stats, moments, method.kinds[0])


def _slots(sites: Sequence[Independent]) -> tuple[Slot, ...]:
    """The unconstrained vector's layout, site after site."""
    slots, stop = [], 0
    for site in sites:
        start, stop = stop, stop + site.size
        slots.append(Slot(site.name, start, stop, site.shape, site.transform))
    return tuple(slots)
