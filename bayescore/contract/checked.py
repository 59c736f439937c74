"""The contract, enforced: every call to a backend goes through `Checked`.

It refuses what the backend does not declare, validates what comes out (names,
shapes, finiteness), and times each phase. An offence names the plugin, what was
expected and what came.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, Literal, get_args

import numpy as np

from bayescore.backend import Backend, BackendInfo, Fit, LogDensity, NativeData, Precision, Progress, Space, no_progress
from bayescore.contract import limits
from bayescore.contract.moments import log_joint_offence
from bayescore.contract.moments import offence as moments_offence
from bayescore.contract.new_levels import with_new_levels
from bayescore.contract.predictions import (
    DRAWS,
    RESPONSE_ROWS,
    ROUNDING,
    Offence,
    mean_offence,
    response_offence,
    usable,
)
from bayescore.contract.sample_stats import name_offence, stats_offence
from bayescore.density.specification import LogJoint
from bayescore.errors import BackendContractError, RequestError, UnsupportedError, check_is
from bayescore.methods import Method
from bayescore.model.arrays import Array
from bayescore.model.data import Data, spread
from bayescore.model.distributions import Horseshoe, InverseGamma, LogNormal
from bayescore.model.groups import GroupTerm
from bayescore.model.posterior import Moments, Posterior, other_names
from bayescore.model.regression import Regression
from bayescore.model.response import Law
from bayescore.model.sites import Site
from bayescore.model.transforms import POSITIVE
from bayescore.printable import shown


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


_SEED_STOP = 2**32
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
        except BackendContractError as error:  # from what of the core the backend calls, such as `label`
            raise BackendContractError(f"{self.info.name}: {name}: {error}") from error
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
        method = self.info.read(method)
        _raise(refusal(self.info, regression, method))
        _check_seed(seed)
        limits.check_fit(regression, method, 1)
        with self._phase("fit"):
            fit = self.backend.fit(regression, data, method, seed=seed, progress=progress)
        self._expect(isinstance(fit, Fit), "fit", "a bayescore.backend.Fit", type(fit).__name__)
        if fit.losses is not None:
            self._check_series("losses", fit.losses)
        self._expect(fit.method == method, "fit", f"a Fit of {method}", fit.method)
        self._check_iterates(regression, fit.iterates)
        for part, seconds in fit.seconds.items():
            self._check_number(f"fit: seconds: {part}", seconds)
            self.seconds[str(part)] = float(seconds)
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
        """Hold new responses against the law of each draw (`bayescore.contract.predictions`).

        Raises
        ------
        BackendContractError
            They are of another law, or the seed doesn't decide them.
        """
        posterior, new_data = with_new_levels(fit.regression, posterior, new_data, seed)
        rows = new_data.take(spread(new_data.rows, RESPONSE_ROWS))
        at = np.arange(DRAWS) * int(np.prod(posterior.shape)) // DRAWS  # fewer come again: a law is given each draw
        values = {name: v[at] for name, v in posterior.flat().items()}
        rows = rows.take(usable(Law.of(fit.regression, rows, values)))
        if rows.rows == 0:
            return
        some = replace(posterior, draws={name: v[None] for name, v in values.items()}, sample_stats={})
        drawn = [self.predict(fit, some, rows, kind="response", seed=s) for s in (seed, seed, seed ^ 1)]
        self._refuse("predict: response", response_offence(fit.regression, some, rows, *drawn))

    def log_density(self, regression: Regression, data: NativeData, values: Mapping[str, Array]) -> LogDensity:
        _raise(self.info.refusal({"feature:log_density"}))
        with self._phase("log_density"):
            density = self.backend.log_density(regression, data, values)
        verb = "log_density"
        self._expect(isinstance(density, LogDensity), verb, "a LogDensity", type(density).__name__)
        self._check_number(f"{verb}: total", density.total)
        if density.by_site is not None:
            self._check_terms(regression, density.total, density.by_site)
        if density.gradient is not None:
            spaces, space = get_args(Space), density.gradient_of
            known = isinstance(space, str) and space in spaces
            self._expect(known, f"{verb}: gradient_of", " or ".join(spaces), shown(space))
            self._check_sites(verb, "gradients of", [site.name for site in regression.sites], density.gradient)
            for site in regression.sites:
                slope, what = np.asarray(density.gradient[site.name]), f"{verb}: gradient of {site.name}"
                self._expect(slope.dtype.kind == "f", what, "floating-point values", slope.dtype)
                self._expect(slope.shape == site.shape, what, f"shape {site.shape}", slope.shape)
        return density

    def _check_terms(self, regression: Regression, total: float, by_site: Mapping[str, float]) -> None:
        """Terms are all there and add up; where they can't be added, as -inf, the total is for the model check."""
        wanted = [*(site.name for site in regression.sites), "likelihood"]
        self._check_sites("log_density", "terms", wanted, by_site)
        for name, term in by_site.items():
            self._check_number(f"log_density: {name}", term)
        terms = np.array([float(term) for term in by_site.values()])
        if not np.all(np.isfinite(terms)):
            return
        added = float(terms.sum())
        close = abs(total - added) <= ROUNDING[self.precision] * (1.0 + np.abs(terms).sum())
        mistake = "a term is counted in the total alone, or in its site alone"
        mistake = "the total is computed apart from its terms" if np.isnan(total) else mistake
        self._expect(close, "log_density: total", f"the sum of its terms, {added:.10g}", f"{total:.10g}", mistake)

    def _check_number(self, what: str, value: Any) -> None:
        found = np.asarray(value)
        self._expect(found.dtype.kind in "fi" and found.ndim == 0, what, "a real number", _kind_of(found))

    def _check_sites(self, verb: str, what: str, wanted: list[str], found: Mapping[str, Any]) -> None:
        self._expect(isinstance(found, Mapping), verb, f"{what} {wanted}", type(found).__name__)
        self._expect(sorted(found) == sorted(wanted), verb, f"{what} {wanted}", list(found), other_names(wanted, found))

    def _check_posterior(self, regression: Regression, method: Method, posterior: Posterior) -> None:
        verb = "sample_posterior"
        self._expect(isinstance(posterior, Posterior), verb, "a Posterior", type(posterior).__name__)
        kinds = " or ".join(f"kind={kind!r}" for kind in method.kinds)
        self._expect(posterior.kind in method.kinds, verb, f"{kinds} of {method.name}", f"kind={posterior.kind!r}")
        self._check_sites(verb, "sites", [site.name for site in regression.sites], posterior.draws)
        self._check_count(method, posterior)
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
        for name, stats in posterior.sample_stats.items():
            self._refuse(f"{verb}: {name}", stats_offence(name, stats, posterior.shape))
        if posterior.moments is not None:
            self._check_moments(regression, posterior)

    def _check_count(self, method: Method, posterior: Posterior) -> None:
        """As many chains and draws as the method asked for; guides and exact posteriors may cut theirs into chains."""
        first = next(iter(posterior.draws.values()))
        self._expect(np.ndim(first) >= 2, "sample_posterior", "draws of shape (chain, draw, ...)", np.shape(first))
        shape = posterior.shape
        chains, draws = method.shape
        if draws is None:
            return
        if chains is None:
            self._expect(shape[0] * shape[1] == draws, "sample_posterior", f"{draws} draws", shape)
            return
        mistake = "draws are thinned, or a part of them is lost"
        if shape == (draws, chains):
            mistake = "(chain, draw) are swapped"
        elif shape == (1, chains * draws):
            mistake = "the chains are joined into one"
        wanted = f"(chain, draw) = ({chains}, {draws}), as {method.name} was asked for"
        self._expect(shape == (chains, draws), "sample_posterior", wanted, shape, mistake)

    def _check_bounds(self, site: Site, values: Array) -> None:
        lows, highs = np.array(site.bounds).T
        by_element = np.reshape(values, (-1, site.size))
        outside = (by_element <= lows) | (by_element >= highs)
        if outside.any():
            column = int(np.argmax(outside.any(axis=0)))
            odd = by_element[outside[:, column], column][0]
            ends = site.bounds[column]
            wanted = "positive values" if ends == POSITIVE else f"values within {ends}"
            mistake = "its logarithm is given" if lows[column] == 0 and odd < 0 else None
            self._expect(False, f"sample_posterior: {site.parameters[column]}", wanted, f"{odd:g}", mistake)
        wrong = site.check(values)
        self._expect(wrong is None, f"sample_posterior: {site.name}", wrong, "some that are not")

    def _check_moments(self, regression: Regression, posterior: Posterior) -> None:
        verb, names, moments = "sample_posterior: moments", regression.parameters, posterior.moments
        self._expect(isinstance(moments, Moments), verb, "Moments", type(moments).__name__)
        assert moments is not None
        believed = posterior.kind in {"exact", "guide"}
        self._expect(believed, verb, f"none of {posterior.kind}: they are judged by their draws", "some")
        self._expect(moments.names == names, verb, f"names {names}", moments.names)
        d = len(names)
        for part in fields(Moments):
            values = getattr(moments, part.name)
            if part.name == "names" or values is None:
                continue
            alone = part.name.startswith(("log_", "quadrature_"))
            shape = () if alone else (d, d) if part.name.endswith("_cov") else (d,)
            what = f"{verb}: {part.name}"
            found = np.asarray(values)
            self._expect(found.shape == shape, what, f"shape {shape}", found.shape)
            self._expect(found.dtype.kind in "fi", what, "floating-point values", found.dtype)
            self._expect(bool(np.all(np.isfinite(found))) or "error" in part.name, what, "finite values", values)
        sds = {"sd": moments.sd, "unconstrained_cov": np.diag(moments.unconstrained_cov)}
        for name, sizes in sds.items():
            self._expect(bool(np.all(sizes > 0)), f"{verb}: {name}", "positive sds", sizes)
        self._refuse(verb, moments_offence(posterior, regression.bounds))

    def check_log_joint(self, regression: Regression, data: Data, posterior: Posterior) -> None:
        """Hold the mean log joint that is claimed against that of the draws, by the core's density.

        Raises
        ------
        BackendContractError
            It is another one.
        """
        if posterior.moments is not None and posterior.moments.log_joint is not None:
            values = posterior.flat()
            at = spread(len(next(iter(values.values()))), DRAWS)
            of_draws = LogJoint(regression, data)({name: v[at] for name, v in values.items()})
            self._refuse("sample_posterior: moments", log_joint_offence(posterior.moments, of_draws))

    def _check_iterates(self, regression: Regression, iterates: Any) -> None:
        what = "fit: iterates"
        self._expect(isinstance(iterates, Mapping), what, "arrays by name", type(iterates).__name__)
        if not iterates:
            return
        self._expect({"loc", "log_scale"} <= set(iterates), what, "loc and log_scale among them", list(iterates))
        for name, values in iterates.items():
            self._refuse(what, name_offence(name))
            self._check_series(f"iterates: {name}", values)
        shape = (max(len(iterates["loc"]), 1), sum(site.size for site in regression.sites))
        for name in ("loc", "log_scale"):
            found = iterates[name].shape
            self._expect(found == shape, f"{what}: {name}", f"(step, parameter) = {shape}", found)

    def _check_series(self, name: str, values: Any) -> None:
        what = f"fit: {name}"
        self._expect(isinstance(values, np.ndarray), what, "a NumPy array", type(values).__name__)
        self._expect(values.dtype.kind == "f" and values.ndim > 0, what, "floating-point values by step", values.dtype)

    def _check_array(self, verb: str, name: str, values: Any, shape: tuple[int, ...]) -> None:
        what = f"{verb}: {name}"
        self._expect(isinstance(values, np.ndarray), what, "a NumPy array", type(values).__name__)
        known = values.dtype in (np.float64, np.float32)
        self._expect(known, what, "floating-point values, float64 or float32", values.dtype)
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


def _kind_of(found: "np.ndarray") -> str:
    return f"{found.dtype} of shape {found.shape}" if found.ndim else f"{found.dtype} {found}"


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < _SEED_STOP:
        raise RequestError(f"a seed must be a whole number of at least 0, under 2**32, not {shown(seed)}")


def _check_regression(regression: Regression) -> None:
    check_is(regression, Regression, "a backend takes a Regression, as from_table(formula, table).regression")


def _check_rows(data: Data, verb: str) -> None:
    how = "as from_table(formula, table).data or .new_data, or from_arrays(x, y, columns=names)"
    check_is(data, Data, f"{verb} takes rows of a Data, {how}")
