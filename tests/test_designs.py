"""Designs of random formulas: their span is that of all indicators, and patsy's; new rows are the row's own."""

import re

import numpy as np
import pandas as pd
import patsy
import pytest
from scipy.linalg import qr

from bayescore.errors import RequestError
from bayescore.tables.formula import apply, products
from bayescore.tables.formula.coding import Block, blocks

ROWS = 48
CATEGORIES = {"a": "pqr", "b": "uv", "c": "klm", "d": "st"}
CALLS = {"x": "x", "z": "z", "log(w)": "np.log(w)", "I(x * z)": "I(x * z)", "scale(x)": "standardize(x)"}
FORMULAS = range(500)


def table(rng):
    """Numbers and categories of 2 or 3 levels, all of whose combinations may lack some."""
    columns = {name: rng.choice(list(levels), ROWS) for name, levels in CATEGORIES.items()}
    for name, levels in CATEGORIES.items():  # each level is there
        columns[name][: len(levels)] = list(levels)
    numbers = {name: rng.normal(size=ROWS) for name in "yxz"}
    return pd.DataFrame({**columns, **numbers, "w": rng.gamma(2.0, size=ROWS), "g": rng.choice(list("ABCD"), ROWS)})


def product(rng):
    """A product of one to three factors, in any order, joined by : or *, or nested."""
    names = [*CATEGORIES, "x", "z", "log(w)", "I(x * z)", "scale(x)"]
    p = np.array([3.0] * len(CATEGORIES) + [1.5, 1.5, 0.5, 0.5, 0.5])
    size = rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2])
    chosen = rng.choice(names, size, replace=False, p=p / p.sum())
    text = str(chosen[0])
    for name in chosen[1:]:
        text += rng.choice([":", ":", " * "]) + str(name)
    if size == 2 and rng.random() < 0.15:
        return f"{chosen[0]} / {chosen[1]}"
    if size == 3 and rng.random() < 0.2:
        return f"({' + '.join(chosen)}) ** 2"
    return text


def right_side(rng, most=3):
    """Random terms with or without an intercept."""
    parts = [product(rng) for _ in range(rng.integers(1, most + 1))]
    head = ["", "0 + ", "1 + "][rng.choice(3, p=[0.5, 0.35, 0.15])]
    tail = " - 1" if not head and rng.random() < 0.1 else ""
    return head + " + ".join(parts) + tail


def for_patsy(text):
    for ours, theirs in CALLS.items():
        if "(" in ours:
            text = text.replace(ours, theirs)
    return text


def term_names(text):
    """The terms of a right side as patsy reads them."""
    return patsy.ModelDesc.from_formula(for_patsy(text)).rhs_termlist


def indicators(text, frame):
    """Each term's products of numbers and of all indicators, side by side, each column of norm 1."""
    columns = []
    for term in term_names(text):
        block = np.ones((len(frame), 1))
        for factor in term.factors:
            name = factor.name()
            if name in CATEGORIES:
                own = np.array([frame[name] == level for level in CATEGORIES[name]], dtype=float).T
            else:
                own = np.asarray(patsy.dmatrix(f"0 + {name}", frame))
            block = (block[:, :, None] * own[:, None, :]).reshape(len(frame), -1)
        columns.append(block)
    return np.column_stack(columns)


def unit(matrix):
    return matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)


def rank(matrix):
    if not matrix.size:
        return 0
    (triangle, _) = qr(unit(matrix), mode="r", pivoting=True, check_finite=False)
    return int(np.sum(np.abs(np.diag(triangle)) > 1e-8))


def same_span(*matrices):
    return len({rank(matrix) for matrix in (*matrices, np.column_stack([unit(matrix) for matrix in matrices]))}) == 1


def cells():
    """Each combination of levels in several rows, so that no coding is redundant by chance."""
    rng = np.random.default_rng(1)
    grid = np.array(np.meshgrid(*(list(levels) for levels in CATEGORIES.values()), indexing="ij")).reshape(4, -1).T
    full = pd.DataFrame(np.repeat(grid, 5, axis=0), columns=list(CATEGORIES))
    for name in "yxz":
        full[name] = rng.normal(size=len(full))
    return full.assign(w=rng.gamma(2.0, size=len(full)), g=rng.choice(list("ABCD"), len(full)))


FULL = cells()


