"""Planted faults, each a real one of the trade: of a density, of draws, of a fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit

from bayescore.agreement.model_check import Point
from bayescore.backend import LogDensity
from bayescore.density import specification
from bayescore.model import response
from bayescore.model.arrays import Array
from bayescore.model.data import Data, from_arrays
from bayescore.model.distributions import Distribution, Exponential, Gamma, InverseGamma, Normal
from bayescore.model.families import Bernoulli, Gaussian
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression

Densities = Callable[[Regression, Data, Point], LogDensity]


@dataclass(frozen=True)
class DensityFault:
    """A backend's wrong log density, to be caught by the model check.

    Attributes
    ----------
    family
        The regression it is planted in: ``gaussian`` (sigma with a Gamma(2, 3) prior) or
        ``bernoulli``.
    wrong
        The density that the faulty backend has.
    site
        The term that the check has to name.
    """

    name: str
    family: str
    wrong: Densities
    site: str


def honest(family: str, seed: int) -> tuple[Regression, Data]:
    """A regression with two columns and 100 rows of data, new ones for each seed."""
    rng = np.random.default_rng([seed, 11])
    x = rng.normal(size=(100, 2))
    eta = 1.0 + x @ [1.0, -0.5]
    prior = Normal(0.0, 10.0)
    if family == "gaussian":
        data = from_arrays(x, eta + rng.normal(0.0, 0.5, 100))
        return Regression(Gaussian(), data.columns, prior, (prior, prior), {"sigma": Gamma(2.0, 3.0)}), data
    data = from_arrays(x, (rng.random(100) < 1 / (1 + np.exp(-eta))).astype(float))
    return Regression(Bernoulli(), data.columns, prior, (prior, prior)), data


def _priors(**changed: Distribution) -> Densities:
    def wrong(regression: Regression, data: Data, point: Point) -> LogDensity:
        beta = (changed["beta"],) * len(regression.beta) if "beta" in changed else regression.beta
        auxiliary = {"sigma": changed["sigma"]} if "sigma" in changed else regression.auxiliary
        return specification.log_density(replace(regression, beta=beta, auxiliary=auxiliary), data, point)

    return wrong


def _terms(**factors: float) -> Densities:
    def wrong(regression: Regression, data: Data, point: Point) -> LogDensity:
        right = specification.terms(regression, data, point)
        terms = {name: factors.get(name, 1.0) * term for name, term in right.items()}
        return LogDensity(sum(terms.values()), terms)

    return wrong


def _data(change: Callable[[Data], Data]) -> Densities:
    return lambda regression, data, point: specification.log_density(regression, change(data), point)


def _point(change: Callable[[Point], Point]) -> Densities:
    """The likelihood at other values than the priors."""

    def wrong(regression: Regression, data: Data, point: Point) -> LogDensity:
        right = specification.terms(regression, data, point)
        moved = specification.terms(regression, data, change(point))
        terms = {**right, "likelihood": moved["likelihood"]}
        return LogDensity(sum(terms.values()), terms)

    return wrong


def _sigma(change: Callable[[Array], Array]) -> Densities:
    return _point(lambda point: {**point, "sigma": change(np.asarray(point["sigma"]))})


def _probit(regression: Regression, data: Data, point: Point) -> LogDensity:
    from scipy.special import log_ndtr

    right = specification.terms(regression, data, point)
    eta = response.linear_predictor(regression, data, point)
    terms = {**right, "likelihood": float(np.sum(log_ndtr((2 * data.observed - 1) * eta)))}
    return LogDensity(sum(terms.values()), terms)


def _permuted(data: Data) -> Data:
    return replace(data, x=np.column_stack([np.roll(data.x[:, 0], 1), data.x[:, 1:]]))


DENSITY_FAULTS = (
    DensityFault("prior sd 1 for 10", "gaussian", _priors(beta=Normal(0.0, 1.0)), "beta"),
    DensityFault("prior sd 100 for 10", "gaussian", _priors(beta=Normal(0.0, 100.0)), "beta"),
    DensityFault("prior precision for sd", "gaussian", _priors(beta=Normal(0.0, 10.0**-0.5)), "beta"),
    DensityFault("sigma squared", "gaussian", _sigma(np.square), "likelihood"),
    DensityFault("root of sigma", "gaussian", _sigma(np.sqrt), "likelihood"),
    DensityFault("precision for sigma", "gaussian", _sigma(lambda s: s**-0.5), "likelihood"),
    DensityFault("Gamma's rate for its scale", "gaussian", _priors(sigma=Gamma(2.0, 1 / 3)), "sigma"),
    DensityFault("InverseGamma for Gamma", "gaussian", _priors(sigma=InverseGamma(2.0, 3.0)), "sigma"),
    DensityFault("Exponential for Gamma", "gaussian", _priors(sigma=Exponential(3.0)), "sigma"),
    DensityFault("intercept without its prior", "gaussian", _terms(intercept=0.0), "intercept"),
    DensityFault("intercept dropped", "gaussian", _point(lambda p: {**p, "intercept": np.zeros(())}), "likelihood"),
    DensityFault("probit for logit", "bernoulli", _probit, "likelihood"),
    DensityFault("a row dropped", "gaussian", _data(lambda d: d.take(slice(1, None))), "likelihood"),
    DensityFault("ten rows dropped", "bernoulli", _data(lambda d: d.take(slice(10, None))), "likelihood"),
    DensityFault("a column permuted", "gaussian", _data(_permuted), "likelihood"),
    DensityFault("likelihood counted twice", "gaussian", _terms(likelihood=2.0), "likelihood"),
    DensityFault("minibatch of a fifth not rescaled", "bernoulli", _data(lambda d: d.take(slice(20))), "likelihood"),
)


@dataclass(frozen=True)
class DrawFault:
    """Draws that are not what they should be.

    Attributes
    ----------
    effect
        In words, with its size in posterior sds.
    spoil
        Takes the posterior, whose first parameters are known by name, and a generator.
    caught_by
        ``posterior`` or ``health``; ``none`` where there is nothing to catch, ``limit`` where
        it is too little.
    reason
        The code that the verdict has to give.
    """

    name: str
    effect: str
    spoil: Callable[[Posterior, np.random.Generator], Posterior]
    caught_by: str
    reason: str


def _flat(change: Callable[[dict[str, Array], np.random.Generator], Mapping[str, Array]]):  # type: ignore[no-untyped-def]
    """Apply a change to the scalar parameters, and put the sites together again."""

    def spoil(posterior: Posterior, rng: np.random.Generator) -> Posterior:
        flat = dict(change(dict(posterior.parameters()), rng))
        draws = {}
        for site, values in posterior.draws.items():
            if values.ndim == 2:
                draws[site] = flat[site]
            else:
                draws[site] = np.stack([flat[f"{site}[{name}]"] for name in posterior.labels[site]], axis=-1)
        return replace(posterior, draws=draws)

    return spoil


def _second(flat: Mapping[str, Array]) -> str:
    """The parameter that is spoilt: the first slope."""
    return list(flat)[1]


def _shift(size: float):  # type: ignore[no-untyped-def]
    def change(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
        name = _second(flat)
        return {**flat, name: flat[name] + size * flat[name].std()}

    return _flat(change)


def _shift_quartiles(size: float):  # type: ignore[no-untyped-def]
    def change(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
        name = _second(flat)
        low, high = np.quantile(flat[name], [0.25, 0.75])
        return {**flat, name: flat[name] + size * (high - low)}

    return _flat(change)


def _stretch(factor: float):  # type: ignore[no-untyped-def]
    def change(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
        name = _second(flat)
        centre = flat[name].mean()
        return {**flat, name: centre + factor * (flat[name] - centre)}

    return _flat(change)


def _uncorrelate(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
    name = _second(flat)
    return {**flat, name: np.roll(flat[name], flat[name].shape[1] // 2, axis=1)}


def _freeze(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
    frozen = {}
    for name, values in flat.items():
        frozen[name] = values.copy()
        frozen[name][0] = values[0, 0]
    return frozen


def _burn_in(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
    kept = {}
    for name, values in flat.items():
        share = values.shape[1] // 10
        decay = 10.0 * values.std() * np.exp(-np.arange(share) / (share / 4))
        kept[name] = values.copy()
        kept[name][:, :share] += decay if values.min() > 0 else decay * rng.choice([-1.0, 1.0])
    return kept


def _resample(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
    chains, draws = next(iter(flat.values())).shape
    chosen = rng.integers(chains * draws, size=(chains, draws))
    return {name: values.reshape(-1)[chosen] for name, values in flat.items()}


def _reshape(quantile: Callable[[Array], Array]):  # type: ignore[no-untyped-def]
    """Another shape for what of the slope the other parameters don't tell; mean, sd and correlations stay."""

    def change(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
        name, told, rest = _parts(flat)
        ranks = (np.argsort(np.argsort(rest, axis=None)) + 0.5) / rest.size
        drawn = quantile(ranks).reshape(rest.shape)
        return {**flat, name: told + rest.std() * (drawn - drawn.mean()) / drawn.std()}

    return _flat(change)


def _equal_sizes(flat: dict[str, Array], rng: np.random.Generator) -> Mapping[str, Array]:
    """The same part of the slope as far from 0 as the first parameter, its signs kept."""
    name, told, rest = _parts(flat)
    first = next(iter(flat.values()))
    return {**flat, name: told + np.sign(rest) * np.abs(first - first.mean()) * rest.std() / first.std()}


def _parts(flat: Mapping[str, Array]) -> tuple[str, Array, Array]:
    """The slope's name, what a linear regression on the other parameters tells of its draws, and the rest."""
    name = _second(flat)
    others = np.column_stack([np.ones(flat[name].size), *(v.ravel() for other, v in flat.items() if other != name)])
    told = (others @ np.linalg.lstsq(others, flat[name].ravel())[0]).reshape(flat[name].shape)
    return name, told, flat[name] - told


def _bimodal(u: Array) -> Array:
    """Quantiles of two normals at -0.9 and 0.9 with sd 0.44, by interpolation."""
    x = np.linspace(-4.0, 4.0, 4001)
    return np.interp(u, (ndtr((x - 0.9) / np.sqrt(0.19)) + ndtr((x + 0.9) / np.sqrt(0.19))) / 2, x)


DRAW_FAULTS = (
    DrawFault("none", "identical", lambda posterior, rng: posterior, "none", ""),
    DrawFault("slope moved by 0.1 sd", "0.1 sd, and more jointly", _shift(0.1), "posterior", "different-posterior"),
    DrawFault("slope moved by 0.2 sd", "0.2 sd, and more jointly", _shift(0.2), "posterior", "different-posterior"),
    DrawFault(
        "slope moved by 0.3 iqr", "0.4 sd of a normal", _shift_quartiles(0.3), "posterior", "different-posterior"
    ),
    DrawFault("sd times 0.9", "log ratio 0.105", _stretch(0.9), "posterior", "at-margin"),
    DrawFault("sd times 0.8", "log ratio 0.22", _stretch(0.8), "posterior", "different-posterior"),
    DrawFault("correlation lost", "marginals right", _flat(_uncorrelate), "posterior", "different-posterior"),
    DrawFault("slope skewed", "an exponential's shape", _reshape(lambda u: -np.log1p(-u)), "posterior", "other-shape"),
    DrawFault("slope bimodal", "modes 4 sds of either apart", _reshape(_bimodal), "posterior", "other-shape"),
    DrawFault("slope uniform", "0.18 sd, the margin 0.15", _reshape(lambda u: u), "posterior", "other-shape"),
    DrawFault("sizes equal", "marginals right", _flat(_equal_sizes), "posterior", "other-shape"),
    DrawFault(
        "slope of Student's t",
        "5 df: 0.12 sd, the margin 0.15",
        _reshape(lambda u: stdtrit(5, u)),
        "limit",
        "at-margin",
    ),
    DrawFault("one chain of four frozen", "at its first draw", _flat(_freeze), "health", "unconverged"),
    DrawFault("burn-in kept", "a tenth of each chain, from 10 sd away", _flat(_burn_in), "health", "unconverged"),
    DrawFault("draws resampled with replacement", "order lost", _flat(_resample), "health", "resampled"),
)
