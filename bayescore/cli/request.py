"""A comparison as it is asked for: by flags, by a problem file, or by both.

A problem file is TOML with the flags' names as keys, ``backends = ["pyro"]`` and so on;
a flag wins over it. File names in it are relative to its folder.
"""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

from bayescore.backend import Precision
from bayescore.comparison.settings import Settings
from bayescore.errors import RequestError, suggest
from bayescore.model.data import from_arrays, toy_data
from bayescore.printable import shown
from bayescore.system import paths
from bayescore.tables import problem
from bayescore.tables.files import read_table, text_columns
from bayescore.tables.problem import Problem, ToySettings

_PATHS = ("data", "new_data")
_LARGEST = 1 << 20
"""Bytes of a problem file, at most."""
_KEYS = re.compile(r"""[\w \t"'.-]+""")
_MOST_DOTS = 200
"""Of a dotted key: the time that it takes to read one grows with their square."""


@dataclass(frozen=True)
class Request:
    """Everything that can be asked for; None where the default serves."""

    backends: tuple[str, ...] = ()
    method: str | None = None
    data: str = "toy"
    formula: str | None = None
    family: str | None = None
    prior: tuple[str, ...] = ()
    reference: str = "auto"
    margin: float = 0.1
    alpha: float = 0.01
    new_data: str | None = None
    seed: int = 0
    precision: str = "float64"
    timeout: float | None = None
    drop_missing: bool = False
    weights: str | None = None
    levels: tuple[str, ...] = ()
    network: tuple[int, ...] = ()
    no_reduce: bool = False

    def settings(self, *, jobs: int | None = None, smoke: bool = False, model_only: bool = False) -> Settings:
        """How the comparison is run.

        Raises
        ------
        RequestError
            A setting makes no sense.
        """
        return Settings(
            self.method,
            self.reference,
            self.margin,
            self.alpha,
            self.seed,
            cast(Precision, self.precision),  # which they look at
            jobs,
            self.timeout,
            smoke,
            model_only,
            not self.no_reduce,
        )

    def problem(self) -> Problem:
        """What is to be fitted.

        Raises
        ------
        RequestError, DataError
            The data, the formula, the family or a prior can't be used.
        """
        priors = parse_priors(self.prior)
        toy = problem.toy_settings(self.data)
        return self._of_file(priors) if toy is None else self._of_toy(toy, priors)

    def _of_file(self, priors: dict[str, str]) -> Problem:
        from bayescore.tables.formula import orders  # with pandas, which the toy does without
        from bayescore.tables.out_of_core import is_large

        if self.formula is None:
            raise RequestError(f"a formula is needed for {self.data!r}: --formula 'y ~ x'")
        if is_large(Path(self.data)):
            return self._large(priors, self._new_table())
        table = read_table(Path(self.data))
        return problem.from_table(
            self.formula,
            table,
            family=self.family or "Gaussian",
            priors=priors,
            weights=self.weights,
            network=self.network,
            new_table=self._new_table(text_columns(table)),
            drop_missing=self.drop_missing,
            levels=orders.parse(self.levels),
            source=self.data,
        )

    def _of_toy(self, toy: ToySettings, priors: dict[str, str]) -> Problem:
        if self.levels:
            raise RequestError("the toy's columns are numbers: --levels goes with --data FILE")
        new_table = self._new_table()
        plain = problem.toy(toy.n, toy.p, toy.noise_sd, self.seed)
        if self.weights is not None:
            raise RequestError("the toy has no column of weights: --weights goes with --data FILE")
        if self.formula is None and new_table is None:
            return self._restate(plain, priors)
        import pandas as pd

        values = toy_data(toy.n, toy.p, toy.noise_sd, self.seed)
        return problem.from_table(
            self.formula or plain.formula or "",
            pd.DataFrame(values, columns=[*plain.data.columns, "y"]),
            family=self.family or str(plain.regression.family),
            priors=priors if self.formula or self.network else _toy_priors() | priors,
            network=self.network,
            new_table=new_table,
            drop_missing=self.drop_missing,
            source=plain.source,
        )

    def _new_table(self, text: Collection[str] = ()) -> object | None:
        """The rows to predict; columns that are text in the data are text in them."""
        return None if self.new_data is None else read_table(Path(self.new_data), text=text)

    def _large(self, priors: dict[str, str], new_table: object | None) -> Problem:
        """A table that is read in chunks."""
        from bayescore.tables.out_of_core import from_file

        for flag, given in (
            ("--weights", self.weights),
            ("--network", self.network),
            ("--drop-missing", self.drop_missing),
            ("--levels", self.levels),
        ):
            if given:
                raise RequestError(f"{self.data!r} is too large to be held in memory, and {flag} needs that")
        path, family = Path(self.data), self.family or "Gaussian"
        return from_file(path, self.formula or "", family=family, priors=priors, new_table=new_table)

    def _restate(self, plain: Problem, priors: dict[str, str]) -> Problem:
        """The toy with a family or priors of the user's."""
        if self.family is None and not priors and not self.network:
            return plain
        return problem.from_data(
            from_arrays(plain.data.x, plain.data.y, columns=plain.data.columns),
            family=self.family or plain.regression.family,
            priors=priors if self.network else _toy_priors() | priors,
            network=self.network,
            new_data=plain.new_data,
            source=plain.source,
            formula=plain.formula,
        )

    def write(self) -> str:
        """As a problem file; its paths are absolute."""
        lines = ["# bayescore compare THIS_FILE runs it again"]
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None or value == () or value is False:
                continue
            if f.name in _PATHS and not (f.name == "data" and problem.toy_settings(value)):
                value = str(Path(value).resolve())
            text = json.dumps(value, ensure_ascii=False).replace(
                "\x7f", "\\u007f"
            )  # which TOML takes as an escape only
            lines.append(f"{f.name} = {text}")
        return "\n".join(lines) + "\n"


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


