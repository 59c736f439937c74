"""A fit as ArviZ has it: every group that its plots and its LOO ask for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.density.specification import prior_terms
from bayescore.errors import RequestError
from bayescore.fitting.predicting import blocks
from bayescore.inference_data import stored_name, to_datatree
from bayescore.model import response
from bayescore.model.arrays import Array
from bayescore.model.data import rows_text
from bayescore.model.posterior import Posterior
from bayescore.regressions.prior import PriorPredictive
from bayescore.regressions.problem import Problem
from bayescore.system import memory

if TYPE_CHECKING:
    import xarray as xr

_DIMENSIONS = ("chain", "draw", "row")
_BLOCK_VALUES = 1 << 20
"""Draws times rows whose densities are computed at once: 8 MB."""


def whole_tree(problem: Problem, posterior: Posterior, *, by_row: bool, prior_draws: int, seed: int) -> "xr.DataTree":
    """The posterior with log likelihood, predictions, data and prior, as far as they are there.

    Of a point estimate, and of rows that were taken together, there is no ``log_likelihood`` and no
    ``posterior_predictive``; of a prior that is no distribution no ``prior`` and no ``prior_predictive``.
    """
    tree = to_datatree(posterior)
    name = _variable(problem.data.response)
    whole = problem.data.ones is None
    if by_row and whole and posterior.estimand == "posterior":
        memory.check(
            f"{int(np.prod(posterior.shape))} draws of {problem.data.rows} rows",
            2 * int(np.prod(posterior.shape)) * problem.data.rows,
            "to_datatree(by_row=False) does without log likelihood and predictions",
        )
        _put(tree, "log_likelihood", {name: log_likelihood(problem, posterior)})
        _put(tree, "posterior_predictive", {name: _responses(problem, posterior, seed)})
    _put(tree, "observed_data", {name: _typed(problem, problem.data.observed)})
    _put(tree, "constant_data", dict(_constants(problem)))
    if all(site.proper for site in problem.regression.sites):
        _put(tree, "log_prior", {stored_name(name): of for name, of in _log_prior(problem, posterior).items()})
        if prior_draws:
            prior = problem.sample_prior(prior_draws, seed=seed)
            _put_prior(tree, prior)
            if by_row and whole:
                _put_prior_predictive(tree, problem.prior_predictive(prior_draws, seed=seed))
    return tree


def _log_prior(problem: Problem, posterior: Posterior) -> dict[str, Array]:
    """Log prior of each site at each draw, shape (chain, draw)."""
    with np.errstate(all="ignore"):
        terms = prior_terms(problem.regression, posterior.flat())
    return {name: np.reshape(term, posterior.shape) for name, term in terms.items()}


def prior_tree(found: PriorPredictive) -> "xr.DataTree":
    """Groups ``prior``, ``prior_predictive`` and ``observed_data``."""
    import xarray as xr

    tree = xr.DataTree()
    _put_prior(tree, found.prior)
    _put_prior_predictive(tree, found)
    _put(tree, "observed_data", {_variable(found.name): found.observed})
    return tree


def _put_prior(tree: "xr.DataTree", prior: Posterior) -> None:
    import xarray as xr

    tree["prior"] = xr.DataTree(to_datatree(prior)["posterior"].to_dataset())


def _put_prior_predictive(tree: "xr.DataTree", found: PriorPredictive) -> None:
    _put(tree, "prior_predictive", {_variable(found.name): found.drawn[None]})


def leave_one_out(problem: Problem, posterior: Posterior) -> Any:
    """What ``arviz_stats.loo`` gives, Pareto k by row included.

    Raises
    ------
    RequestError
        The draws are a point estimate, each row stands for many, or a density is none.
    """
    from arviz_stats import loo

    if posterior.estimand != "posterior":
        raise RequestError(f"a point estimate ({posterior.kind}) has no log likelihood by draw: fit a posterior")
    if problem.data.ones is not None:
        raise RequestError("its rows were taken together as the table was read: they have no densities one by one")
    tree = whole_tree(problem, posterior, by_row=True, prior_draws=0, seed=0)
    (densities,) = tree["log_likelihood"].data_vars.values()
    bad = np.flatnonzero(~np.isfinite(densities.values).all(axis=(0, 1)))
    if bad.size:
        raise RequestError(f"the log likelihood of {rows_text(bad)} is not finite at some draws: LOO has no value")
    return loo(tree, pointwise=True)


def log_likelihood(problem: Problem, posterior: Posterior) -> Array:
    """Log likelihood of each row at each draw, with the row's weight: shape (chain, draw, row).

    It is computed in blocks of draws, so that nothing but the result is held.
    """
    data, regression = problem.data, problem.regression
    values = posterior.flat()
    found = np.empty((int(np.prod(posterior.shape)), data.rows))
    step = max(_BLOCK_VALUES // (data.rows * regression.family.predictors), 1)
    with np.errstate(all="ignore"):  # draws far out overflow
        for start in range(0, len(found), step):
            part = {name: value[start : start + step] for name, value in values.items()}
            eta = response.linear_predictor(regression, data, part)
            terms = regression.family.log_prob(data.observed, eta, response.given(regression, data, part))
            found[start : start + step] = terms if data.weights is None else terms * data.weights
    return found.reshape(*posterior.shape, data.rows)


def _responses(problem: Problem, posterior: Posterior, seed: int) -> Array:
    found = np.empty((int(np.prod(posterior.shape)), problem.data.rows))
    for at, drawn in blocks(problem, posterior, problem.data, "response", seed):
        found[:, at] = drawn
    return _typed(problem, found.reshape(*posterior.shape, -1))


def _typed(problem: Problem, values: Array) -> np.ndarray:
    """Counts and categories as whole numbers, by which plots choose what to draw."""
    whole = problem.regression.family.discrete
    return values.astype(np.int64) if whole and np.all(np.abs(values) < 2**62) else values


def _constants(problem: Problem) -> Iterator[tuple[str, np.ndarray]]:
    """What the rows were predicted from: the table's columns, or those of the design matrix."""
    data, design = problem.data, problem.design
    more = {"offset": data.offset, "weights": data.weights, "trials": data.trials}
    if design is None:
        yield from ((_variable(name), column) for name, column in zip(data.columns, data.x.T, strict=True))
    else:
        names = [name for name in design.frame.columns if name != data.response]
        yield from ((_variable(name), _storable(np.asarray(design.frame[name]))) for name in names)
        more = {name: values for name, values in more.items() if name not in names}
    yield from ((name, values) for name, values in more.items() if values is not None)


def _storable(column: np.ndarray) -> np.ndarray:
    """A column as a netCDF file can hold it."""
    return column if column.dtype.kind in "fiub" else np.array([str(value) for value in column])


def _variable(name: str) -> str:
    """A column's name as that of a variable, which no dimension has."""
    return f"{name}_" if name in _DIMENSIONS else stored_name(name)


def _put(tree: "xr.DataTree", group: str, variables: Mapping[str, np.ndarray]) -> None:
    """Add a group of variables (row,), (chain, draw) or (chain, draw, row)."""
    import xarray as xr

    dims = {1: _DIMENSIONS[2:], 2: _DIMENSIONS[:2], 3: _DIMENSIONS}
    found = xr.Dataset({name: (dims[values.ndim], values) for name, values in variables.items()})
    tree[group] = xr.DataTree(found.assign_coords({name: np.arange(size) for name, size in found.sizes.items()}))
