"""A stranger that takes programs alone: functions in plain NumPy, whose draws are the program's own affair.

A program calls ``site(name, law, obs=None)`` for what it samples or observes, and ``site(name, value=...)``.
What it has as ``model.posterior(rng, shape, **data)`` are its draws.
"""

import math
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from bayescore.backend import Backend, BackendInfo, LogDensity, hookimpl
from bayescore.errors import UnsupportedError
from bayescore.model.posterior import Posterior
from bayescore.program import Program, ProgramBackend, ProgramFit, ProgramSite

_HALF_LOG = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Law:
    name: str
    parameters: dict
    support: str
    ends: tuple
    log: object
    rvs: object


def normal(loc, scale):
    loc, scale = np.broadcast_arrays(np.asarray(loc, float), np.asarray(scale, float))
    return Law(
        "Normal", {"loc": loc, "scale": scale}, "real", (-math.inf, math.inf),
        lambda x: np.where(scale > 0, -0.5 * ((x - loc) / scale) ** 2 - np.log(np.abs(scale)) - _HALF_LOG, -np.inf),
        lambda rng: rng.normal(loc, np.abs(scale)),
    )  # fmt: skip


def gamma(concentration, rate):
    a, b = np.broadcast_arrays(np.asarray(concentration, float), np.asarray(rate, float))
    log_gamma = np.vectorize(math.lgamma)

    def log(x):
        with np.errstate(all="ignore"):
            inside = a * np.log(b) - log_gamma(a) + (a - 1) * np.log(x) - b * x
        return np.where(x > 0, inside, -np.inf)

    return Law(
        "Gamma", {"concentration": a, "rate": b}, "positive", (0.0, math.inf), log, lambda rng: rng.gamma(a, 1 / b)
    )


def uniform(low, high):
    return Law(
        "Uniform", {"low": np.asarray(low, float), "high": np.asarray(high, float)}, "interval", (low, high),
        lambda x: np.where((x >= low) & (x <= high), -np.log(high - low), -np.inf),
        lambda rng: rng.uniform(low, high),
    )  # fmt: skip


def half_normal(scale):
    scale = np.asarray(scale, float)
    whole = normal(0.0, scale)
    return Law(
        "HalfNormal", {"scale": scale}, "positive", (0.0, math.inf),
        lambda x: np.where(x >= 0, whole.log(x) + np.log(2.0), -np.inf), lambda rng: np.abs(whole.rvs(rng)),
    )  # fmt: skip


_HANDLER = ContextVar("handler")


def site(name, law=None, obs=None, value=None):
    return _HANDLER.get()(name, law, obs, value)


class Plain(Program):
    def __init__(self, function, data):
        self.function, self.data = function, data

    def _run(self, values, seed):
        rng, sites, terms = np.random.default_rng(seed), [], {}

        def handle(name, law=None, obs=None, value=None):
            if law is None:
                sites.append(ProgramSite(name, "deterministic", np.asarray(value, float)))
                return value
            if obs is not None:
                found = np.asarray(obs, float)
            else:
                found = np.asarray(values[name] if values and name in values else law.rvs(rng), float)
            role = "latent" if obs is None else "observed"
            sites.append(ProgramSite(name, role, found, law.name, law.parameters, 0, law.support, law.ends))
            terms[name] = np.asarray(law.log(found), float)
            return found

        token = _HANDLER.set(handle)
        try:
            self.function(**self.data)
        finally:
            _HANDLER.reset(token)
        return tuple(sites), terms

    def sites(self, values=None, *, seed=0):
        return self._run(values, seed)[0]

    def log_density(self, values):
        _, rows = self._run(values, 0)
        by_site = {name: float(term.sum()) for name, term in rows.items()}
        return LogDensity(sum(by_site.values()), by_site, by_row=rows)

    def fit(self, method, *, seed, progress=lambda *given, **named: None):
        if not hasattr(self.function, "posterior"):
            raise UnsupportedError("it has no draws of its own")
        draws = self.function.posterior(np.random.default_rng(seed), method.shape, **self.data)
        return ProgramFit(method, draws, notes=("its draws are its own",))

    def sample_posterior(self, fit, *, seed):
        draws = {name: np.asarray(value, float) for name, value in fit.native.items()}
        chains, count = fit.method.shape
        points = [[{n: v[c, d] for n, v in draws.items()} for d in range(count)] for c in range(chains)]
        joint = np.array([[self.log_density(point).total for point in chain] for chain in points])
        computed = [s.name for s in self.sites() if s.role == "deterministic"]
        for name in computed:
            draws[name] = np.array(
                [[next(s.value for s in self.sites(p) if s.name == name) for p in chain] for chain in points]
            )
        diverging = np.zeros(joint.shape, dtype=bool)
        return Posterior(draws, sample_stats={"log_joint": joint, "diverging": diverging}, kind="chains")


class PlainBackend(Backend, ProgramBackend):
    def build_data(self, regression, data):
        raise NotImplementedError

    def fit(self, *given, **named):
        raise NotImplementedError

    def sample_posterior(self, fit, *, seed):
        raise NotImplementedError

    def program(self, function, data, *, guide=None):
        return Plain(function, data)


@hookimpl
def bayescore_backends():
    supports = {"feature:programs", "program:nuts", "precision:float64", "method:nuts"}
    yield BackendInfo("plain", lambda precision: PlainBackend(), supports, default_method="nuts")
