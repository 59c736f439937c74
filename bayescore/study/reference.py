"""Holds contenders against reference posteriors: public ones, or your own.

A folder of references has ``references.json``, a list of records, and the tables they
name. A record has ``name``, ``file``, ``formula``, ``family``, ``priors``, and for each of
``parameters`` its ``mean`` and ``sd``, with ``mcse_mean`` and ``mcse_sd`` where they come
from draws.

A contender that lies outside of the limit, where chance alone puts one in a hundred, is
fitted again by another seed with four times the draws, and held to the same limit. What
was chance is not there again; what is wrong is, and twice as far out in standard errors.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from bayescore.agreement.defaults import ALPHA
from bayescore.agreement.estimates import FromDraws
from bayescore.agreement.health import examine
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.run import compare
from bayescore.comparison.runner import Watcher
from bayescore.contract.refit import sentence
from bayescore.errors import DataError, in_one_line
from bayescore.model.arrays import Array
from bayescore.printable import cell
from bayescore.regressions.problem import Problem
from bayescore.settings import Settings
from bayescore.system import paths
from bayescore.tables.files import read_table
from bayescore.tables.problem import from_table

EXACT_LIMIT = 1e-6
"""How far an exact mean may lie from a reference, in sds, and its sd relatively."""
REPEAT = 4
"""How many times the draws a second fit has."""
_DIGITS = 5e-10
"""Relative rounding of the numbers in a file."""


@dataclass(frozen=True)
class Reference:
    """A regression whose posterior is known.

    Attributes
    ----------
    mean, mean_error, sd, sd_error
        Of the problem's parameters in their order, shape (d,).
    """

    name: str
    problem: Problem
    mean: Array
    mean_error: Array
    sd: Array
    sd_error: Array


@dataclass(frozen=True)
class Distance:
    """A contender's distance from a reference.

    Attributes
    ----------
    mean, sd
        Largest difference of a mean, in the reference's sds, and largest relative one of an sd.
    z, limit
        Largest difference in standard errors, and the family-wise limit for it; None for exact.
    verdict
        ``within``, ``outside``, ``unconverged``, or why it did not run.
    again
        Where the first fit lay outside, the largest difference of the second, whose verdict it then is.
    refitted
        Which fits diverged and were made again with a higher target of acceptance, in words.
    pairwise
        Whether all contenders of this reference agree with one another, by the rule.
    """

    reference: str
    parameters: int
    contender: str
    mean: float | None
    sd: float | None
    z: float | None
    limit: float | None
    verdict: str
    seconds: float | None = None
    pairwise: str = ""
    again: float | None = None
    refitted: str = ""


def load(folder: Path, names: Sequence[str] = ()) -> list[Reference]:
    """Read the references of a folder, or those named.

    Raises
    ------
    DataError
        The folder, or a record of it, can't be read; or a name is not among them.
    """
    path = folder / "references.json"
    if not paths.is_file(path):
        raise DataError(f"no references in {str(folder)!r}: a folder with references.json is needed")
    try:
        records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        known = [str(record["name"]) for record in records]
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise DataError(f"{str(path)!r} is no list of references: {error!r}") from error
    for name in names:
        if name not in known:
            raise DataError(f"no reference {name!r} in {str(folder)!r} (references: {', '.join(known)})")
    return [_read(folder, record) for record in records if not names or record["name"] in names]


def _read(folder: Path, record: Mapping[str, Any]) -> Reference:
    try:
        problem = from_table(
            record["formula"],
            read_table(folder / record["file"]),
            family=record["family"],
            priors=record["priors"],
            source=record["file"],
        )
        stated = [record["parameters"][name] for name in problem.regression.parameters]
        mean, sd = (np.array([float(of[key]) for of in stated]) for key in ("mean", "sd"))
        errors = [np.array([float(of.get(key, 0.0)) for of in stated]) for key in ("mcse_mean", "mcse_sd")]
    except KeyError as error:
        raise DataError(f"the reference {record['name']!r} has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"the reference {record['name']!r} can't be read: {in_one_line(error)}") from error
    if not (np.all(np.isfinite([mean, sd, *errors])) and np.all(sd > 0)):
        raise DataError(f"the reference {record['name']!r} has a mean or an sd that is none")
    return Reference(record["name"], problem, mean, errors[0], sd, errors[1])


def hold(reference: Reference, contenders: Sequence[str], settings: Settings, watch: Watcher) -> list[Distance]:
    """Fit a reference's problem with each contender and compare, parameter by parameter."""
    result = compare(reference.problem, contenders, settings, watch=watch)
    pairwise = result.verdict if len(result.outcomes) > 1 else ""
    rows = [replace(_row(reference, outcome), pairwise=pairwise) for outcome in result.outcomes]
    return [
        _repeat(reference, row, outcome, settings, watch) if row.verdict == "outside" and row.z is not None else row
        for row, outcome in zip(rows, result.outcomes, strict=True)
    ]


