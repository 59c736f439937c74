"""A model's text in few lines: priors of one kind in one, the sum of many columns by its ends."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bayescore.report.document import ProblemEntry

_PRIOR = re.compile(r"(?P<site>[^\[]+)\[(?P<label>.*)\](?P<where> at the columns' means)? ~ (?P<rest>.*)")
_NUMBER = re.compile(r"(?<![\w.\[])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.\]])")
_SUMMED = 4
"""Columns whose sum is written out."""


def folded(problem: ProblemEntry) -> list[str]:
    """The model line by line."""
    lines = [_summed(line, problem["columns"]) for line in problem["model"].split("\n")]
    return list(_priors(lines))


def between(values: Sequence[str]) -> str:
    """Several texts by their ends, as ``x1 .. x98``."""
    return ", ".join(values) if len(values) < 4 else f"{values[0]} .. {values[-1]}"


def _summed(line: str, columns: Sequence[str]) -> str:
    """A line of the linear predictor without the middle of a long sum."""
    if len(columns) <= _SUMMED:
        return line
    for term in ("beta[{0}] * {0}", "beta[k,{0}] * {0}"):
        terms = [term.format(column) for column in columns]
        line = line.replace(" + ".join(terms), f"{terms[0]} + ... + {terms[-1]} ({len(columns)} columns)")
    return line.replace(f"network({', '.join(columns)};", f"network({between(columns)};")


@dataclass(frozen=True)
class _Prior:
    """A prior's line in parts; its distribution without its numbers, and these."""

    site: str
    label: str
    form: str
    numbers: tuple[str, ...]


def _read(line: str) -> _Prior | str:
    found = _PRIOR.fullmatch(line)
    if found is None:
        return line
    numbers = tuple(_NUMBER.findall(found["rest"]))
    return _Prior(
        found["site"], found["label"], f"{found['where'] or ''} ~ " + _NUMBER.sub("{}", found["rest"]), numbers
    )


def _priors(lines: Iterable[str]) -> Iterator[str]:
    """Neighbours that are priors of one site and of one kind in one line."""
    read = [_read(line) for line in lines]
    for _, group in groupby(read, lambda one: one if isinstance(one, str) else (one.site, one.form)):
        alike = list(group)
        if isinstance(alike[0], str):
            yield from (one for one in alike if isinstance(one, str))
            continue
        priors = [one for one in alike if isinstance(one, _Prior)]
        form = priors[0].form.split("{}")
        ranges = [_range(values) for values in zip(*(prior.numbers for prior in priors), strict=True)]
        right = "".join(part for pair in zip(form, [*ranges, ""], strict=True) for part in pair)
        yield f"{priors[0].site}[{between([prior.label for prior in priors])}]{right}"


def _range(values: Sequence[str]) -> str:
    """One number, or the least and the largest."""
    low, high = min(values, key=float), max(values, key=float)
    return low if float(low) == float(high) else f"{float(low):.3g} to {float(high):.3g}"
