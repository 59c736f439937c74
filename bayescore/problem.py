"""What is compared: a regression, its data, and the rows to predict."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayescore import calls, families, regression
from bayescore.checks import check
from bayescore.data import Data, from_arrays, rows_text, toy_data
from bayescore.distributions import Array, Distribution, Exponential, Normal
from bayescore.distributions import parse as parse_distribution
from bayescore.errors import DataError
from bayescore.families import Family, Gaussian
from bayescore.regression import Regression

if TYPE_CHECKING:
    import pandas as pd

_MOST_PREDICTED = 200


@dataclass(frozen=True)
class Problem:
    """A regression with its data.

    Attributes
    ----------
    new_data
        Rows to predict; with a response where it is known.
    source
        Where the data come from, in words.
    formula
        The formula, or None for a design matrix given directly.
    warnings, notes
        What the user should know about the data; notes are no cause for worry.
    """

    regression: Regression
    data: Data
    new_data: Data
    source: str
    formula: str | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def toy(n: int = 100, p: int = 1, noise_sd: float = 0.1, seed: int = 0, sigma: float = 0.1) -> Problem:
    """The tutorial's problem: `toy_data`, Normal(0, 10) priors, sigma fixed.

    Predicted are 20 points on [6, 7], with the true mean as their response.
    """
    family = Gaussian(sigma=sigma)
    table = toy_data(n, p, noise_sd, seed)
    data = from_arrays(table[:, :-1], table[:, -1])
    grid = np.repeat(np.linspace(6.0, 7.0, 20)[:, None], p, axis=1)
    new = Data(grid, 1.0 + 3.0 * grid.sum(axis=1), data.columns, data.response)
    prior = Normal(0.0, 10.0)
    stated = Regression(family, data.columns, prior, (prior,) * p)
    source = f"toy(n={n}, p={p}, noise_sd={noise_sd:g}, seed={seed})"
    return Problem(stated, data, new, source, "y ~ " + " + ".join(data.columns))


def from_data(
    data: Data,
    *,
    family: Family | str = "Gaussian",
    priors: Mapping[str, Distribution | str] | None = None,
    intercept: bool = True,
    new_data: Data | None = None,
    source: str = "arrays",
    formula: str | None = None,
    notes: tuple[str, ...] = (),
) -> Problem:
    """State the problem of a design matrix; priors that are not given are the default ones.

    Raises
    ------
    RequestError, DataError
        The request or the data can't be used.
    """
    family = families.parse(family)
    family.check_response(data.observed, data.response)
    given = {name: parse_distribution(prior) for name, prior in (priors or {}).items()}
    defaults = default_priors(family, data, intercept=intercept)
    if "beta" in given:
        defaults = {name: prior for name, prior in defaults.items() if not name.startswith("beta[")}
    stated = regression.state(family, data.columns, defaults | given, intercept=intercept)
    warnings = tuple(check(stated, data))
    new = data.take(slice(_MOST_PREDICTED)) if new_data is None else new_data
    return Problem(stated, data, new, source, formula, warnings, notes)


def from_table(
    formula: str,
    table: "pd.DataFrame",
    *,
    family: Family | str = "Gaussian",
    priors: Mapping[str, Distribution | str] | None = None,
    new_table: "pd.DataFrame | None" = None,
    drop_missing: bool = False,
    source: str = "a data frame",
) -> Problem:
    """State the problem of a formula and a table.

    Raises
    ------
    RequestError, DataError
        The request or the data can't be used.
    """
    from bayescore.formula import apply

    design = apply(formula, table, drop_missing=drop_missing)
    notes: tuple[str, ...] = ()
    if design.dropped:
        rows = rows_text([row - 1 for row in design.dropped])
        notes = (f"left out {len(design.dropped)} of {len(table)} rows with missing values: {rows}",)
    return from_data(
        design.data,
        family=family,
        priors=priors,
        intercept=design.intercept,
        new_data=None if new_table is None else design.new(new_table),
        source=source,
        formula=formula,
        notes=notes,
    )


def default_priors(family: Family, data: Data, *, intercept: bool = True) -> dict[str, Distribution]:
    """Weakly informative priors, scaled to the data.

    intercept ~ Normal(location, 2.5 scale), beta[j] ~ Normal(0, 2.5 scale / sd(x_j)), and
    auxiliary parameters ~ Exponential(1 / scale); location and scale are mean and sd of y
    for a Gaussian, 0 and 1 for a Bernoulli. A constant column counts with sd 1.
    """
    location, scale = family.response_scale(data.observed)
    priors: dict[str, Distribution] = {}
    if intercept:
        priors["intercept"] = Normal(location, 2.5 * scale)
    for name, sd in zip(data.columns, _sds(data.x), strict=True):
        priors[f"beta[{name}]"] = Normal(0.0, 2.5 * scale / sd)
    return priors | {name: Exponential(1.0 / scale) for name in family.free}


def _sds(x: Array) -> list[float]:
    sds = np.std(x, axis=0)
    return [float(sd) if sd > 1e-12 * abs(mean) else 1.0 for sd, mean in zip(sds, x.mean(axis=0), strict=True)]


def read_table(path: Path) -> "pd.DataFrame":
    """Read a CSV or Parquet file.

    Raises
    ------
    DataError
        It is missing, empty, or not a table.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"no file {str(path)!r}: check the path")
    try:
        parquet = path.suffix.lower() in {".parquet", ".pq"}
        with warnings.catch_warnings():
            # rows with one field too many neither shift the columns nor lose a value in silence
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_parquet(path) if parquet else pd.read_csv(path, index_col=False)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"the file {str(path)!r} is empty") from error
    except ImportError as error:
        raise DataError(f"reading {str(path)!r} needs pyarrow: pip install 'bayescore[tables]'") from error
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise DataError(
            f"can't read the table {str(path)!r}: {reason[0] if reason else type(error).__name__}"
        ) from error
    if len(table) == 0:
        raise DataError(f"the file {str(path)!r} has no rows")
    table.columns = [str(column).strip() for column in table.columns]
    return table


@dataclass(frozen=True)
class ToySettings:
    """``toy(n=100, p=1, noise_sd=0.1)``, as it is written on the command line."""

    n: int = 100
    p: int = 1
    noise_sd: float = 0.1


def toy_settings(text: str) -> ToySettings | None:
    """Read ``toy`` or a call of it; None if the text is something else, as a path is."""
    if text != "toy" and not text.replace(" ", "").startswith("toy("):
        return None
    return calls.construct(calls.parse(text), {"toy": ToySettings}, "data set")
