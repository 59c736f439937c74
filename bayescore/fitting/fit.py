"""A fit: one posterior of one problem, with what is known of its health."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescore.errors import RequestError
from bayescore.fitting import file
from bayescore.fitting.arviz import leave_one_out, whole_tree
from bayescore.fitting.file import Parts
from bayescore.fitting.predicting import Predicted, blocks, rows_of
from bayescore.methods import Estimand
from bayescore.model.arrays import Array
from bayescore.model.data import Data
from bayescore.model.posterior import Posterior
from bayescore.printable import html, shortened
from bayescore.regressions.problem import Problem
from bayescore.report import one_fit
from bayescore.report.one_fit import FitDocument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    import pandas as pd
    import xarray as xr

    from bayescore.effects import Comparison, Conditional, Contrast, Effects, Options, Slope


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """What one backend found, fitted by `bayescore.fit` or read by `bayescore.load_fit`.

    Attributes
    ----------
    problem
        What was fitted.
    posterior
        Its draws, in the data's names.
    document
        All that was found, as JSON's schema has it.
    losses
        As in `bayescore.backend.Fit`.
    """

    problem: Problem
    posterior: Posterior
    document: FitDocument
    losses: Array | None = None

    def __repr__(self) -> str:
        stated = self.problem.formula or self.problem.source
        return shortened(f"Fit({stated}, by {self.name}: {self._health})", 300)

    @property
    def _health(self) -> str:
        return "healthy" if self.healthy else "not healthy"

    def _repr_html_(self) -> str:
        """For a notebook: whether it is healthy, then the first parameters."""
        stated = f"{self.problem.formula or self.problem.source}, by {self.name}"
        table = one_fit.posterior(self.document)
        more = len(self.document["parameters"]) - len(table.lines)
        told = [stated, *self.reasons, *([f"the first {len(table.lines)} parameters, {more} more"] if more else [])]
        heads, rows = [column.head for column in table.columns], [line.cells for line in table.lines]
        return html(self._health.capitalize(), told, heads, rows)

    @property
    def name(self) -> str:
        """Who fitted it, and how, as ``numpyro:nuts``."""
        return self.document["contenders"][0]["name"]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found wrong with it."""
        return self.document["healthy"]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was found wrong with it, a sentence each."""
        return tuple(f"{reason['code']}: {reason['text']}" for reason in self.document["reasons"])

    @property
    def estimand(self) -> Estimand:
        """What it estimates: ``posterior``, or ``mle`` or ``map`` for a point."""
        return self.posterior.estimand

    def summary(self) -> "pd.DataFrame":
        """Mean, sd and quantiles of each parameter, with their Monte Carlo error, ESS and R-hat; NaN for what is none.

        Of a network, whose weights mean nothing by themselves, the predictions.
        """
        import pandas as pd

        from bayescore.fitting.figures import Figures

        rows = pd.DataFrame(self.document["parameters"]).drop(columns="contender").set_index("name")
        return Figures(rows.astype(np.float64).rename_axis("parameter"))

    def predict(
        self, new: object | None = None, kind: Predicted = "mean", interval: float = 0.9, *, seed: int = 0
    ) -> "pd.DataFrame":
        """Predict rows, by the core alone, from the draws.

        A level of a group that the data don't have is predicted from the population.

        Parameters
        ----------
        new
            A table with the formula's columns, or a `Data`; without it the rows that were fitted.
        kind
            ``mean`` for the expected response, for categories their probabilities; ``response`` for
            responses as they would be observed.
        interval
            How much of the draws lies between ``lower`` and ``upper``, as much below as above.
        seed
            Of responses, and of levels that are new.

        Returns
        -------
        DataFrame
            A row each, with the table's index; for categories one for each of them. Columns ``mean``, ``sd``,
            ``lower`` and ``upper``, but the first NaN for a point estimate.

        Raises
        ------
        RequestError, DataError
            The rows don't fit the formula, or the request makes no sense.
        """
        import pandas as pd

        from bayescore.effects.view import check_interval
        from bayescore.fitting.figures import Figures

        check_interval(interval)
        categories = self.problem.categories
        if kind == "response" and categories:
            raise RequestError("a response with categories has no mean: kind='mean' gives the probability of each")
        rows = rows_of(self.problem, new)
        columns = self._summarized(rows, kind, (1 - interval) / 2, seed)
        if self.estimand != "posterior" and kind == "mean":
            columns |= {name: np.full_like(columns["mean"], np.nan) for name in ("sd", "lower", "upper")}
        index = _index(new, rows)
        if categories:
            names = [*(index.names if index.names != [None] else ["row"] * 1), "category"]
            keys = [(*(key if isinstance(key, tuple) else (key,)), of) for key in index for of in categories]
            index = pd.MultiIndex.from_tuples(keys, names=names)
        return Figures({name: values.ravel() for name, values in columns.items()}, index=index)

    def to_datatree(self, *, by_row: bool = True, prior_draws: int = 500, seed: int = 0) -> "xr.DataTree":
        """The fit as ArviZ has it, for its plots and its LOO.

        The groups are ``posterior``, ``sample_stats``, ``log_likelihood`` (by row, computed by the core),
        ``posterior_predictive``, ``observed_data``, ``constant_data``, ``log_prior``, ``prior`` and
        ``prior_predictive``. Those are left out that a fit does not have: of a point estimate what is by draw,
        and under a prior that is no distribution what is of the prior.

        Parameters
        ----------
        by_row
            With what is by draw and row: log likelihood and predictions.
        prior_draws
            As many of the priors; 0 for none.

        Raises
        ------
        RequestError
            Log likelihood and predictions need more memory than there is.
        """
        return whole_tree(self.problem, self.posterior, by_row=by_row, prior_draws=prior_draws, seed=seed)

    def loo(self) -> Any:
        """Leave-one-out cross-validation by Pareto-smoothed importance sampling, as ``arviz_stats.loo`` gives it.

        Raises
        ------
        RequestError
            The fit has no log likelihood by draw and row.
        """
        return leave_one_out(self.problem, self.posterior)

    def save(self, path: str | Path) -> None:
        """Write it to a file of ArviZ netCDF, whole or not at all; `bayescore.load_fit` reads it.

        Raises
        ------
        KeepingError
            The file can't be written.
        DataError
            The problem has a part that is not bayescore's own, as a family of a plugin's.
        """
        file.write(Parts(self.problem, self.posterior, self.document, self.losses), path)

    def predictions(self, conditional: "Conditional" = None, **options: "Unpack[Options]") -> "Effects":
        """Expected responses at given values, or averaged over the rows: see `bayescore.effects.predictions`.

        >>> fit.predictions({"Days": range(10)})
        """
        from bayescore import effects

        return effects.predictions(self.problem, self.posterior, conditional, **options)

    def comparisons(
        self,
        contrast: "Contrast" = None,
        conditional: "Conditional" = None,
        *,
        comparison: "Comparison" = "difference",
        **options: "Unpack[Options]",
    ) -> "Effects":
        """How predictions change with a column: see `bayescore.effects.comparisons`.

        >>> fit.comparisons("sex")
        """
        from bayescore import effects

        return effects.comparisons(
            self.problem, self.posterior, contrast, conditional, comparison=comparison, **options
        )

    def slopes(
        self,
        wrt: "str | Sequence[str] | None" = None,
        conditional: "Conditional" = None,
        *,
        slope: "Slope" = "dydx",
        **options: "Unpack[Options]",
    ) -> "Effects":
        """Derivatives of predictions by a numeric column: see `bayescore.effects.slopes`.

        >>> fit.slopes("Days", groups="population")
        """
        from bayescore import effects

        return effects.slopes(self.problem, self.posterior, wrt, conditional, slope=slope, **options)

    def _summarized(self, rows: Data, kind: Predicted, tail: float, seed: int) -> dict[str, Array]:
        """Mean, sd and quantiles of each row, or of each category in it."""
        parts = []
        for _, drawn in blocks(self.problem, self.posterior, rows, kind, seed):
            lower, upper = np.quantile(drawn, [tail, 1 - tail], axis=0)
            parts.append((drawn.mean(axis=0), drawn.std(axis=0), lower, upper))
        found = [np.concatenate(part) for part in zip(*parts, strict=True)]
        return dict(zip(("mean", "sd", "lower", "upper"), found, strict=True))


def load_fit(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` wrote: it predicts again without the engine that made it.

    Raises
    ------
    DataError
        There is none, it is damaged, or another version wrote it.
    """
    return Fit(*file.read(path))


def _index(new: object | None, rows: Data) -> "pd.Index[Any]":
    """The rows' names in a user's frame, or their numbers."""
    import pandas as pd

    return new.index if isinstance(new, pd.DataFrame) else pd.RangeIndex(rows.rows)
