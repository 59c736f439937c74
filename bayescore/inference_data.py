"""Posteriors to and from ArviZ: labelled DataTrees, netCDF files, older InferenceData."""

from collections.abc import Sequence
from dataclasses import fields
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from bayescore.errors import DataError, KeepingError, check_is, in_one_line
from bayescore.methods import Kind
from bayescore.model.posterior import Moments, Posterior
from bayescore.system.writing import write

if TYPE_CHECKING:
    import xarray as xr


_KIND = "bayescore_kind"
_SLASH = "\N{DIVISION SLASH}"


class _HasPosterior(Protocol):
    posterior: Any


def to_datatree(posterior: Posterior) -> "xr.DataTree":
    """Groups ``posterior``, ``sample_stats`` and ``moments``; the coefficients along ``coef``."""
    from arviz_base import from_dict
    from xarray import DataTree

    check_is(posterior, Posterior, "what is written is a Posterior")

    groups: dict[str, dict[str, Any]] = {"posterior": {stored_name(site): v for site, v in posterior.draws.items()}}
    if posterior.sample_stats:
        groups["sample_stats"] = dict(posterior.sample_stats)
    dims, coords = _layout(posterior)
    tree = from_dict(groups, coords=coords, dims=dims)
    tree["posterior"].attrs[_KIND] = posterior.kind
    if posterior.moments is not None:
        tree["moments"] = DataTree(_of_moments(posterior.moments))
    return tree


def _of_moments(moments: Moments) -> "xr.Dataset":
    """Their arrays along ``parameter``, and ``other`` for the columns of covariances; what is unknown is left out."""
    import xarray as xr

    values = {f.name: getattr(moments, f.name) for f in fields(Moments) if f.name != "names"}
    known = {name: np.asarray(value) for name, value in values.items() if value is not None}
    variables = {name: (("parameter", "other")[: value.ndim], value) for name, value in known.items()}
    return xr.Dataset(variables, coords={"parameter": list(moments.names)})


def _to_moments(dataset: "xr.Dataset") -> Moments:
    """The inverse of `_of_moments`."""
    variables = {str(name): np.asarray(variable.values) for name, variable in dataset.data_vars.items()}
    values: dict[str, Any] = {name: value if value.ndim else float(value) for name, value in variables.items()}
    try:
        return Moments(names=tuple(str(name) for name in dataset["parameter"].values), **values)
    except (KeyError, TypeError) as error:
        raise DataError(f"the group 'moments' is not one that bayescore wrote: {error}") from error


def stored_name(site: str) -> str:
    """A site's name in a file, where a slash would be a path's: ``sd(I(x / 2)|g)``."""
    return site.replace("/", _SLASH)


def _layout(posterior: Posterior) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The dimensions of each site, and the coordinates along them; effects of a group's levels share one."""
    dims: dict[str, list[str]] = {}
    coords: dict[str, list[str]] = {}
    taken = {"chain", "draw", *map(stored_name, posterior.draws)}
    for site, labels in posterior.labels.items():
        axes = _axes(labels, posterior.draws[site].shape[2:])
        factor = stored_name(site[:-1].rpartition("|")[2]) if site.startswith("offset(") else ""
        if factor and factor not in taken and coords.get(factor, axes[0]) == axes[0]:
            dims[stored_name(site)] = [factor]
        else:
            dims[stored_name(site)] = _dimensions(stored_name(site), len(axes))
        coords |= dict(zip(dims[stored_name(site)], axes, strict=True))
    return dims, coords


def _dimensions(site: str, count: int) -> list[str]:
    last = "coef" if site == "beta" else f"{site}_dim"
    return [f"{site}_row", last] if count == 2 else [last]


def _axes(labels: Sequence[str], shape: tuple[int, ...]) -> list[list[str]]:
    """The labels along each axis; those of a matrix are ``row,column``."""
    if len(shape) == 1:
        return [list(labels)]
    columns = shape[1]
    for cut in (position for position, letter in enumerate(labels[0]) if letter == ","):
        last = [label[cut + 1 :] for label in labels[:columns]]
        first = [label.removesuffix(f",{last[0]}") for label in labels[::columns]]
        if [f"{row},{column}" for row in first for column in last] == list(labels):
            return [first, last]
    raise DataError(f"the labels {list(labels)} are not those of {shape[0]} rows and {columns} columns")


def from_arviz(data: "xr.DataTree | _HasPosterior") -> Posterior:
    """Take draws from a DataTree, or from the InferenceData of ArviZ before 1.0.

    Raises
    ------
    DataError
        It has no posterior with chains and draws, or is of no kind that there is.
    """
    dataset = getattr(data, "posterior", None)
    if dataset is None or not {"chain", "draw"} <= set(dataset.dims):
        raise DataError("no group 'posterior' with the dimensions chain and draw: was this written by ArviZ?")
    draws, labels = {}, {}
    for stored, variable in dataset.data_vars.items():
        name = str(stored).replace(_SLASH, "/")
        ordered = variable.transpose("chain", "draw", ...)
        if ordered.ndim > 4:
            raise DataError(f"{name!r} has {ordered.ndim - 2} dimensions beside chain and draw; at most two are read")
        draws[name] = np.asarray(ordered.values, dtype=np.float64)
        if ordered.ndim > 2:
            axes = ([str(v) for v in dataset[dimension].values] for dimension in ordered.dims[2:])
            labels[name] = tuple(",".join(parts) for parts in product(*axes))
    stats = getattr(data, "sample_stats", None)
    kept = {} if stats is None else {str(k): np.asarray(v.values) for k, v in stats.data_vars.items()}
    if _KIND not in dataset.attrs:
        return Posterior(draws, labels, kept)
    group = getattr(data, "moments", None)
    moments = None if group is None else _to_moments(group.to_dataset())
    return Posterior(draws, labels, kept, moments, cast(Kind, dataset.attrs[_KIND]))


def save(posterior: Posterior, path: str | Path) -> None:
    """Write a netCDF file that ArviZ reads.

    Raises
    ------
    KeepingError
        It can't be written.
    """
    check_is(path, Path | str, "a file is named by a path")
    write(Path(path), encode(to_datatree(posterior), Path(path)))


def encode(tree: "xr.DataTree", path: Path) -> bytes:
    """The content of a netCDF file, made in memory: on a full disk the HDF5 library ends the process.

    Raises
    ------
    KeepingError
        The file, of this name, could not hold it.
    """
    content = BytesIO()
    try:
        tree.to_netcdf(content, engine="h5netcdf")
    except Exception as error:  # its writers raise whatever they come across
        raise KeepingError(path, f"not as netCDF: {in_one_line(error)}") from error
    return content.getvalue()


def load(path: str | Path) -> Posterior:
    """Read a netCDF file that ArviZ, or `save`, wrote.

    Raises
    ------
    DataError
        It can't be read.
    """
    check_is(path, Path | str, "a file is named by a path")
    try:
        tree = decode(Path(path).read_bytes())
    except (OSError, ValueError, DataError) as error:
        raise DataError(f"can't read {str(path)!r} as ArviZ netCDF: {error}") from error
    return from_arviz(tree)


def decode(content: bytes) -> "xr.DataTree":
    """Read what `encode` made, or the content of another netCDF file.

    Raises
    ------
    DataError
        It is none.
    """
    import xarray as xr

    try:
        with xr.open_datatree(BytesIO(content), engine="h5netcdf") as tree:
            return tree.load()
    except Exception as error:  # a damaged file raises whatever its reader comes across
        raise DataError(in_one_line(error)) from error
