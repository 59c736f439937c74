"""The contract, enforced: every call to a backend goes through `Checked`.

It refuses what the backend does not declare, validates what comes out (names,
shapes, finiteness), and times each phase. An offence names the plugin, what was
expected and what came.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Literal

import numpy as np

from bayescore import limits, methods
from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, NativeData, Precision, Progress, no_progress
from bayescore.data import Data
from bayescore.distributions import Array, Horseshoe, InverseGamma, LogNormal
from bayescore.errors import BackendContractError, RequestError, UnsupportedError, check_is
from bayescore.groups import GroupTerm
from bayescore.methods import Method
from bayescore.new_levels import with_new_levels
from bayescore.posterior import Moments, Posterior
from bayescore.printable import shown
from bayescore.predictive_check import (
    DRAWS,
    RESPONSE_ROWS,
    Law,
    Offence,
    flat,
    mean_offence,
    response_offence,
    spread,
    usable,
)
from bayescore.regression import Regression
from bayescore.sites import Site
from bayescore.transforms import POSITIVE


def refusal(
    info: BackendInfo,
    regression: Regression,
    method: Method,
    data: Data | None = None,
    precision: Precision = "float64",
) -> str | None:
    """Why a backend can't fit a regression with a method, or None if it can."""
    wanted = regression.requirements | method.requirements | {f"precision:{precision}"}
    if data is not None:
        wanted |= data.requirements
    return _impossible(regression, method) or info.refusal(wanted) or info.limit(regression, method)


def _impossible(regression: Regression, method: Method) -> str | None:
    """Why no backend can do it, in the end."""
    horseshoe = any(isinstance(prior, Horseshoe) for prior in regression.beta)
    if method.estimand == "mle":
        if regression.groups:
            return "group effects have no maximum of the likelihood; use svi or nuts"
        if regression.network:
            return "network weights have no maximum of the likelihood; use map, svi or nuts"
        if horseshoe:
            return "a horseshoe is all prior, which mle leaves out; use svi or nuts"
    if method.estimand == "map" and (horseshoe or any(_unbounded(term) for term in regression.groups)):
        what = "coefficients under a horseshoe" if horseshoe else "group effects"
        return f"the density of {what} has no maximum, it grows without bound as they vanish; use svi or nuts"
    return None


def _unbounded(term: GroupTerm) -> bool:
    """Whether the density grows as all offsets and their sd go to 0, or as correlations go to 1."""
    away = (isinstance(prior, InverseGamma | LogNormal) or float(prior.bounds[0]) > 0 for prior in term.sds)
    return term.correlation is not None or not all(away)


_SEEDS = 2**32
"""What every library takes as a seed lies under it."""


