"""A program with its data: its latent sites, and its density at values of them."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from bayescore.backend import Precision
from bayescore.errors import DataError, UnsupportedError
from bayescore.model.arrays import Array
from bayescore_pyro.isolation import isolated
from bayescore_pyro.programs import density, running

_RUNS = 4
"""Runs whose sites are held against one another."""


@dataclass(frozen=True)
class Latent:
    """The sites of a program that have no data, as a run has drawn them.

    Attributes
    ----------
    drawn
        Those that are not enumerated.
    summed
        Those that are.
    nesting
        Where sites are enumerated, the dimensions that are left for batches, else None.
    told
        The deterministic sites that have a value where enumerated ones are summed out.
    untold
        Those that have none.
    """

    drawn: Mapping[str, running.Node]
    summed: Mapping[str, running.Node]
    nesting: int | None
    told: tuple[str, ...]
    untold: tuple[str, ...]


@dataclass
class Sited:
    """A program with its data, whose sites are looked at once.

    Attributes
    ----------
    function, data, precision
        As `bayescore.program.ProgramBackend` has them.
    """

    function: running.Function
    data: Mapping[str, Any]
    precision: Precision

    @cached_property
    def latent(self) -> Latent:
        """Its latent sites, as the first of some runs has drawn them.

        Raises
        ------
        UnsupportedError
            It has something that has no density to compare.
        """
        traces = [self._looked_at(seed) for seed in range(_RUNS)]
        for other in traces[1:]:
            running.check_same_sites(traces[0], other)
        nodes = running.sites_of(traces[0])
        unknown = {name: node for name, node in nodes.items() if running.is_latent(node)}
        summed = {name: node for name, node in unknown.items() if running.is_enumerated(node)}
        drawn = {name: node for name, node in unknown.items() if name not in summed}
        nesting = _nesting(nodes) if summed else None
        at = {name: node["value"] for name, node in drawn.items()}
        untold = () if nesting is None else self._depending(nodes, at, nesting)
        deterministic = [name for name, node in nodes.items() if running.is_deterministic(node)]
        told = tuple(name for name in deterministic if name not in untold)
        return Latent(drawn, summed, nesting, told, untold)

    def _depending(self, nodes: Mapping[str, running.Node], at: Mapping[str, Tensor], nesting: int) -> tuple[str, ...]:
        """Deterministic sites that depend on enumerated ones: with all values of those, they have another shape."""
        with isolated(self.precision):
            trace = running.run(self.called, self.arguments(), running.At(at), nesting)
        found = running.sites_of(trace)
        return tuple(
            name
            for name, node in nodes.items()
            if running.is_deterministic(node) and found[name]["value"].shape != node["value"].shape
        )

    def _looked_at(self, seed: int) -> Any:
        with isolated(self.precision, seed):
            trace = running.run(self.called, self.arguments(), running.At({}))
            running.check_comparable(trace)
            _check_fixed(trace)
        return trace

    @cached_property
    def called(self) -> running.Function:
        """The function; a module is a copy in the precision that holds, so that its own stays as it is."""
        if isinstance(self.function, nn.Module):
            return copy.deepcopy(self.function).to(getattr(torch, self.precision))
        return self.function

    def arguments(self) -> dict[str, Any]:
        """What the function is called with, in the precision that holds."""
        return running.to_arguments(self.data)

    def run_at(self, values: Mapping[str, Array]) -> Any:
        """The trace at values of latent sites, enumerated ones among them; those not given are drawn.

        Raises
        ------
        DataError
            There is no such latent site, or it has another shape.
        """
        at = _matched(values, {**self.latent.drawn, **self.latent.summed})
        return running.run(self.called, self.arguments(), running.At(at))

    def terms_at(self, values: Mapping[str, Array]) -> dict[str, density.Term]:
        """The terms of the log density at values of all latent sites that are not enumerated.

        Raises
        ------
        DataError
            There is no such latent site, it has another shape, or one has no values.
        """
        latent = self.latent
        at = _matched(values, latent.drawn)
        absent = [name for name in latent.drawn if name not in at]
        if absent:
            raise DataError(f"no values of the site {absent[0]!r}, which the program's density depends on")
        trace = running.run(self.called, self.arguments(), running.At(at), latent.nesting)
        self._check_known(trace)
        return density.terms(trace, latent.nesting)

    def _check_known(self, trace: Any) -> None:
        """Refuse a run at given values that has other unknowns than those looked at."""
        known = self.latent.drawn.keys() | self.latent.summed.keys()
        found = {name for name, node in running.sites_of(trace).items() if running.is_latent(node)}
        if known != found:
            running.refuse_other_sites(min(known ^ found))


def _matched(values: Mapping[str, Array], known: Mapping[str, running.Node]) -> dict[str, Tensor]:
    unknown = [name for name in values if name not in known]
    if unknown:
        raise DataError(f"the program has no latent site {unknown[0]!r} to give values to; it has {list(known)}")
    return {name: running.fitting(name, value, known[name]["value"]) for name, value in values.items()}


def _nesting(nodes: Mapping[str, running.Node]) -> int:
    """How many dimensions batches have, those that are no plate's among them."""
    laws = [(node["fn"], node["value"]) for node in nodes.values()]
    return max(max(len(law.batch_shape), int(value.dim()) - int(law.event_dim)) for law, value in laws)


def _check_fixed(trace: Any) -> None:
    """Refuse a density that something learnable takes part in, as a module's parameters."""
    for name, term in density.terms(trace, None).items():
        if term.total.requires_grad:
            raise UnsupportedError(
                f"the density of the program's site {name!r} depends on a learnable tensor, as a module's parameter: "
                "give it a prior, or pass its value as data"
            )
