"""Formulas that nobody would write: each is read, or refused in one line."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescore.errors import RequestError
from bayescore.tables.formula import apply

TABLE = pd.DataFrame(
    {
        "y": np.arange(1.0, 13.0),
        "x": [3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0, 5.5, 3.5, 8.0, 7.0],
        "a": list("pqrpqrpqrpqr"),
        "b": list("uuuvvvuuuvvv"),
        "n": [1, 2, 3] * 4,
        "Sum": list("st") * 6,
    }
)
PIECES = [
    *("y", "x", "a", "b", "n", "Sum", "w", "`x`", "`a b`", "1", "0", "2", "1e3", ".5", "True", "None", "'p'", '"', "'"),
    *("~", "+", "-", "*", "/", ":", "|", "||", "**", "//", "%", "==", "<", "!", "=", ",", "(", ")", "[", "]", "{", "}"),
    *("log(", "I(", "C(", "T(", "S(", "scale(", "poly(", "bs(", "center(", "offset(", "p(", "Treatment", "df="),
    *("knots=", "degree=", "levels=", "raw=True", "contrast=", " ", ".", "\\", "`", "\n", "é", "\x1b", "#"),
]


def _check(formula: str) -> None:
    try:
        design = apply(formula, TABLE)
    except RequestError as error:
        assert "\n" not in str(error)
        return
    assert np.all(np.isfinite(design.data.x))
    rows = design.new(TABLE.iloc[[3, 0]])
    np.testing.assert_allclose(rows.x, design.data.x[[3, 0]], rtol=1e-9, atol=1e-9)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_row_of_pieces_is_read_or_refused_in_one_line(pieces):
    _check("".join(pieces))
    _check("y ~ " + " ".join(pieces))


_LEAF = st.sampled_from(["x", "a", "b", "n", "1", "0", "2", "'p'", "C(a, Sum)", "poly(x, 2)", "I(x > 3)", "`Sum`"])
_TREE = st.recursive(
    _LEAF,
    lambda below: st.one_of(
        st.tuples(below, st.sampled_from(["+", "-", "*", ":", "/", "**", "|", "||", "==", "%"]), below).map(" ".join),
        st.tuples(st.sampled_from(["(", "log(", "I(", "C(", "scale(", "bs(", "offset(", "-"]), below).map(
            lambda pair: pair[0] + pair[1] + ("" if pair[0] == "-" else ")")
        ),
    ),
    max_leaves=7,
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.sampled_from(["y", "y - x", "(y + n) / x", "a['p']", "p(n, 4)", "log(y)"]), _TREE)
def test_any_tree_is_read_or_refused_in_one_line(left, right):
    _check(f"{left} ~ {right}")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_TREE)
def test_any_tree_may_be_a_response(left):
    _check(f"{left} ~ x")