class Checked(Backend):
    """A backend whose calls are checked and timed.

    Attributes
    ----------
    seconds
        Wall time of the last call of each phase.
    """

    def __init__(self, backend: Backend, info: BackendInfo, precision: Precision = "float64") -> None:
        self.backend = backend
        self.info = info
        self.precision: Precision = precision
        self.seconds: dict[str, float] = {}

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start

    def build_data(self, regression: Regression, data: Data) -> NativeData:
        _check_regression(regression)
        _check_rows(data, "build_data")
        _raise(self.info.refusal(regression.requirements | data.requirements))
        if data.columns != regression.columns:
            raise RequestError(f"the data's columns {data.columns} are not the regression's {regression.columns}")
        data.check()
        with self._phase("build_data"):
            return self.backend.build_data(regression, data)

    def fit(
        self,
        regression: Regression,
        data: NativeData,
        method: Method | str,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        _check_regression(regression)
        method = methods.parse(method)
        _raise(refusal(self.info, regression, method))
        _check_seed(seed)
        limits.check_fit(regression, method, 1)
        method = method.settled(network=regression.network is not None)
        with self._phase("fit"):
            fit = self.backend.fit(regression, data, method, seed=seed, progress=progress)
        self._expect(isinstance(fit, Fit), "fit", "a bayescore.backend.Fit", type(fit).__name__)
        if fit.losses is not None:
            self._check_series("losses", fit.losses)
        known = not fit.iterates or {"loc", "log_scale"} <= set(fit.iterates)
        self._expect(known, "fit: iterates", "loc and log_scale among them", list(fit.iterates))
        for name, values in fit.iterates.items():
            self._check_series(f"iterates: {name}", values)
        for part, seconds in fit.seconds.items():
            self.seconds[part] = seconds
        return fit

    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        _check_seed(seed)
        check_is(fit, Fit, "sample_posterior takes what fit returned")
        with self._phase("sample_posterior"):
            posterior = self.backend.sample_posterior(fit, seed=seed)
        self._check_posterior(fit.regression, fit.method, posterior)
        return posterior

    def predict(
        self,
        fit: Fit,
        posterior: Posterior,
        new_data: Data,
        *,
        kind: Literal["mean", "response"] = "mean",
        seed: int,
    ) -> Array:
        _check_seed(seed)
        if not isinstance(kind, str) or kind not in {"mean", "response"}:
            raise RequestError(f"predict: kind is 'mean' or 'response', not {shown(kind)}")
        check_is(fit, Fit, "predict takes what fit returned")
        check_is(posterior, Posterior, "predict takes what sample_posterior returned")
        _check_rows(new_data, "predict")
        if new_data.columns != fit.regression.columns:
            raise RequestError(
                f"the new data's columns {new_data.columns} are not the regression's {fit.regression.columns}"
            )
        posterior, new_data = with_new_levels(fit.regression, posterior, new_data, seed)
        with self._phase("predict"):
            drawn = self.backend.predict(fit, posterior, new_data, kind=kind, seed=seed)
        categories = (len(fit.regression.categories),) if fit.regression.categories and kind == "mean" else ()
        self._check_array("predict", kind, drawn, (*posterior.shape, new_data.rows, *categories))
        found = np.asarray(drawn, dtype=np.float64)
        if kind == "mean":
            self._refuse("predict: mean", mean_offence(fit.regression, posterior, new_data, found, self.precision))
        return found

    def check_responses(self, fit: Fit, posterior: Posterior, new_data: Data, *, seed: int) -> None:
        """Hold new responses against the law of each draw (`bayescore.predictive_check`).

        Raises
        ------
        BackendContractError
            They are of another law, or the seed doesn't decide them.
        """
        posterior, new_data = with_new_levels(fit.regression, posterior, new_data, seed)
        rows = new_data.take(spread(new_data.rows, RESPONSE_ROWS))
        at = np.arange(DRAWS) * int(np.prod(posterior.shape)) // DRAWS  # fewer come again: a law is given each draw
        values = {name: v[at] for name, v in flat(posterior).items()}
        rows = rows.take(usable(Law.of(fit.regression, rows, values)))
        if rows.rows == 0:
            return
        some = replace(posterior, draws={name: v[None] for name, v in values.items()}, sample_stats={})
        drawn = [self.predict(fit, some, rows, kind="response", seed=s) for s in (seed, seed, seed + 1)]
        self._refuse("predict: response", response_offence(fit.regression, some, rows, *drawn))

    def log_density(self, regression: Regression, data: NativeData, values: Mapping[str, Array]) -> LogDensity:
        _raise(self.info.refusal({"feature:log_density"}))
        with self._phase("log_density"):
            density = self.backend.log_density(regression, data, values)
        wanted = sorted([site.name for site in regression.sites] + ["likelihood"])
        self._expect(sorted(density.by_site) == wanted, "log_density", f"terms {wanted}", sorted(density.by_site))
        return density

    def _check_posterior(self, regression: Regression, method: Method, posterior: Posterior) -> None:
        verb = "sample_posterior"
        self._expect(isinstance(posterior, Posterior), verb, "a Posterior", type(posterior).__name__)
        kinds = " or ".join(f"kind={kind!r}" for kind in method.kinds)
        self._expect(posterior.kind in method.kinds, verb, f"{kinds} of {method.name}", f"kind={posterior.kind!r}")
        wanted = [site.name for site in regression.sites]
        self._expect(sorted(posterior.draws) == sorted(wanted), verb, f"sites {wanted}", list(posterior.draws))
        for site in regression.sites:
            values = posterior.draws[site.name]
            self._check_array(verb, site.name, values, (*np.shape(values)[:2], *site.shape))
            self._expect(
                np.shape(values)[:2] == posterior.shape and min(posterior.shape) > 0,
                f"{verb}: {site.name}",
                f"(chain, draw) = {posterior.shape}, both positive",
                np.shape(values)[:2],
            )
            if site.shape:
                labels = posterior.labels.get(site.name)
                self._expect(labels == site.labels, f"{verb}: labels of {site.name}", site.labels, labels)
            self._check_bounds(site, values)
        for name, values in posterior.sample_stats.items():
            self._expect(
                np.shape(values) == posterior.shape, f"{verb}: {name}", f"shape {posterior.shape}", np.shape(values)
            )
        if posterior.moments is not None:
            self._check_moments(regression, posterior.moments)

    def _check_bounds(self, site: Site, values: Array) -> None:
        lows, highs = np.array(site.bounds).T
        flat = np.reshape(values, (-1, site.size))
        outside = (flat <= lows) | (flat >= highs)
        if outside.any():
            column = int(np.argmax(outside.any(axis=0)))
            odd = flat[outside[:, column], column][0]
            ends = site.bounds[column]
            wanted = "positive values" if ends == POSITIVE else f"values within {ends}"
            self._expect(False, f"sample_posterior: {site.parameters[column]}", wanted, f"{odd:g}")
        wrong = site.check(values)
        self._expect(wrong is None, f"sample_posterior: {site.name}", wrong, "some that are not")

    def _check_moments(self, regression: Regression, moments: Moments) -> None:
        names = regression.parameters
        self._expect(moments.names == names, "sample_posterior: moments", f"names {names}", moments.names)
        for part in fields(Moments):
            values = getattr(moments, part.name)
            if part.name == "names" or values is None:
                continue
            d = len(names)
            shape = () if part.type not in (Array, Array | None) else (d, d) if part.name.endswith("_cov") else (d,)
            what = f"sample_posterior: moments: {part.name}"
            self._expect(np.shape(values) == shape, what, f"shape {shape}", np.shape(values))
            known = np.all(np.isfinite(values)) or "error" in part.name
            self._expect(bool(known), what, "finite values", values)

    def _check_series(self, name: str, values: Any) -> None:
        what = f"fit: {name}"
        self._expect(isinstance(values, np.ndarray), what, "a NumPy array", type(values).__name__)
        self._expect(values.dtype.kind == "f" and values.ndim > 0, what, "floating-point values by step", values.dtype)

    def _check_array(self, verb: str, name: str, values: Any, shape: tuple[int, ...]) -> None:
        what = f"{verb}: {name}"
        self._expect(isinstance(values, np.ndarray), what, "a NumPy array", type(values).__name__)
        self._expect(values.dtype.kind == "f", what, "floating-point values", values.dtype)
        self._expect(values.ndim >= 2 and values.shape == shape, what, f"shape {shape}", values.shape)
        wrong = int(values.size - np.count_nonzero(np.isfinite(values)))
        self._expect(wrong == 0, what, "finite values", f"{wrong} of {values.size} NaN or infinite")

    def _refuse(self, what: str, offence: Offence | None) -> None:
        if offence is not None:
            self._expect(False, what, offence.expected, offence.got, offence.mistake)

    def _expect(self, true: bool, what: str, expected: object, got: object, mistake: str | None = None) -> None:
        if not true:
            likeliest = f"; likeliest mistake: {mistake}" if mistake else ""
            raise BackendContractError(f"{self.info.name}: {what}: expected {expected}, got {got}{likeliest}")


def _raise(refused: str | None) -> None:
    if refused:
        raise UnsupportedError(refused)


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < _SEEDS:
        raise RequestError(f"a seed must be a whole number of at least 0, under 2**32, not {shown(seed)}")


def _check_regression(regression: Regression) -> None:
    check_is(regression, Regression, "a backend takes a Regression, as from_table(formula, table).regression")


def _check_rows(data: Data, verb: str) -> None:
    how = "as from_table(formula, table).data or .new_data, or from_arrays(x, y, columns=names)"
    check_is(data, Data, f"{verb} takes rows of a Data, {how}")
