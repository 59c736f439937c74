"""One's own torch modules, lifted: every parameter becomes a random variable with a prior.

>>> lifted = lift(net, "Normal(0, 10)")
>>> fit = fit_module(lifted, x, y, "Gaussian(sigma=0.1)", "svi", seed=0)
>>> fit.posterior.draws["linear.weight"].mean(axis=(0, 1))
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pyro.nn import PyroModule, PyroSample
from pyro.nn.module import to_pyro_module_
from torch import Tensor, nn

from bayescore import distributions, families, methods
from bayescore.backend import Precision, Progress, no_progress
from bayescore.coordinates import Coordinates, Slot
from bayescore.data import from_arrays
from bayescore.distributions import Array, Distribution
from bayescore.errors import RequestError, suggest
from bayescore.families import Family
from bayescore.methods import Method
from bayescore.posterior import Posterior
from bayescore_pyro.inference import FITTERS, infer
from bayescore_pyro.isolation import isolated
from bayescore_pyro.laplace import laplace_coordinates
from bayescore_pyro.prediction import predict
from bayescore_pyro.stated import Stated
from bayescore_pyro.target import Target
from bayescore_pyro.translation import prior as pyro_prior

Prior = Distribution | str
_ORIGIN = "_bayescore_origin"


@dataclass(frozen=True)
class Origin:
    """What a lifted module was made from: a copy of the module, and a prior for each parameter."""

    module: nn.Module
    priors: Mapping[str, Distribution]
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
    priors = _priors_by_name(prior, list(parameters))
    copied = copy.deepcopy(module).eval().to(getattr(torch, precision))
    lifted = copy.deepcopy(copied)
    to_pyro_module_(lifted)
    with isolated(precision):
        for name, parameter in parameters.items():
            owner, _, attribute = name.rpartition(".")
            site = PyroSample(pyro_prior(priors[name], parameter.shape))
            setattr(lifted.get_submodule(owner), attribute, site)
    object.__setattr__(lifted, _ORIGIN, Origin(copied, priors, precision))
    return lifted


def _priors_by_name(prior: Prior | Mapping[str, Prior], names: list[str]) -> dict[str, Distribution]:
    if not isinstance(prior, Mapping):
        return dict.fromkeys(names, distributions.parse(prior))
    known = ", ".join(names)
    for name in prior:
        if name not in names:
            raise RequestError(f"no parameter {name!r}{suggest(name, names)} (parameters: {known})")
    absent = [name for name in names if name not in prior]
    if absent:
        raise RequestError(f"no prior for {' and '.join(absent)} (parameters: {known})")
    return {name: distributions.parse(prior[name]) for name in names}


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
        for name, parameter in drawn.named_parameters():
            parameter.copy_(torch.from_numpy(np.asarray(origin.priors[name].sample(rng, tuple(parameter.shape)))))
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

    def predict(self, x: object, *, kind: Literal["mean", "response"] = "mean", seed: int) -> Array:
        """Posterior draws of the expected response, or of new responses: (chain, draw, row)."""
        rows = from_arrays(x).x
        with isolated(self._precision, seed):
            return predict(self._stated, self.posterior.draws, rows, kind)


def fit_module(
    lifted: nn.Module,
    x: object,
    y: object,
    family: Family | str,
    method: Method | str,
    *,
    auxiliary: Mapping[str, Prior] | None = None,
    seed: int,
    progress: Progress = no_progress,
) -> ModuleFit:
    """Fit a lifted module with SVI, NUTS or MAP.

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

    Raises
    ------
    RequestError
        A method, prior or shape doesn't fit.
    """
    origin, family, method = _origin(lifted), families.parse(family), methods.parse(method)
    if type(method) not in FITTERS:
        known = ", ".join(m.name for m in FITTERS)
        raise RequestError(f"a lifted module can't be fitted with {method.name} (methods: {known})")
    data = from_arrays(x, y)
    family.check_response(data.observed, data.response)
    extra = {name: distributions.parse(prior) for name, prior in (auxiliary or {}).items()}
    if set(extra) != set(family.free) or any(p.proper and p.support != "positive" for p in extra.values()):
        raise RequestError(f"{family} needs positive priors for {list(family.free)}, not {auxiliary or {}}")
    with isolated(origin.precision, seed):
        stated = _state(lifted, origin, family, extra)
        x_rows, observed = (torch.tensor(v, dtype=torch.get_default_dtype()) for v in (data.x, data.observed))
        _check_output(origin.module, x_rows)
        start = _start(stated, origin.module)
        target = Target(stated, x_rows, observed, Coordinates(start, np.eye(start.size), stated.slots))
        target = target.at(laplace_coordinates(target, start, method))
        outcome = infer(target, method, seed, progress)
        z, stats = outcome.draw(seed)
    draws = outcome.coordinates.constrained(z)
    posterior = Posterior(draws, sample_stats=stats, estimand=method.estimand)
    return ModuleFit(posterior, outcome.losses, stated, origin.precision)


def _state(lifted: nn.Module, origin: Origin, family: Family, auxiliary: Mapping[str, Distribution]) -> Stated:
    """Write the lifted module as a stated model: parameters first, then the auxiliary ones."""

    def predictor(x: Tensor) -> Tensor:
        return lifted(x).reshape(x.shape[0])  # type: ignore[no-any-return]

    slots, stop = [], 0
    for name, parameter in origin.module.named_parameters():
        start, stop = stop, stop + parameter.numel()
        slots.append(Slot(name, start, stop, tuple(parameter.shape), origin.priors[name].support))
    for name in auxiliary:
        slots.append(Slot(name, stop, stop + 1, (), "positive"))
        stop += 1
    extra = {name: pyro_prior(term, ()) for name, term in auxiliary.items()}
    return Stated(predictor, family, extra, tuple(slots))


def _start(stated: Stated, module: nn.Module) -> Array:
    """The unconstrained vector of the module's own parameters; positive sites start at 1."""
    parameters = dict(module.named_parameters())
    start = np.zeros(stated.slots[-1].stop)
    for slot in stated.slots:
        if slot.support == "real":
            start[slot.start : slot.stop] = parameters[slot.site].detach().double().numpy().ravel()
    return start


def _check_output(module: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        shape = tuple(module(x).shape)
    rows = x.shape[0]
    if shape not in ((rows,), (rows, 1)):
        raise RequestError(f"the module must return shape ({rows}, 1) or ({rows},) for {rows} rows, not {shape}")
