"""What is compared: a regression, its data, and the rows to predict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from bayescore.backend import BackendInfo, Precision
from bayescore.contract import limits
from bayescore.contract.checked import refusal
from bayescore.contract.kept import Kept, again
from bayescore.density.reduction import compress
from bayescore.errors import DataError
from bayescore.methods import Method
from bayescore.model.data import Data
from bayescore.model.inputs import Input
from bayescore.model.posterior import Posterior
from bayescore.model.predictions import Predictions
from bayescore.model.regression import Regression
from bayescore.printable import count, html, shortened
from bayescore.regressions import prior
from bayescore.regressions.points import points
from bayescore.regressions.prior import PriorPredictive
from bayescore.regressions.target import RegressionTarget
from bayescore.regressions.work import RegressionWork

_MOST_SHOWN = 20


class Designed(Protocol):
    """A formula that was applied to a table, and can be applied to another one."""

    @property
    def frame(self) -> Any:
        """The columns of the table that it uses, as a frame of pandas, of the rows that were not left out."""

    @property
    def weights(self) -> str | None:
        """The column of the rows' weights."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that its right side uses."""

    def new(self, table: object) -> Data:
        """The design matrix of other rows.

        Raises
        ------
        DataError
            They don't fit the formula.
        """

    def new_levels(self, table: object) -> tuple[str, ...]:
        """Which levels of groups are new in other rows, a sentence a factor."""

    def warnings(self, table: object) -> tuple[str, ...]:
        """Where other rows lie outside of what the formula has seen."""


@dataclass(frozen=True, repr=False)
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
    design
        What makes rows of a table; None where the data came as arrays.
    """

    regression: Regression
    data: Data
    new_data: Data
    source: str
    formula: str | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    design: Designed | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        return shortened(f"Problem({', '.join(self._in_short)})", 300)

    @property
    def _in_short(self) -> tuple[str, ...]:
        parameters = count(sum(site.size for site in self.regression.sites), "parameter")
        rows = f"{count(self.data.stands_for, 'row')} of {self.source}"
        return (*([self.formula] if self.formula else []), str(self.regression.family), rows, parameters)

    def _repr_html_(self) -> str:
        """For a notebook: what is stated, with its priors and what the user should know."""
        doubts = [f"warning: {text}" for text in self.warnings] + [f"note: {text}" for text in self.notes]
        written = self.regression.describe(self.data).split("\n")
        more = [("...",)] if len(written) > _MOST_SHOWN else []
        rows = [(line,) for line in written[:_MOST_SHOWN]] + more
        return html("Problem", [", ".join(self._in_short), *doubts], ("model",), rows)

    @property
    def target(self) -> RegressionTarget:
        """What a comparison of it judges."""
        return RegressionTarget(self.regression, self.data, self.new_data)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the response's categories, if it has any."""
        return self.data.categories

    def refusal(self, info: BackendInfo, method: Method, precision: Precision = "float64") -> str | None:
        """Why a backend can't serve it with a method, or None if it can."""
        return refusal(info, self.regression, method, self.data, precision)

    def check_size(self, method: Method) -> None:
        """Refuse a fit that this machine's memory doesn't allow.

        Raises
        ------
        RequestError
            It doesn't.
        """
        limits.check_fit(self.regression, method, self.data.rows)

    @property
    def meets(self) -> bool:
        """Contenders have nothing to tell one another: all are held against the specification."""
        return False

    def judged(self, told: Mapping[str, Any]) -> RegressionTarget:
        """What a comparison of it judges, whatever contenders tell."""
        return self.target

    def prepare(self, *, reduce: bool) -> Callable[[str, BackendInfo, Method], RegressionWork]:
        """What makes each contender's work.

        Rows are taken together for a backend that knows them, where that leaves the
        likelihood as it is; a minibatch is of rows as they are.
        """
        at = tuple(points(self.regression, self.data))
        fewer = compress(self.regression, self.data) if reduce else self.data

        def work(name: str, info: BackendInfo, method: Method) -> RegressionWork:
            whole = "feature:minibatch" in method.requirements or not fewer.requirements <= info.declared()
            return RegressionWork(self.regression, self.data if whole else fewer, self.new_data, at)

        return work

    def described(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """As the document has it."""
        regression = self.regression
        return {
            "source": self.source,
            "formula": self.formula,
            "rows": self.data.stands_for,
            "response": self.data.response,
            "columns": list(regression.columns),
            "family": str(regression.family),
            "priors": {name: prior for site in regression.sites for name, prior in site.stated().items()},
            "model": regression.describe(self.data),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    def sample_prior(self, draws: int = 500, *, seed: int = 0) -> Posterior:
        """Draws of all parameters from their priors alone: one chain of the kind ``independent``.

        Raises
        ------
        RequestError
            A prior is no distribution, or the number of draws or the seed can't be used.
        """
        return prior.draw(self.regression, draws, seed)

    def prior_predictive(self, draws: int = 500, *, seed: int = 0) -> PriorPredictive:
        """Responses in the problem's rows as the priors alone expect them, beside the observed ones.

        Raises
        ------
        RequestError
            As `sample_prior` does.
        """
        return prior.predict(self.regression, self.data, self.sample_prior(draws, seed=seed), seed)

    def feed(self, digest: Any) -> None:
        """Give a hash all that a fit depends on in it."""
        digest.update(repr(self.regression).encode())
        for data in (self.data, self.new_data):
            _feed(digest, data)

    def recheck(self, info: BackendInfo, method: Method, kept: Kept) -> Posterior:
        """What was kept of a fit, once it has passed the checks of a fresh one.

        Raises
        ------
        BayescoreError
            It doesn't.
        """
        rechecked, predictions = again(self.regression, info, method, kept), kept.predictions
        if predictions is None:
            raise DataError("its predictions are missing")
        categories = self.regression.categories
        shape = (self.new_data.rows, len(categories)) if categories else (self.new_data.rows,)
        for f in fields(Predictions):
            values = getattr(predictions, f.name)
            if f.name != "score" and (values.shape != shape or not np.isfinite(predictions.mean).all()):
                raise DataError(f"predictions: {f.name} is not as it was written")
        return rechecked


def _feed(digest: Any, data: Data) -> None:
    digest.update(repr((data.x.shape, data.columns, data.response, data.categories, list(data.groups))).encode())
    parts = [data.x, data.y, data.offset, data.weights, data.trials, data.ones]
    parts += [part.astype(np.float64) for m in data.groups.values() for part in (m.index, m.value)]
    for part in parts:
        digest.update(b"-" if part is None else np.ascontiguousarray(part))
