"""The terms that two programs' densities differ in, at each point and row by row, as a document keeps them."""

from collections.abc import Mapping

import numpy as np

from bayescore.agreement import model_check
from bayescore.agreement.model_check import Apart, RowApart
from bayescore.programs.parts import Parts, deviation

_MOST_ROWS = 200


def apart_of(terms: Mapping[str, Parts]) -> list[Apart]:
    """Terms by how far they differ, the furthest first, each with the rows that differ most."""
    found = model_check.apart_of({name: term.whole for name, term in terms.items()})
    for entry in found:
        term = terms[entry["site"]]
        if term.rows is not None:
            entry["rows"], entry["rows_of"] = _rows(term, term.rows), term.difference.shape[1]
    return found


def _rows(term: Parts, shape: tuple[int, ...]) -> list[RowApart]:
    spread = np.max(np.abs(deviation(term.difference)), axis=0)
    furthest = [int(k) for k in np.argsort(-spread, kind="stable")[:_MOST_ROWS] if spread[k] > 0]
    places = [",".join(str(i) for i in np.unravel_index(k, shape)) for k in furthest]
    return [RowApart(row=place, spread=float(spread[k])) for place, k in zip(places, furthest, strict=True)]
