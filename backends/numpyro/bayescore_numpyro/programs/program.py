"""The contract of programs, in NumPyro."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayescore.backend import LogDensity, Precision, Progress, no_progress
from bayescore.errors import DataError, UnsupportedError
from bayescore.methods import NUTS, SVI, Method
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.program import Program, ProgramFit, ProgramSite, check_usual
from bayescore_numpyro.compiling import ONCE, Compiled
from bayescore_numpyro.precision import key_of, precision_of
from bayescore_numpyro.programs import enumeration, guided, sampling, svi
from bayescore_numpyro.programs.density import Terms, by_row
from bayescore_numpyro.programs.description import describe
from bayescore_numpyro.programs.running import (
    NOT_TRACEABLE,
    Source,
    Structure,
    Values,
    check_kinds,
    fitting,
    is_latent,
    run,
    sites_of,
    structure_of,
    to_arguments,
    traced,
)


class NumPyroProgram(Program):
    """A program of one's own with its data, in one precision."""

    def __init__(
        self,
        function: Callable[..., Any],
        data: Mapping[str, Any],
        precision: Precision,
        guide: Callable[..., Any] | None = None,
    ) -> None:
        self._precision: Precision = precision
        self._guide = guide
        with precision_of(precision):
            self._source = Source(function, to_arguments(data))

    @cached_property
    def _structure(self) -> Structure:
        return structure_of(self._source)

    def sites(self, values: Mapping[str, Array] | None = None, *, seed: int = 0) -> tuple[ProgramSite, ...]:
        with precision_of(self._precision):
            key = key_of(seed)
            trace = run(self._source, self._drawn(fitting(self._structure, values or {}), key), key)
            check_kinds(self._structure, trace)
            return tuple(describe(name, site) for name, site in sites_of(trace).items())

    def _drawn(self, values: Values, key: jax.Array) -> Values:
        """Values of all latent sites: those not given are drawn, by one program, compiled sooner than many."""
        if values.keys() == self._structure.latent.keys() and not self._structure.enumerated:
            return values
        try:
            return traced(self._source, lambda: self._draw(values, key))
        except NOT_TRACEABLE:
            return values

    @cached_property
    def _draw(self) -> Compiled[Values]:
        def draw(values: Values, key: jax.Array) -> Values:
            trace = run(self._source, values, key)
            return {name: site["value"] for name, site in trace.items() if is_latent(site)}

        return Compiled(draw, ONCE, ())

    def log_density(self, values: Mapping[str, Array]) -> LogDensity:
        with precision_of(self._precision):
            point = fitting(self._structure, values)
            absent = self._structure.latent.keys() - point.keys()
            if absent:
                raise DataError(f"the log density needs a value of the site {min(absent)!r}")
            if self._structure.enumerated:
                enumeration.check(self._structure)
            terms, rows = jax.device_get(self._evaluated(point))
        order = self._structure.kinds
        by_site = {name: float(terms[name]) for name in order if name in terms}
        shares = {name: np.asarray(rows[name], dtype=np.float64) for name in order if name in rows}
        return LogDensity(sum(by_site.values()), by_site, by_row=shares)

    def _evaluated(self, point: Values) -> Terms:
        try:
            return traced(self._source, lambda: self._compiled(point))
        except NOT_TRACEABLE:  # Python code decides by a value: the density is there all the same
            return self._terms(point)

    @cached_property
    def _compiled(self) -> Compiled[Terms]:
        return Compiled(self._terms, ONCE, ())

    def _terms(self, values: Values) -> Terms:
        """Log density by site, and by site and row, at values of all latent sites that are not summed out."""
        key = key_of(0)
        if self._structure.enumerated:
            rows, last, term = enumeration.marginal(self._source, self._structure, values, key)
            return {name: jnp.sum(row) for name, row in rows.items()} | {last: term}, rows
        trace = run(self._source, values, key)
        check_kinds(self._structure, trace)
        rows = by_row(trace)
        return {name: jnp.sum(row) for name, row in rows.items()}, rows

    @cached_property
    def _free(self) -> sampling.Free:
        if self._structure.enumerated:
            enumeration.check(self._structure)
        return sampling.Free(self._source, self._structure, self._terms)

    def fit(self, method: Method, *, seed: int, progress: Progress = no_progress) -> ProgramFit:
        match method:
            case NUTS():
                check_usual(method, "standardize", "centred")
            case SVI():
                check_usual(method, "standardize", "centred", "batch_size")
                if callable(method.guide) and self._guide is None:
                    raise UnsupportedError(
                        "a method's guide is mean_field or full_rank: a program's own is given beside it"
                    )
            case _:
                raise UnsupportedError(f"programs are fitted by nuts or svi, not by {method.name}")
        with precision_of(self._precision):
            try:
                return traced(self._source, lambda: self._fitted(method, seed, progress))
            except NOT_TRACEABLE as error:
                who = "the program" if self._guide is None else "the program, or its guide,"
                raise UnsupportedError(
                    f"{who} decides in Python code by the value of a latent site, which JAX "
                    f"can't follow: write it with jnp.where ({type(error).__name__})"
                ) from None

    def _fitted(self, method: NUTS | SVI, seed: int, progress: Progress) -> ProgramFit:
        if isinstance(method, SVI):
            if self._guide is not None:
                return guided.fit(self._free, self._guide, method, seed, progress)
            return svi.fit(self._free, method, seed, progress)
        found = sampling.fit(self._free, method, seed, progress)
        return found if self._guide is None else replace(found, notes=(*found.notes, guided.UNUSED))

    def sample_posterior(self, fit: ProgramFit, *, seed: int) -> Posterior:
        with precision_of(self._precision):
            if isinstance(fit.native, guided.Ran):
                return guided.draw(self._free, fit, seed)
            if isinstance(fit.method, SVI):
                return svi.draw(self._free, fit, seed)
            return sampling.draw(self._free, fit)