@pytest.mark.parametrize("seeds", [FORMULAS[i : i + 50] for i in range(0, 500, 50)], ids=lambda s: f"{s[0]}-{s[-1]}")
def test_a_design_spans_all_cells_of_its_terms_as_patsys_does_and_no_more(seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        text = right_side(rng)
        design = apply(f"y ~ {text}", FULL)
        ones = np.ones((len(FULL), int(design.intercept)))
        x = np.column_stack([ones, design.data.x])
        theirs = np.asarray(patsy.dmatrix(for_patsy(text), FULL))
        assert x.shape[1] == theirs.shape[1] < len(FULL), text
        assert same_span(x, theirs, indicators(text, FULL)), text
        if seed % 2:
            continue
        few = table(rng)  # where cells are empty, the same span still
        design = apply(f"y ~ {text}", few)
        x = np.column_stack([np.ones((ROWS, int(design.intercept))), design.data.x])
        assert same_span(x, indicators(text, few)), text


@pytest.mark.parametrize("seeds", [FORMULAS[i : i + 100] for i in range(0, 500, 100)], ids=lambda s: f"{s[0]}-{s[-1]}")
def test_group_effects_are_coded_as_designs_of_their_own(seeds):
    for seed in seeds:
        rng = np.random.default_rng(1000 + seed)
        text = right_side(rng, most=2)
        factor = rng.choice(["g", "g:d", "d"])
        bar = f"({text} | {factor})"
        try:
            design = apply(f"y ~ 1 + {bar}", FULL)
        except RequestError as error:  # 1 and 0 both
            assert "write a group term" in str(error), bar
            continue
        effects = np.column_stack([member.value for member in design.data.groups.values()])
        theirs = np.asarray(patsy.dmatrix(for_patsy(text), FULL))
        assert effects.shape[1] == theirs.shape[1] < len(FULL), bar
        assert same_span(effects, theirs), bar


LEFT = {
    "y": lambda t: t.y, "(y - x)": lambda t: t.y - t.x, "y - x": lambda t: t.y - t.x, "-y": lambda t: -t.y,
    "log(w) - y": lambda t: np.log(t.w) - t.y, "y ** 2": lambda t: t.y**2, "(y + x) / w": lambda t: (t.y + t.x) / t.w,
    "I(y * z)": lambda t: t.y * t.z, "log(w)": lambda t: np.log(t.w), "2 * y + 1": lambda t: 2 * t.y + 1,
    "a['q']": lambda t: t.a == "q", "y - x - z": lambda t: t.y - t.x - t.z, "y - (x - z)": lambda t: t.y - (t.x - t.z),
    "y > x": lambda t: t.y > t.x,
}  # fmt: skip


@pytest.mark.parametrize("seeds", [FORMULAS[i : i + 100] for i in range(0, 500, 100)], ids=lambda s: f"{s[0]}-{s[-1]}")
def test_new_rows_have_the_design_that_they_had(seeds):
    for seed in seeds:
        rng = np.random.default_rng(2000 + seed)
        frame = table(rng)
        left = str(rng.choice(list(LEFT)))
        bar = f"({right_side(rng, most=1)} | {rng.choice(['g', 'g:d'])})" if rng.random() < 0.5 else "(x | g)"
        formula = f"{left} ~ {right_side(rng)} + {bar} + offset(log(w))"
        try:
            design = apply(formula, frame)
        except RequestError as error:
            assert "write a group term" in str(error), formula
            continue
        np.testing.assert_allclose(design.data.y, LEFT[left](frame), err_msg=formula)
        rows = rng.permutation(ROWS)[: rng.integers(1, 6)]
        new, old = design.new(frame.iloc[rows]), design.data.take(list(rows))
        np.testing.assert_allclose(new.x, old.x, atol=1e-12, err_msg=formula)
        np.testing.assert_allclose(new.y, old.y, err_msg=formula)
        np.testing.assert_allclose(new.offset, old.offset, err_msg=formula)
        for key, member in old.groups.items():
            np.testing.assert_array_equal(new.groups[key].index, member.index, err_msg=formula)
            np.testing.assert_allclose(new.groups[key].value, member.value, atol=1e-12, err_msg=formula)


@pytest.mark.parametrize("formula", ["a:b", "a:b:c", "x:a", "0 + a*b", "1 + (0 + x:a | g)", "1 + (a:b | g)", "0 + a"])
def test_a_coding_that_loses_cells_is_found_when_it_is_applied(formula, monkeypatch):
    apply(f"y ~ {formula}", FULL)

    def one_level_less(terms, categories):
        return tuple(tuple(Block(b.factors, frozenset()) for b in of_term) for of_term in blocks(terms, categories))

    monkeypatch.setattr(products, "blocks", one_level_less)
    with pytest.raises(RequestError, match="lose some of its cells"):
        apply(f"y ~ {formula}", FULL)


@pytest.mark.parametrize("call", ["bs(x, df=6)", "bs(x, df=5, degree=2)", "bs(x, knots=[-0.5, 0.1, 0.4])", "center(x)"])
def test_transforms_are_patsys(call):
    np.testing.assert_allclose(apply(f"y ~ {call}", FULL).data.x, patsy.dmatrix(f"0 + {call}", FULL), atol=1e-12)


def test_names_say_which_cells_a_column_has():
    """A column named ``a[q]:b[v]`` is the product of what its parts are named for, whatever else is in the formula."""
    for seed in range(40):
        text = right_side(np.random.default_rng(3000 + seed))
        data = apply(f"y ~ {text}", FULL).data
        for name, column in zip(data.columns, data.x.T, strict=True):
            wanted = np.ones(len(FULL))
            for part in name.split(":"):
                level = re.fullmatch(r"(\w)\[(\w)\]", part)
                if level:
                    wanted = wanted * (FULL[level[1]] == level[2])
                else:
                    wanted = wanted * np.asarray(patsy.dmatrix(f"0 + {for_patsy(part)}", FULL))[:, 0]
            np.testing.assert_allclose(column, wanted, atol=1e-12, err_msg=f"{name} in {text}")