def _repeat(reference: Reference, row: Distance, outcome: Outcome, settings: Settings, watch: Watcher) -> Distance:
    """The row after a second fit with more draws; its seed is another, since its name is."""
    method: Any = outcome.contender.method
    longer = replace(method, draws=REPEAT * method.draws)
    (second,) = compare(reference.problem, [f"{outcome.contender.backend}:{longer}"], settings, watch=watch).outcomes
    found = _row(reference, second)
    refitted = "; ".join(filter(None, [row.refitted, found.refitted]))
    return replace(row, again=found.z, verdict=found.verdict, refitted=refitted)


def _row(reference: Reference, outcome: Outcome) -> Distance:
    name, d = outcome.contender.name, len(reference.mean)
    posterior = outcome.posterior
    if posterior is None:
        return Distance(reference.name, d, name, None, None, None, None, f"{outcome.status}: {outcome.error}")
    seconds = outcome.seconds.get("fit")
    if posterior.estimand != "posterior":
        said = "not comparable: a point estimate has no sds"
        return Distance(reference.name, d, name, None, None, None, None, said, seconds)
    moments = posterior.moments
    if moments is not None and posterior.kind == "exact" and not reference.mean_error.any():
        rounding = _DIGITS * np.abs(reference.mean) / reference.sd
        mean = float(np.max(np.maximum(np.abs(moments.mean - reference.mean) / reference.sd - rounding, 0.0)))
        sd = float(np.max(np.abs(moments.sd / reference.sd - 1.0)))
        verdict = "within" if max(mean, sd) < EXACT_LIMIT else "outside"
        return Distance(reference.name, d, name, mean, sd, None, None, verdict, seconds)
    found = FromDraws(np.stack(list(posterior.parameters().values()), axis=-1)).along(np.eye(d))
    mean_apart, sd_apart = np.abs(found.mean - reference.mean), np.abs(found.sd - reference.sd)
    z = np.concatenate(
        [
            mean_apart / np.hypot(found.mean_error, reference.mean_error),
            sd_apart / np.hypot(found.sd_error, reference.sd_error),
        ]
    )
    limit = float(ndtri(1.0 - ALPHA / (2 * len(z))))
    ailing = examine(outcome.contender.method, posterior, outcome.iterates).ailments
    verdict = f"unconverged: {ailing[0].text}" if ailing else "within" if z.max() <= limit else "outside"
    return Distance(
        reference.name,
        d,
        name,
        float(np.max(mean_apart / reference.sd)),
        float(np.max(sd_apart / reference.sd)),
        float(z.max()),
        limit,
        verdict,
        seconds,
        refitted=sentence(outcome.attempts),
    )


def markdown(rows: Sequence[Distance]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| reference | parameters | contender | worst mean [sd] | worst sd [relative] | worst z | again | limit "
        "| seconds | | pairwise |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = [_figure(row.mean, ".2g"), _figure(row.sd, ".2g")]
        figures += [_figure(value, ".2f") for value in (row.z, row.again, row.limit)]
        cells = [
            row.reference,
            str(row.parameters),
            row.contender,
            *figures,
            _figure(row.seconds, ".1f"),
            f"{row.verdict}; refitted: {row.refitted}" if row.refitted else row.verdict,
            row.pairwise,
        ]
        lines.append(f"| {' | '.join(map(cell, cells))} |")
    return "\n".join(lines)


def _figure(value: float | None, style: str) -> str:
    return "" if value is None else f"{value:{style}}"
