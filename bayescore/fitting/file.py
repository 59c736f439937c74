"""A fit in one file: ArviZ netCDF, with the problem in a group of its own.

What reads the file needs neither the engine nor its plugin.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayescore.errors import DataError, RequestError, check_is, in_one_line
from bayescore.fitting.written import of_problem, to_problem
from bayescore.inference_data import decode, encode, from_arviz, to_datatree
from bayescore.model.arrays import Array
from bayescore.model.posterior import Posterior
from bayescore.model.regression import Regression
from bayescore.regressions.problem import Problem
from bayescore.report.one_fit import SCHEMA, FitDocument
from bayescore.system import paths, writing

if TYPE_CHECKING:
    import xarray as xr

_GROUP = "bayescore_fit"


class Parts(NamedTuple):
    """What a fit is made of, as `bayescore.fitting.fit.Fit` has it."""

    problem: Problem
    posterior: Posterior
    document: FitDocument
    losses: Array | None


def write(parts: Parts, path: str | Path) -> None:
    """Write a fit, whole or not at all.

    Raises
    ------
    KeepingError
        The file can't be written.
    DataError
        The problem has a part that is not bayescore's own.
    """
    check_is(path, Path | str, "a file is named by a path")
    writing.write(Path(path), encode(_to_tree(parts), Path(path)))


def _to_tree(parts: Parts) -> "xr.DataTree":
    import xarray as xr

    record = json.dumps({"document": parts.document, "problem": of_problem(parts.problem)})
    variables: dict[str, Any] = {"record": ("byte", np.frombuffer(record.encode(), dtype=np.uint8))}
    if parts.losses is not None:
        variables["losses"] = ("step", parts.losses)
    tree = to_datatree(parts.posterior)
    tree[_GROUP] = xr.DataTree(xr.Dataset(variables))
    return tree


def read(path: str | Path) -> Parts:
    """Read what `write` wrote.

    Raises
    ------
    DataError
        There is none, it is damaged, or another version wrote it.
    """
    check_is(path, Path | str, "a file is named by a path")
    place = Path(path)
    if not paths.is_file(place):
        raise DataError(f"no file {str(path)!r}: a fit is written by fit.save(path), or by bayescore fit --out FILE")
    try:
        tree = decode(place.read_bytes())
        if _GROUP not in tree.children:
            raise DataError("it holds no fit of bayescore's")
        return _from_tree(tree)
    except (DataError, RequestError) as error:
        raise DataError(f"can't read {str(path)!r} as a fit: {error}") from error
    except Exception as error:  # a damaged file raises whatever its reader comes across
        raise DataError(f"can't read {str(path)!r} as a fit: it is damaged: {in_one_line(error)}") from error


def _from_tree(tree: "xr.DataTree") -> Parts:
    group = tree[_GROUP].to_dataset()
    record = json.loads(group["record"].values.astype(np.uint8).tobytes())
    document = record["document"]
    if document["schema"] != SCHEMA:
        raise DataError(f"it has schema {document['schema']!r}; this version reads {SCHEMA!r}")
    problem, posterior = to_problem(record["problem"]), from_arviz(tree)
    _check(problem.regression, posterior)
    losses = group["losses"].values if "losses" in group else None
    return Parts(problem, posterior, document, losses)


def _check(regression: Regression, posterior: Posterior) -> None:
    """Refuse draws that are not of the regression."""
    for site in regression.sites:
        values = posterior.draws.get(site.name)
        if values is None or values.shape[2:] != site.shape or not np.isfinite(values).all():
            raise DataError(f"its draws of {site.name} are not as they were written")
        if site.shape and posterior.labels[site.name] != site.labels:
            raise DataError(f"its draws of {site.name} have other labels than the problem")
