"""The gallery, held against the libraries alone: its pairs are the same model, its faults are faults."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from faults import FAULTS, Fault
from gallery import MODELS, SIDES, Side, data, faulty, load, program

torch = pytest.importorskip("torch")
pyro = pytest.importorskip("pyro")
jax = pytest.importorskip("jax")
numpyro = pytest.importorskip("numpyro")

Values: TypeAlias = dict[str, np.ndarray]
DRAWS = 3
ROUNDING = 1e-10
"""Of a row's log density, relative to one plus its size."""


@pytest.fixture(autouse=True, scope="module")
def _float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    with jax.enable_x64(True), torch.random.fork_rng():
        yield
    torch.set_default_dtype(before)


def native(side: Side, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same arguments, arrays in the library's own type."""
    array = torch.tensor if side == "pyro" else jax.numpy.asarray
    return {name: array(value) if isinstance(value, np.ndarray) else value for name, value in arguments.items()}


def traced(
    side: Side, model: Callable[..., Any], arguments: dict[str, Any], values: Values, seed: int
) -> dict[str, Any]:
    """A program's sites as its library has them, at these values, the others drawn."""
    given, at = native(side, arguments), native(side, values)
    if side == "pyro":
        pyro.set_rng_seed(seed)
        trace = pyro.poutine.trace(pyro.poutine.condition(model, at)).get_trace(**given)
        trace.compute_log_prob()
        sites = trace.nodes
    else:
        seeded = numpyro.handlers.seed(numpyro.handlers.substitute(model, at), seed)
        sites = numpyro.handlers.trace(seeded).get_trace(**given)
    kept = {name: site for name, site in sites.items() if site["type"] in {"sample", "deterministic"}}
    return {name: site for name, site in kept.items() if "_Subsample" not in type(site.get("fn")).__name__}


def deterministic(site: dict[str, Any]) -> bool:
    return site["type"] == "deterministic" or bool(site["infer"].get("_deterministic"))


def prior(side: Side, model: Callable[..., Any], arguments: dict[str, Any], seed: int) -> Values:
    """A draw of all latent sites."""
    sites = traced(side, model, arguments, {}, seed)
    return {
        name: np.asarray(site["value"])
        for name, site in sites.items()
        if not deterministic(site) and not site["is_observed"]
    }


@functools.cache
def structure(side: Side, file: Path, model: str) -> dict[str, dict[str, str]]:
    """Each site's role, shape and support, the last in the library's own words."""
    found = {}
    for name, site in traced(side, load(file), data(model), {}, 0).items():
        known = deterministic(site)
        found[name] = {
            "role": "deterministic" if known else "observed" if site["is_observed"] else "latent",
            "shape": str(tuple(site["value"].shape)),
            "support": "" if known else str(site["fn"].support),
        }
    return found


def rows(side: Side, model: Callable[..., Any], arguments: dict[str, Any], values: Values) -> Values:
    """Log density at these values by site, in the shape in which the library has it; z of two components summed out."""
    terms, enumerated = at_values(side, model, arguments, values)
    if enumerated:
        both = [at_values(side, model, arguments, values | {"z": np.full_like(values["z"], k)})[0] for k in (0, 1)]
        terms["obs"] = np.logaddexp(*(given["z"] + given["obs"] for given in both))
        del terms["z"]
    return terms


def at_values(side: Side, model: Callable[..., Any], arguments: dict[str, Any], values: Values) -> tuple[Values, bool]:
    """Log density by site at values of all latent ones, and whether there is an enumerated one."""
    terms, enumerated = {}, False
    for name, site in traced(side, model, arguments, values, 0).items():
        if deterministic(site):
            continue
        enumerated |= site["infer"].get("enumerate") == "parallel"
        if side == "pyro":
            terms[name] = site["log_prob"].numpy()
        else:
            scale = 1.0 if site["scale"] is None else site["scale"]
            terms[name] = np.asarray(scale * site["fn"].log_prob(site["value"]))
    return terms, enumerated


def varying(one: list[np.ndarray], other: list[np.ndarray]) -> np.ndarray:
    """Rows whose difference is not the same at all draws, to rounding."""
    first, second = np.array(one), np.array(other)
    spread = np.ptp(first - second, axis=0)
    return ~(spread <= ROUNDING * (1 + np.abs(first).max(0) + np.abs(second).max(0)))


def differing(model: str, files: dict[Side, Path], *, by_row: bool = True) -> dict[str, tuple[int, ...]]:
    """Sites of two programs whose terms differ by more than a constant, each with the rows that do, counted flat.

    By their sums are compared sites whose terms have other shapes, as when events are declared otherwise, and
    all sites where rows don't matter.
    """
    arguments, programs = data(model), {side: load(file) for side, file in files.items()}
    at = [prior("pyro", programs["pyro"], arguments, seed) for seed in range(DRAWS)]
    terms = {side: [rows(side, programs[side], arguments, values) for values in at] for side in SIDES}
    found = {}
    for name in sorted(set(terms["pyro"][0]) | set(terms["numpyro"][0])):
        one, other = ([draw.get(name, np.zeros(())) for draw in terms[side]] for side in SIDES)
        if not by_row or one[0].shape != other[0].shape:
            one, other = ([np.array(draw.sum()) for draw in side] for side in (one, other))
        where = np.flatnonzero(varying(one, other))
        if len(where):
            found[name] = tuple(int(row) for row in where)
    return found


def right(model: str) -> dict[Side, Path]:
    return {side: program(model, side) for side in SIDES}


@pytest.mark.parametrize("model", MODELS)
def test_both_programs_are_the_same_model(model):
    assert differing(model, right(model)) == {}
    one, other = (structure(side, program(model, side), model) for side in SIDES)
    assert list(one) == list(other)
    for name in one:
        assert (one[name]["role"], one[name]["shape"]) == (other[name]["role"], other[name]["shape"])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_one(fault: Fault, tmp_path):
    file = faulty(fault, tmp_path)
    before, after = (structure(fault.side, path, fault.model) for path in (program(fault.model, fault.side), file))
    alone = before.keys() ^ after.keys()
    changed = {
        kind: {name for name in before.keys() & after.keys() if before[name][kind] != after[name][kind]}
        for kind in ("role", "shape", "support")
    }
    if fault.shows == "site":
        assert fault.site in alone
        return
    if fault.shows in changed:
        assert fault.site in changed[fault.shows]
        assert not alone
        return
    files = right(fault.model) | {fault.side: file}
    assert not changed["role"] | changed["shape"]
    if fault.shows == "density":
        assert not changed["support"] | alone
        found = differing(fault.model, files)
        assert set(found) == {fault.site}
        assert fault.rows in {(), found[fault.site]}
    else:
        assert differing(fault.model, files, by_row=False) == {}


@pytest.mark.parametrize("old", ["Normal(9", "dist"])
def test_a_fault_that_is_not_there_once_is_refused(old, tmp_path):
    with pytest.raises(ValueError, match="times"):
        faulty(dataclasses.replace(FAULTS[0], old=old), tmp_path)


def test_the_table_is_in_order():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.model for fault in FAULTS} == set(MODELS)
    assert {fault.side for fault in FAULTS} == set(SIDES)
    assert sum(fault.shows != "nothing" for fault in FAULTS) >= 36
    for fault in FAULTS:
        assert bool(fault.site) == (fault.shows != "nothing")
        assert bool(fault.rename) == (fault.name == "site-renamed")