def read(path: Path) -> Request:
    """Read a problem file.

    Raises
    ------
    RequestError
        It is missing, can't be read, or has an unknown key or a value of the wrong kind.
    """
    if not paths.is_file(path):
        raise RequestError(f"no problem file {str(path)!r}; data are given by --data, backends by --backends")
    if path.stat().st_size > _LARGEST:
        raise RequestError(f"{str(path)!r} is no problem file: it has more than {_LARGEST} bytes")
    try:
        text = path.read_text(encoding="utf-8")
        if any(run.count(".") > _MOST_DOTS for run in _KEYS.findall(text)):
            raise RequestError(f"{str(path)!r} is no problem file: its keys are plain words, without dots")
        content = tomllib.loads(text)
    except (ValueError, RecursionError, OSError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RequestError(f"{str(path)!r} is no problem file: {why}") from error
    known = {f.name: f for f in fields(Request)}
    values: dict[str, Any] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in known:
            raise RequestError(
                f"{str(path)!r}: unknown key {key!r}{suggest(name, list(known))} (keys: {', '.join(known)})"
            )
        values[name] = _typed(path, name, value, getattr(known[name].type, "__name__", str(known[name].type)))
    for name in _PATHS:
        if name in values and problem.toy_settings(values[name]) is None:
            values[name] = str(path.parent / values[name])
    return Request(**values)


def _typed(path: Path, name: str, value: Any, kind: str) -> Any:
    wanted: dict[str, tuple[type, ...]] = {
        "tuple": (list,),
        "str": (str,),
        "float": (int, float),
        "int": (int,),
        "bool": (bool,),
    }
    first = next(key for key in wanted if kind.startswith(key))
    fits = isinstance(value, wanted[first]) and not (isinstance(value, bool) and first in {"float", "int"})
    item = int if name == "network" else str
    if not fits or (first == "tuple" and not all(isinstance(x, item) for x in value)):
        what = {
            "tuple": "a list of texts" if item is str else "a list of whole numbers",
            "str": "a text",
            "bool": "true or false",
        }.get(first, "a number")
        raise RequestError(f"{str(path)!r}: {name} must be {what}, not {shown(value)}")
    return tuple(value) if first == "tuple" else value


def overlay(base: Request, flags: Mapping[str, Any]) -> Request:
    """A request with the flags that were given put over it."""
    return replace(base, **{name: value for name, value in flags.items() if value is not None})
