"""From a statement to the problem: the data are read, the regression stated."""

from collections.abc import Collection
from pathlib import Path

from bayescore.cli.statement import Statement
from bayescore.errors import RequestError
from bayescore.model.data import from_arrays, toy_data
from bayescore.regressions.problem import Problem
from bayescore.tables import problem
from bayescore.tables.files import read_table, text_columns
from bayescore.tables.problem import ToySettings


def problem_of(statement: Statement, seed: int = 0) -> Problem:
    """The problem that is stated; the seed is the toy's.

    Raises
    ------
    RequestError, DataError
        The data, the formula, the family or a prior can't be used.
    """
    priors = parse_priors(statement.prior)
    toy = problem.toy_settings(statement.data)
    return _of_file(statement, priors) if toy is None else _of_toy(statement, toy, priors, seed)


def _of_file(statement: Statement, priors: dict[str, str]) -> Problem:
    from bayescore.tables.formula import orders  # with pandas, which the toy does without
    from bayescore.tables.out_of_core import is_large

    if statement.formula is None:
        raise RequestError(f"a formula is needed for {statement.data!r}: --formula 'y ~ x'")
    if is_large(Path(statement.data)):
        return _large(statement, priors, _new_table(statement))
    table = read_table(Path(statement.data))
    return problem.from_table(
        statement.formula,
        table,
        family=statement.family or "Gaussian",
        priors=priors,
        weights=statement.weights,
        network=statement.network,
        new_table=_new_table(statement, text_columns(table)),
        drop_missing=statement.drop_missing,
        levels=orders.parse(statement.levels),
        source=statement.data,
    )


def _of_toy(statement: Statement, toy: ToySettings, priors: dict[str, str], seed: int) -> Problem:
    if statement.levels:
        raise RequestError("the toy's columns are numbers: --levels goes with --data FILE")
    new_table = _new_table(statement)
    plain = problem.toy(toy.n, toy.p, toy.noise_sd, seed)
    if statement.weights is not None:
        raise RequestError("the toy has no column of weights: --weights goes with --data FILE")
    if statement.formula is None and new_table is None:
        return _restate(statement, plain, priors)
    import pandas as pd

    values = toy_data(toy.n, toy.p, toy.noise_sd, seed)
    return problem.from_table(
        statement.formula or plain.formula or "",
        pd.DataFrame(values, columns=[*plain.data.columns, "y"]),
        family=statement.family or str(plain.regression.family),
        priors=priors if statement.formula or statement.network else _toy_priors() | priors,
        network=statement.network,
        new_table=new_table,
        drop_missing=statement.drop_missing,
        source=plain.source,
    )


def _new_table(statement: Statement, text: Collection[str] = ()) -> object | None:
    """The rows to predict; columns that are text in the data are text in them."""
    return None if statement.new_data is None else read_table(Path(statement.new_data), text=text)


def _large(statement: Statement, priors: dict[str, str], new_table: object | None) -> Problem:
    """A table that is read in chunks."""
    from bayescore.tables.out_of_core import from_file

    for flag, given in (
        ("--weights", statement.weights),
        ("--network", statement.network),
        ("--drop-missing", statement.drop_missing),
        ("--levels", statement.levels),
    ):
        if given:
            raise RequestError(f"{statement.data!r} is too large to be held in memory, and {flag} needs that")
    path, family = Path(statement.data), statement.family or "Gaussian"
    return from_file(path, statement.formula or "", family=family, priors=priors, new_table=new_table)


def _restate(statement: Statement, plain: Problem, priors: dict[str, str]) -> Problem:
    """The toy with a family or priors of the user's."""
    if statement.family is None and not priors and not statement.network:
        return plain
    return problem.from_data(
        from_arrays(plain.data.x, plain.data.y, columns=plain.data.columns),
        family=statement.family or plain.regression.family,
        priors=priors if statement.network else _toy_priors() | priors,
        network=statement.network,
        new_data=plain.new_data,
        source=plain.source,
        formula=plain.formula,
    )


def _toy_priors() -> dict[str, str]:
    return {"intercept": "Normal(0, 10)", "beta": "Normal(0, 10)"}


def parse_priors(texts: tuple[str, ...]) -> dict[str, str]:
    """Read ``beta ~ Normal(0, 10)`` and the like: parameter, prior.

    Raises
    ------
    RequestError
        One has no ``~``, or a parameter is given twice.
    """
    priors: dict[str, str] = {}
    for text in texts:
        name, tilde, prior = text.partition("~")
        if not tilde or not name.strip() or not prior.strip():
            raise RequestError(f"can't read the prior {text!r}: write 'beta ~ Normal(0, 10)'")
        if name.strip() in priors:
            raise RequestError(f"the prior of {name.strip()!r} is given twice")
        priors[name.strip()] = prior.strip()
    return priors
