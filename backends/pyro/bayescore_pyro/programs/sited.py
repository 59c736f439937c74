"""A program with its data: its latent sites, and its density at values of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from bayescore.backend import Precision
from bayescore.errors import DataError, UnsupportedError
from bayescore.model.arrays import Array
from bayescore_pyro.isolation import isolated
from bayescore_pyro.programs import density, running


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
    deterministic
        The deterministic sites.
    """

    drawn: Mapping[str, running.Node]
    summed: Mapping[str, running.Node]
    nesting: int | None
    deterministic: Mapping[str, running.Node]


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
        """Its latent sites, as the first of two runs has drawn them.

        Raises
        ------
        UnsupportedError
            It has something that has no density to compare.
        """
        traces = []
        for seed in (0, 1):
            with isolated(self.precision, seed):
                trace = running.run(self.function, self.arguments(), running.At({}))
                running.check_comparable(trace)
                _check_fixed(trace)
                traces.append(trace)
        running.check_same_sites(*traces)
        nodes = running.sites_of(traces[0])
        unknown = {name: node for name, node in nodes.items() if running.is_latent(node)}
        summed = {name: node for name, node in unknown.items() if running.is_enumerated(node)}
        drawn = {name: node for name, node in unknown.items() if name not in summed}
        deterministic = {name: node for name, node in nodes.items() if running.is_deterministic(node)}
        return Latent(drawn, summed, _nesting(nodes) if summed else None, deterministic)

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
        return running.run(self.function, self.arguments(), running.At(at))

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
        trace = running.run(self.function, self.arguments(), running.At(at), latent.nesting)
        return density.terms(trace, latent.nesting)


def _matched(values: Mapping[str, Array], known: Mapping[str, running.Node]) -> dict[str, Tensor]:
    unknown = [name for name in values if name not in known]
    if unknown:
        raise DataError(f"the program has no latent site {unknown[0]!r} to give values to; it has {list(known)}")
    return {name: running.fitting(name, value, known[name]["value"]) for name, value in values.items()}


def _nesting(nodes: Mapping[str, running.Node]) -> int:
    """How many dimensions batches have, those that are no plate's among them."""
    return max(len(node["fn"].batch_shape) for node in nodes.values())


def _check_fixed(trace: Any) -> None:
    """Refuse a density that something learnable takes part in, as a module's parameters."""
    for name, term in density.terms(trace, None).items():
        if term.total.requires_grad:
            raise UnsupportedError(
                f"the density of the program's site {name!r} depends on a learnable tensor, as a module's parameter: "
                "give it a prior, or pass its value as data"
            )
