"""A problem as plain JSON, and back: by the fields of the core's own classes, so that reading runs nothing.

A problem of a formula is written with its table's columns; the formula, applied to them again, must give the
same rows.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import DataError
from bayescore.model import distributions, families
from bayescore.model.data import Data, Membership
from bayescore.model.groups import Grouping, GroupTerm
from bayescore.model.network import Network
from bayescore.model.regression import Regression
from bayescore.regressions.problem import Problem
from bayescore.tables.formula import apply
from bayescore.tables.formula.levels import level_name

if TYPE_CHECKING:
    import pandas as pd

_KIND = "is"
_CLASSES: dict[str, type] = {
    **{f"family.{name}": cls for name, cls in families.FAMILIES.items()},
    **{f"prior.{name}": cls for name, cls in distributions.DISTRIBUTIONS.items()},
    **{cls.__name__: cls for cls in (Data, Membership, Grouping, GroupTerm, Network, Regression)},
}
_NAMES = {cls: name for name, cls in _CLASSES.items()}
_PLAIN = (str, int, float, bool, type(None))


def plain(value: Any) -> Any:
    """A value of the core's classes as JSON."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        return {_KIND: "mapping", "items": [[str(key), plain(part)] for key, part in value.items()]}
    if type(value) not in _NAMES:
        raise DataError(f"a fit with {type(value).__name__}, which is no class of bayescore's own, can't be written")
    return {_KIND: _NAMES[type(value)], **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}


def made(written: Any) -> Any:
    """The inverse of `plain`; lists are tuples.

    Raises
    ------
    DataError
        It names a class that there is none of, or with other fields.
    """
    if isinstance(written, list):
        return tuple(made(part) for part in written)
    if not isinstance(written, dict):
        return written
    kind = written.get(_KIND)
    if kind == "array":
        return _to_array(written)
    if kind == "mapping":
        return {key: made(part) for key, part in written["items"]}
    if kind not in _CLASSES:
        raise DataError(f"{kind!r} is no part of a problem")
    try:
        return _CLASSES[kind](**{name: made(part) for name, part in written.items() if name != _KIND})
    except TypeError as error:
        raise DataError(f"{kind}: {error}") from error


def _of_array(values: np.ndarray) -> dict[str, Any]:
    ordered = np.ascontiguousarray(values)
    return {
        _KIND: "array",
        "dtype": ordered.dtype.str,
        "shape": list(ordered.shape),
        "bytes": base64.b64encode(ordered.tobytes()).decode(),
    }


def _to_array(written: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(written["dtype"])
    if dtype.hasobject:
        raise DataError("an array of objects is no part of a problem")
    return np.frombuffer(base64.b64decode(written["bytes"]), dtype).reshape(written["shape"]).copy()


def of_problem(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    design = problem.design
    return {
        "regression": plain(problem.regression),
        "data": plain(problem.data),
        "new_data": plain(problem.new_data),
        "source": problem.source,
        "formula": problem.formula,
        "warnings": list(problem.warnings),
        "notes": list(problem.notes),
        "digest": _digest(problem),
        "table": None if design is None else {"weights": design.weights, "columns": _of_frame(design.frame)},
    }


def to_problem(written: Mapping[str, Any]) -> Problem:
    """The inverse of `of_problem`.

    Raises
    ------
    DataError
        It is damaged, or this version makes another problem of it.
    """
    regression, data, new_data = (made(written[part]) for part in ("regression", "data", "new_data"))
    design = None
    if written["table"] is not None:
        family = regression.family
        design = apply(
            written["formula"],
            _to_frame(written["table"]["columns"]),
            weights=written["table"]["weights"],
            categorical_response=family.categorical,
            ordered_response=family.thresholds,
        )
        same = design.data.columns == data.columns and np.array_equal(design.data.x, data.x)
        if not same or list(design.data.groups) != list(data.groups):
            raise DataError(f"this version makes other columns of the formula {written['formula']!r}: fit it again")
    problem = Problem(
        regression,
        data,
        new_data,
        written["source"],
        written["formula"],
        tuple(written["warnings"]),
        tuple(written["notes"]),
        design,
    )
    if _digest(problem) != written["digest"]:
        raise DataError("its problem is not as it was written")
    return problem


def _digest(problem: Problem) -> str:
    digest = hashlib.sha256()
    problem.feed(digest)
    return digest.hexdigest()


def _of_frame(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{"name": str(name), **_of_column(frame[name])} for name in frame.columns]


def _of_column(column: "pd.Series[Any]") -> dict[str, Any]:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        known = [value.item() if isinstance(value, np.generic) else value for value in column.dtype.categories]
        categories = [value if isinstance(value, _PLAIN) else level_name(value) for value in known]
        codes = np.asarray(column.cat.codes, dtype=np.int64)
        return {"codes": plain(codes), "categories": categories, "ordered": bool(column.dtype.ordered)}
    if column.dtype == object:
        return {"text": [str(value) for value in column]}
    return {"numbers": plain(column.to_numpy())}


def _to_frame(written: "list[dict[str, Any]]") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({column["name"]: _to_column(column) for column in written})


def _to_column(written: Mapping[str, Any]) -> Any:
    import pandas as pd

    if "codes" in written:
        return pd.Categorical.from_codes(made(written["codes"]), written["categories"], ordered=written["ordered"])
    return pd.Series(written["text"], dtype=object) if "text" in written else made(written["numbers"])
